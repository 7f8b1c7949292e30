// <button data-confirm="Send to 312 people?"> (in a form): asks first, in a dialog, with the button's own words to go on.
// data-confirm-title and data-confirm-cancel are optional; the words come from the page, so they are translated there.
export function confirmations() {
  let agreed = null;
  document.addEventListener(
    "click",
    (event) => {
      const button = event.target.closest("button[data-confirm]");
      if (!button || button === agreed) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      ask(button).then((yes) => {
        if (!yes) return button.focus();
        agreed = button;
        button.click();
        agreed = null;
      });
    },
    true,
  );
}

function ask(button) {
  const template = document.getElementById("confirm-dialog");
  const dialog = template.content.firstElementChild.cloneNode(true);
  dialog.querySelector("[data-title]").textContent = button.dataset.confirmTitle || button.textContent.trim();
  dialog.querySelector("[data-text]").textContent = button.dataset.confirm;
  const go = dialog.querySelector('[value="yes"]');
  go.textContent = button.textContent.trim() || go.textContent;
  go.classList.add(button.matches(".btn-danger, .btn-outline-danger, .text-danger") ? "btn-danger" : "btn-primary");
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    }),
  );
}
