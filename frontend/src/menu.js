// Menus that open below a button: <button data-menu aria-expanded="false" aria-controls="ID"> … <div id="ID">.
// Escape and a click elsewhere close them; arrow keys move inside. data-menu="collapse" leaves it open on clicks inside.
const opener = (id) => document.querySelector(`[data-menu][aria-controls="${CSS.escape(id)}"]`);

function set(button, open) {
  const panel = document.getElementById(button.getAttribute("aria-controls"));
  button.setAttribute("aria-expanded", String(open));
  panel?.classList.toggle("show", open);
}

function openMenus() {
  return [...document.querySelectorAll('[data-menu][aria-expanded="true"]')];
}

function move(event, panel) {
  const items = [...panel.querySelectorAll("a, button, input, select")].filter((item) => !item.disabled && item.offsetParent);
  const step = event.key === "ArrowDown" ? 1 : -1;
  const next = items[(items.indexOf(document.activeElement) + step + items.length) % items.length];
  next?.focus();
  event.preventDefault();
}

export function menus() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-menu]");
    for (const other of openMenus()) {
      const inside = document.getElementById(other.getAttribute("aria-controls"))?.contains(event.target);
      if (other !== button && !inside) set(other, false);
    }
    if (button) set(button, button.getAttribute("aria-expanded") !== "true");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const button of openMenus()) {
        set(button, false);
        button.focus();
      }
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const button = event.target.closest?.("[data-menu]");
    if (button) set(button, true);
    const panel = button
      ? document.getElementById(button.getAttribute("aria-controls"))
      : event.target.closest?.(".dropdown-menu.show");
    if (panel && (button || opener(panel.id))) move(event, panel);
  });
}
