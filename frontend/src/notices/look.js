// How notices look. A style sheet made by script: no inline style, nothing for a content security policy to refuse,
// and the page's own styles do not reach in. To change it from outside: the --envoi-… properties, and ::part(notice),
// ::part(error), ::part(subject), ::part(body), ::part(dismiss), ::part(button), ::part(acknowledge), ::part(more).
// Text and background of every level have at least 4.5:1, edges and marks 3:1 (WCAG 2.2, 1.4.3 and 1.4.11).
const DARK = `
  --ink: var(--envoi-ink, #e8edf2); --ground: var(--envoi-ground, #1b232c); --edge: var(--envoi-edge, #7d8b99);
  --info: var(--envoi-info, #8ab8f5); --success: var(--envoi-success, #6fd08c);
  --warning: var(--envoi-warning, #f2c14e); --error: var(--envoi-error, #ff9c9c); --link: var(--envoi-link, #8ab8f5);
  --on-link: #0d1722; color-scheme: dark;`;

const CSS = `
:host {
  --ink: var(--envoi-ink, #1b2733); --ground: var(--envoi-ground, #fff); --edge: var(--envoi-edge, #7b8794);
  --info: var(--envoi-info, #1d5fb8); --success: var(--envoi-success, #1e7a3c);
  --warning: var(--envoi-warning, #9a6700); --error: var(--envoi-error, #b42318); --link: var(--envoi-link, #164a91);
  --on-link: #fff; color-scheme: light;
  display: block; box-sizing: border-box;
}
:host([hidden]) { display: none; }
:host([data-theme="dark"]) {${DARK}}
@media (prefers-color-scheme: dark) { :host([data-theme="auto"]) {${DARK}} }
:host(:not([data-place="here"])) {
  position: fixed; inset: 0 0 auto auto; z-index: var(--envoi-z, 2147483000); width: min(30rem, 100vw);
  max-height: 100vh; max-height: 100dvh; display: flex; pointer-events: none;
}
:host([data-place="here"]) { min-height: var(--envoi-reserve, 0); }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
/* Not even what is inherited comes from the page, but the direction of its writing. */
.region {
  all: initial; direction: inherit; display: flex; flex-direction: column; width: 100%; min-height: 0; gap: .5rem;
  color: var(--ink);
  font: var(--envoi-font, 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
}
:host(:not([data-place="here"])) .region { padding: .75rem; }
:host(:not([data-place="here"])) .region > * { pointer-events: auto; }
.list { display: flex; flex-direction: column; gap: .5rem; min-height: 0; overflow: auto; padding-block-end: .25rem; }
:host([data-place="here"]) .bar { display: none; }
.notice {
  position: relative; display: grid; grid-template-columns: auto 1fr; gap: .15rem .75rem; flex: none;
  padding: .9rem 3.25rem .9rem 1rem; background: var(--ground); border: 1px solid var(--level);
  border-inline-start-width: 5px; border-radius: var(--envoi-radius, .5rem); overflow-wrap: anywhere; --level: var(--info);
}
:host(:not([data-place="here"])) .notice { box-shadow: 0 4px 16px rgb(0 0 0 / .18); }
.notice[data-level="success"] { --level: var(--success); }
.notice[data-level="warning"] { --level: var(--warning); }
.notice[data-level="error"] { --level: var(--error); }
.mark {
  width: 1.5rem; height: 1.5rem; border-radius: 50%; background: var(--level); color: var(--ground); grid-row: 1;
  display: grid; place-items: center; font-weight: 700; font-size: .95rem; line-height: 1;
}
.mark::before { content: "i" / ""; }
[data-level="success"] .mark::before { content: "✓" / ""; }
[data-level="warning"] .mark::before, [data-level="error"] .mark::before { content: "!" / ""; }
.subject { margin: 0; font-size: 1rem; font-weight: 650; line-height: 1.5; }
.level, .unseen {
  position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; border: 0;
}
.body, .foot { grid-column: 2; min-width: 0; }
.body > :first-child { margin-top: 0; } .body > :last-child { margin-bottom: 0; }
.body p, .body ul, .body ol, .body pre, .body blockquote { margin: .35rem 0; }
.body :is(h2, h3, h4) { font-size: 1rem; margin: .5rem 0 .25rem; }
.body ul, .body ol { padding-inline-start: 1.4rem; }
.body pre { overflow: auto; }
a { color: var(--link); }
.foot { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .6rem; }
.button, button {
  font: inherit; font-weight: 600; min-height: 2.5rem; padding: .4rem .9rem; border-radius: .4rem; cursor: pointer;
  border: 1px solid var(--link); background: var(--ground); color: var(--link); text-decoration: none;
  display: inline-flex; align-items: center; justify-content: center;
}
.button { background: var(--link); color: var(--on-link); }
.dismiss {
  position: absolute; inset: .4rem .4rem auto auto; width: 2.5rem; padding: 0; border-color: transparent;
  background: transparent; color: var(--ink); font-size: 1.5rem; line-height: 1; font-weight: 400;
}
.dismiss:hover { border-color: var(--edge); }
.bar, .more { align-self: flex-end; flex: none; font-size: .9rem; min-height: 2.25rem; }
.bar::after { content: "▾" / ""; margin-inline-start: .5rem; }
.bar[aria-expanded="true"]::after { content: "▴" / ""; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.notice:focus-visible { outline-offset: -3px; }
@media (prefers-reduced-motion: no-preference) {
  .notice { animation: come .2s ease-out; }
  @keyframes come { from { opacity: 0; transform: translateY(-.4rem); } }
}
@media print { :host(:not([data-place="here"])) { display: none; } }
@media (forced-colors: active) { .mark { border: 1px solid; } }
`;

let sheet;

export function look() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS.replace(/\s+/g, " "));
  }
  return sheet;
}
