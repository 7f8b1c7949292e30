// <textarea data-code="html"> becomes a code editor; the textarea keeps the text and is what the form sends.
// Tab leaves the editor (no keyboard trap, WCAG 2.1.2); indenting is on Ctrl-].
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { html } from "@codemirror/lang-html";
import { bracketMatching, defaultHighlightStyle, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { Compartment } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { nonce } from "./nonce.js";

const darkColours = HighlightStyle.define([
  { tag: [tags.tagName, tags.keyword], color: "#8ab4ff" },
  { tag: [tags.attributeName, tags.propertyName], color: "#7fd1c7" },
  { tag: [tags.string, tags.attributeValue], color: "#f0b88a" },
  { tag: [tags.comment], color: "#8f9bb0" },
  { tag: [tags.number, tags.bool, tags.atom], color: "#d3a8ff" },
]);
const colours = () => syntaxHighlighting(document.documentElement.dataset.bsTheme === "dark" ? darkColours : defaultHighlightStyle);

export function start(textarea) {
  const theme = new Compartment();
  const label = document.querySelector(`label[for="${CSS.escape(textarea.id)}"]`);
  const view = new EditorView({
    doc: textarea.value,
    extensions: [
      EditorView.cspNonce.of(nonce()),
      lineNumbers(), history(), drawSelection(), indentOnInput(), bracketMatching(), highlightActiveLine(),
      keymap.of([...defaultKeymap, ...historyKeymap]),
      textarea.dataset.code === "html" ? html() : [],
      EditorView.lineWrapping,
      theme.of(colours()),
      // A class put on by hand would be gone with the next change of focus.
      EditorView.editorAttributes.of({ class: "code-editor" }),
      EditorView.contentAttributes.of({ tabindex: "0", "aria-label": label?.textContent.trim() ?? "Code" }),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        textarea.value = update.state.doc.toString();
        textarea.dispatchEvent(new Event("input", { bubbles: true }));
      }),
    ],
  });
  textarea.hidden = true;
  textarea.required = false;
  textarea.after(view.dom);
  label?.addEventListener("click", () => view.focus());
  textarea.addEventListener("envoi:insert", (event) => {
    view.dispatch(view.state.replaceSelection(event.detail));
    view.focus();
  });
  new MutationObserver(() => view.dispatch({ effects: theme.reconfigure(colours()) })).observe(document.documentElement, {
    attributeFilter: ["data-bs-theme"],
  });
}
