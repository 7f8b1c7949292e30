// <button data-copy="text"> or data-copy-from="#id": puts it on the clipboard and says so (data-copied: the words for it).
export function copying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
    const text = source ? (source.value ?? source.textContent) : button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      if (source?.select) source.select();
      return;
    }
    const label = button.querySelector("[data-label]") ?? button;
    const before = label.textContent;
    label.textContent = button.dataset.copied || "✓";
    window.setTimeout(() => (label.textContent = before), 1600);
  });
}
