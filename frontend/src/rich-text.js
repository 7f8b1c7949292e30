// <textarea data-rich-text> becomes an editor with a toolbar; the textarea keeps the HTML and is what the form sends.
// The toolbar is one tab stop with arrow keys inside (ARIA authoring practices, toolbar). Words come from
// <template id="rich-text-words"> in the page frame, so they are translated there; so do the icons.
import { Editor } from "@tiptap/core";
import Image from "@tiptap/extension-image";
import StarterKit from "@tiptap/starter-kit";

const commands = {
  bold: [(chain) => chain.toggleBold(), ["bold"]],
  italic: [(chain) => chain.toggleItalic(), ["italic"]],
  heading2: [(chain) => chain.toggleHeading({ level: 2 }), ["heading", { level: 2 }]],
  heading3: [(chain) => chain.toggleHeading({ level: 3 }), ["heading", { level: 3 }]],
  bulletList: [(chain) => chain.toggleBulletList(), ["bulletList"]],
  orderedList: [(chain) => chain.toggleOrderedList(), ["orderedList"]],
  blockquote: [(chain) => chain.toggleBlockquote(), ["blockquote"]],
  undo: [(chain) => chain.undo(), null],
};

export function start(textarea) {
  const toolbar = document.getElementById("rich-text-toolbar").content.firstElementChild.cloneNode(true);
  const frame = document.createElement("div");
  frame.className = "rich-text";
  const label = document.querySelector(`label[for="${CSS.escape(textarea.id)}"]`);
  const editor = new Editor({
    element: frame,
    content: textarea.value,
    injectCSS: false,
    extensions: [StarterKit.configure({ link: { openOnClick: false, protocols: ["mailto", "tel"], isAllowedUri: allowed }, codeBlock: false }), Image],
    editorProps: {
      attributes: {
        role: "textbox", "aria-multiline": "true", "aria-label": label?.textContent.trim() ?? "",
        ...(textarea.hasAttribute("aria-describedby") ? { "aria-describedby": textarea.getAttribute("aria-describedby") } : {}),
      },
    },
    onUpdate: () => {
      textarea.value = editor.isEmpty ? "" : editor.getHTML();
      textarea.dispatchEvent(new Event("input", { bubbles: true }));
    },
    onTransaction: () => mark(toolbar, editor),
  });
  frame.prepend(toolbar);
  textarea.hidden = true;
  textarea.required = false;
  textarea.after(frame);
  label?.addEventListener("click", () => editor.commands.focus());
  textarea.addEventListener("envoi:insert", (event) => editor.chain().focus().insertContent({ type: "text", text: event.detail }).run());
  wire(toolbar, editor);
}

// A merge tag may stand where an address does ({{ unsubscribe_url }}).
const allowed = (url, { defaultValidate }) => /^\{\{[^{}]*\}\}$/.test(url.trim()) || defaultValidate(url);

function mark(toolbar, editor) {
  for (const button of toolbar.querySelectorAll("[data-command]")) {
    const state = button.dataset.command === "link" ? ["link"] : commands[button.dataset.command]?.[1];
    if (state) button.setAttribute("aria-pressed", String(editor.isActive(...state)));
  }
}

function wire(toolbar, editor) {
  const buttons = [...toolbar.querySelectorAll("[data-command]")];
  buttons.forEach((button, index) => (button.tabIndex = index ? -1 : 0));
  toolbar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = buttons.indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = buttons[(at + step + buttons.length) % buttons.length];
    buttons.forEach((button) => (button.tabIndex = button === next ? 0 : -1));
    next.focus();
  });
  toolbar.addEventListener("click", (event) => {
    const name = event.target.closest("[data-command]")?.dataset.command;
    if (!name) return;
    if (name === "link") askLink(toolbar, editor);
    else commands[name][0](editor.chain().focus()).run();
  });
  const row = toolbar.querySelector("[data-link-row]");
  const input = row.querySelector("input");
  const accept = () => {
    const url = input.value.trim();
    row.hidden = true;
    const chain = editor.chain().focus().extendMarkRange("link");
    if (url) chain.setLink({ href: url }).run();
    else chain.unsetLink().run();
  };
  row.querySelector("[data-link-set]").addEventListener("click", accept);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      row.hidden = true;
      editor.commands.focus();
    }
    if (event.key !== "Enter") return;
    event.preventDefault();
    accept();
  });
}

function askLink(toolbar, editor) {
  const row = toolbar.querySelector("[data-link-row]");
  row.hidden = !row.hidden;
  if (row.hidden) return;
  const input = row.querySelector("input");
  input.value = editor.getAttributes("link").href ?? "";
  input.focus();
}
