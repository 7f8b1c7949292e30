// Small behaviours that need no library.
export function small(root) {
  const all = (selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
  for (const element of all("[data-autosubmit]")) {
    element.addEventListener("change", () => element.form.requestSubmit());
  }
  // A field that only matters for some values of another: <div data-shown-when="kind=email,message">.
  for (const element of all("[data-shown-when]")) shownWhen(element);
  for (const element of all("[data-dismiss]")) {
    element.addEventListener("click", () => element.closest("[role=alert], [role=status]")?.remove());
  }
  for (const element of all("[data-insert]")) element.addEventListener("click", () => insert(element));
  // <th><input type="checkbox" data-check-all="contact"> marks every checkbox of that name in the table.
  for (const element of all("[data-check-all]")) checkAll(element);
}

function shownWhen(element) {
  const [name, values] = element.dataset.shownWhen.split("=");
  const form = element.closest("form");
  if (!form) return;
  const update = () => {
    const value = new FormData(form).get(name) ?? "";
    element.hidden = !values.split(",").includes(value);
  };
  form.addEventListener("change", update);
  update();
}

function checkAll(master) {
  const boxes = () => [...master.closest("table").querySelectorAll(`input[type=checkbox][name="${CSS.escape(master.dataset.checkAll)}"]`)];
  master.addEventListener("change", () =>
    boxes().forEach((box) => {
      box.checked = master.checked;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }),
  );
}

function insert(button) {
  const field = document.querySelector(button.dataset.insertInto);
  if (!field) return;
  const text = button.dataset.insert;
  if (field.hidden) return field.dispatchEvent(new CustomEvent("envoi:insert", { detail: text }));
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}
