// <select data-typeahead="/url"> finds its choices by typing: GET url?q=… → {"results": [{id, text, detail}]}.
// <select data-choices> searches among the options that stand in the page.
import TomSelect from "tom-select/base";
import removeButton from "tom-select/plugins/remove_button/plugin.js";

TomSelect.define("remove_button", removeButton);

const line = (data, escape, name) =>
  `<div class="${name}"><span>${escape(data.text)}</span>${data.detail ? ` <span class="text-secondary small">${escape(data.detail)}</span>` : ""}</div>`;

export function start(select) {
  const url = select.dataset.typeahead;
  const words = document.body.dataset;
  const control = new TomSelect(select, {
    valueField: "id",
    labelField: "text",
    searchField: url ? [] : ["text"],
    plugins: select.multiple ? { remove_button: { title: words.wordRemove || "Remove" } } : {},
    dropdownParent: select.closest("dialog") ? null : undefined,
    copyClassesToDropdown: false,
    hidePlaceholder: false,
    closeAfterSelect: !select.multiple,
    preload: url ? "focus" : false,
    loadThrottle: 200,
    maxOptions: 100,
    score: url ? () => () => 1 : undefined,
    shouldLoad: () => Boolean(url),
    // An answer that comes when something else stands in the field is one to another question.
    load: url ? (query, done) => find(url, query).then((found) => done(query === control.inputValue() ? found : []), () => done()) : undefined,
    render: {
      option: (data, escape) => line(data, escape, "option"),
      item: (data, escape) => `<div class="item">${escape(data.text)}</div>`,
      no_results: () => `<div class="no-results">${words.wordNothing || "Nothing found"}</div>`,
    },
    onType: url ? () => control.clearOptions((option) => control.items.includes(String(option.id))) : undefined,
    onItemAdd: () => {
      control.setTextboxValue("");
      if (select.multiple && url) control.refreshOptions(false);
    },
  });
  // The hidden original keeps a name of its own, for what reads the page around the control.
  if (!select.getAttribute("aria-label")) {
    const label = document.querySelector(`label[for="${CSS.escape(select.id)}-ts-control"], label[for="${CSS.escape(select.id)}"]`);
    if (label) select.setAttribute("aria-label", label.textContent.trim());
  } else control.control_input.setAttribute("aria-label", select.getAttribute("aria-label"));
  for (const name of ["aria-describedby", "aria-invalid"]) {
    if (select.hasAttribute(name)) control.control_input.setAttribute(name, select.getAttribute(name));
  }
}

async function find(url, query) {
  const address = new URL(url, window.location.href);
  address.searchParams.set("q", query);
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  return (await answer.json()).results;
}
