// Everything a page can ask for by a data-* attribute. Scripts that few pages need are loaded when one asks.
import htmx from "htmx.org";
import { confirmations } from "./confirm.js";
import { copying } from "./copy.js";
import { menus } from "./menu.js";
import { modals } from "./modal.js";
import { small } from "./small.js";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0;
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "422", swap: true },
  { code: "[45]..", swap: false, error: true },
];

const behaviours = [
  ["select[data-typeahead], select[data-choices]", () => import("./typeahead.js")],
  ["[data-chart]", () => import("./chart.js")],
  ["textarea[data-rich-text]", () => import("./rich-text.js")],
  ["textarea[data-code]", () => import("./code.js")],
];

// Gives each element of a page or of a swapped-in fragment its behaviour, once.
export function enliven(root) {
  small(root);
  for (const [selector, load] of behaviours) {
    const found = [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
    const fresh = found.filter((element) => !element.dataset.enlivened);
    for (const element of fresh) element.dataset.enlivened = "yes";
    if (fresh.length) load().then(({ start }) => fresh.forEach((element) => begin(start, element)));
  }
}

function begin(start, element) {
  if (element.isConnected) start(element);
  element.dataset.enlivened = "done";
}

menus();
copying();
confirmations();
modals((dialog) => {
  htmx.process(dialog);
  enliven(dialog);
});
htmx.onLoad(enliven);
document.documentElement.dataset.ready = "yes";
