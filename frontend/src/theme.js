// Runs before the first paint (a plain script in the head), so that the page never flashes in the other colours.
// The server writes what the user prefers in data-theme; "system" follows the device, and follows it live.
const root = document.documentElement;
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const apply = () => {
  const wanted = root.dataset.theme || "system";
  root.dataset.bsTheme = wanted === "system" ? (dark.matches ? "dark" : "light") : wanted;
};
apply();
dark.addEventListener("change", apply);
