// <a data-modal href="…"> opens that page in a dialog. The server sees X-Modal: 1 and answers only the page's content
// (templates that extend `frame`). Forms inside are sent the same way: an answer that is again such content is shown in
// the dialog (the next step, or the form with its errors); any other page is gone to. Without script it is a plain link.
let dialog;
let prepare;

function element() {
  if (dialog) return dialog;
  dialog = document.createElement("dialog");
  dialog.className = "modal-dialog-native";
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.replaceChildren());
  dialog.addEventListener("click", (event) => {
    const close = event.target.closest("[data-modal-close]");
    if (!close) return;
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("submit", submit);
  return dialog;
}

async function load(url, options = {}) {
  const answer = await fetch(url, {
    credentials: "same-origin",
    ...options,
    headers: { "X-Modal": "1", ...(options.headers ?? {}) },
  });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const content = page.querySelector("[data-modal-frame]");
  if (content) show(content, answer.url);
  else window.location.assign(answer.redirected || !options.method ? answer.url : window.location.href);
}

function show(content, url) {
  // A form without an address sends to its own page, which here is not the one in the address bar.
  for (const form of content.querySelectorAll("form:not([action], [method=dialog])")) form.setAttribute("action", url);
  const target = element();
  target.replaceChildren(document.adoptNode(content));
  target.setAttribute("aria-labelledby", "modal-title");
  if (!target.open) target.showModal();
  target.scrollTop = 0;
  prepare(target);
  const first = ['[aria-invalid="true"]', "[autofocus]", ".dialog-body :is(input:not([type=hidden]), select, textarea, .ts-control input)"];
  first.map((selector) => target.querySelector(selector)).find((found) => found?.offsetParent)?.focus();
}

function submit(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog" || form.hasAttribute("data-leave")) return;
  if ([...form.getAttributeNames()].some((name) => name.startsWith("hx-"))) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  const action = event.submitter?.formAction && event.submitter.hasAttribute("formaction") ? event.submitter.formAction : form.action;
  const buttons = [...form.querySelectorAll("button")];
  const busy = () => buttons.forEach((button) => (button.disabled = true));
  const free = () => buttons.forEach((button) => (button.disabled = false));
  busy();
  const sent =
    form.method === "get"
      ? load(`${action.split("?")[0]}?${new URLSearchParams(data)}`)
      : load(action, { method: "POST", body: data });
  sent.catch(() => form.submit()).finally(free);
}

export function modals(whenShown) {
  prepare = whenShown;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-modal]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    load(link.href).catch(() => window.location.assign(link.href));
  });
}
