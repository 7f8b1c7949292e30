// notices.js: shows a customer's notices on any page of any site, without dependencies.
//
//   <script src="https://mail.example.org/n/v1/notices.js" defer
//     data-key="…" data-customer="mail:ada@example.org" data-expires="…" data-signature="…"></script>
//
// It puts an <envoi-notices> element on the page, or uses the one that stands there. Attributes, on either:
//   data-key, data-customer, data-expires, data-signature   who is looking, signed by the site
//   data-place     "top" (over the page, the default: nothing on it moves) or "here" (where the element stands)
//   data-reserve   with "here": room kept free for notices, such as "4.5rem", so that nothing moves when they come
//   data-language  en, fr, nl, sv; else the page's
//   data-theme     "light" (default), "dark" or "auto"
//   data-heading   level of the headings, 2 if not given
// It looks at nothing but its own element, keeps nothing, sets no cookie, and is quiet when Envoi cannot be reached.
import { look } from "./notices/look.js";
import { draw } from "./notices/draw.js";
import { wordsFor } from "./notices/words.js";
import { Line, Refused } from "./notices/line.js";

const EVERY = 4000;
const SLOWEST = 300_000;
const script = document.currentScript;
const base = script ? new URL(".", script.src).href : "";

class EnvoiNotices extends HTMLElement {
  static observedAttributes = ["data-key", "data-customer", "data-expires", "data-signature", "data-language"];

  #root = this.attachShadow({ mode: "open" });
  #shown = new Map(); // id → { article, notice as text }
  #gone = new Set(); // dismissed here, whatever an answer on its way still says
  #told = new Set(); // of these, what Envoi has written down: what it answers to a later question holds
  #seen = new Set();
  #unsent = new Set();
  #answer;
  #pause = EVERY;
  #timer;
  #line;
  #running = false;
  #again = false;
  #watcher;

  connectedCallback() {
    this.#root.adoptedStyleSheets = [look()];
    this.#furnish();
    this.#watcher = new IntersectionObserver((entries) => this.#look(entries), { threshold: 0.4 });
    for (const { article } of this.#shown.values()) this.#watcher.observe(article);
    document.addEventListener("visibilitychange", this.#wake);
    this.#restart();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#wake);
    clearTimeout(this.#timer);
    this.#watcher.disconnect();
    this.#line = undefined;
  }

  attributeChangedCallback() {
    if (!this.isConnected || this.#again) return;
    this.#again = true;
    queueMicrotask(() => {
      this.#again = false;
      this.#furnish();
      this.#restart();
    });
  }

  #furnish() {
    this.words = wordsFor(this.dataset.language || this.closest("[lang]")?.lang || navigator.language);
    if (this.dataset.reserve) this.style.setProperty("--envoi-reserve", this.dataset.reserve);
    if (this.#region) {
      this.#region.setAttribute("aria-label", this.words.notices);
      return;
    }
    this.#region = Object.assign(document.createElement("section"), { className: "region", tabIndex: -1 });
    this.#region.part = "region";
    this.#region.hidden = true;
    this.#region.setAttribute("aria-label", this.words.notices);
    this.#bar = this.#button("bar", () => this.#fold());
    this.#bar.setAttribute("aria-expanded", "true");
    this.#list = Object.assign(document.createElement("div"), { className: "list" });
    this.#list.part = "list";
    this.#list.setAttribute("aria-live", "polite");
    this.#list.setAttribute("aria-relevant", "additions");
    this.#more = this.#button("more", () => this.#all());
    this.#more.hidden = true;
    this.#status = Object.assign(document.createElement("p"), { className: "unseen" });
    this.#status.setAttribute("role", "status");
    this.#region.append(this.#bar, this.#list, this.#more);
    // Until the first answer the page's own words, if any stand between the tags, are seen. The status stands outside
    // the region, so that the last notice's end is told although the region is hidden then.
    this.#root.append(document.createElement("slot"), this.#region, this.#status);
    this.#list.addEventListener("click", (event) => this.#pressed(event));
    this.#list.addEventListener("auxclick", (event) => this.#pressed(event));
  }

  #region;
  #bar;
  #list;
  #more;
  #status;

  #button(part, act) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: part });
    button.part = part;
    button.addEventListener("click", act);
    return button;
  }

  #wake = () => document.visibilityState === "visible" && this.#ask();

  #restart() {
    const { key, customer, expires, signature } = this.dataset;
    clearTimeout(this.#timer);
    this.#answer = undefined;
    this.#pause = EVERY;
    this.#line = key && customer && new Line(base, { key, customer, expires, signature });
    if (this.#line) this.#ask();
    else this.#show([], 0);
  }

  async #ask() {
    if (this.#running || !this.#line) return;
    clearTimeout(this.#timer);
    this.#running = true;
    const line = this.#line;
    const told = [...this.#told];
    try {
      const answer = await line.ask();
      for (const id of told) this.#told.delete(id) && this.#gone.delete(id);
      if (line === this.#line && answer) this.#show((this.#answer = answer).notices, answer.more);
      this.#pause = EVERY;
      this.#tellSeen();
    } catch (error) {
      // The site's word does not hold (any more): asking again would not help, a fresh signature does.
      if (error instanceof Refused && line === this.#line) {
        this.#line = undefined;
        this.dispatchEvent(new CustomEvent("envoi-refused", { bubbles: true, composed: true }));
      }
      this.#pause = Math.min(this.#pause * 2, SLOWEST);
    }
    this.#running = false;
    if (this.#line && line !== this.#line) this.#ask();
    else if (this.#line && document.visibilityState === "visible") {
      this.#timer = setTimeout(() => this.#ask(), this.#pause * (0.9 + Math.random() * 0.2));
    }
  }

  // Only what changed is touched, so that focus and selection stay where they are.
  #show(notices, more) {
    const wanted = notices.filter(({ id }) => !this.#gone.has(id));
    const ids = new Set(wanted.map(({ id }) => id));
    const focused = this.#focused();
    for (const [id, { article }] of this.#shown) if (!ids.has(id)) this.#remove(id, article, focused);
    let before = null;
    for (const notice of wanted.toReversed?.() ?? [...wanted].reverse()) {
      const text = JSON.stringify(notice) + this.words.dismiss;
      let known = this.#shown.get(notice.id);
      if (known?.text !== text) {
        const article = draw(notice, this.words, Number(this.dataset.heading) || 2);
        const held = known && known.article === focused;
        known?.article.replaceWith(article);
        if (known) this.#watcher?.unobserve(known.article);
        if (held) article.focus();
        this.#shown.set(notice.id, (known = { article, text }));
        this.#watcher?.observe(article);
      }
      if (known.article.nextElementSibling !== before || !known.article.isConnected) this.#list.insertBefore(known.article, before);
      before = known.article;
    }
    this.#root.querySelector("slot")?.remove();
    this.#region.hidden = !wanted.length;
    this.#bar.textContent = this.words.count(wanted.length + more);
    this.#more.hidden = !more;
    this.#more.textContent = this.words.more(more);
  }

  #focused() {
    return this.#root.activeElement?.closest("article");
  }

  // Focus goes to the neighbour, never to the top of the page.
  #remove(id, article, focused) {
    const next = article.nextElementSibling || article.previousElementSibling;
    this.#watcher.unobserve(article);
    this.#shown.delete(id);
    if (article === focused && next) next.focus();
    article.remove();
    if (article === focused && !next) this.#afterLast();
  }

  #afterLast() {
    this.tabIndex = -1;
    this.focus();
    this.addEventListener("blur", () => this.removeAttribute("tabindex"), { once: true });
  }

  #fold() {
    const open = this.#bar.getAttribute("aria-expanded") !== "true";
    this.#bar.setAttribute("aria-expanded", String(open));
    this.#list.hidden = !open;
    this.#more.hidden = !open || !this.#answer?.more;
  }

  #all() {
    this.#line?.everything();
    this.#list.lastElementChild?.focus();
    this.#ask();
  }

  #pressed(event) {
    const article = event.target.closest("article");
    const id = article?.dataset.id;
    const act = event.target.closest("button")?.dataset.act;
    if (act) this.#finish(id, article, act);
    else if (event.target.closest("a[href]")) this.#line?.tell(`${id}/clicks`).catch(() => {});
  }

  async #finish(id, article, act) {
    this.#gone.add(id);
    this.#remove(id, article, this.#focused());
    if (!this.#shown.size) this.#region.hidden = !this.#answer?.more;
    try {
      await this.#line.tell(`${id}/${act}`);
      this.#told.add(id);
      this.#say(this.words[act]);
      this.#line.forget();
      this.#ask();
    } catch {
      this.#gone.delete(id);
      if (this.#answer) this.#show(this.#answer.notices, this.#answer.more);
      this.#say(this.words.failed);
    }
  }

  #say(text) {
    this.#status.textContent = text;
  }

  #look(entries) {
    for (const { isIntersecting, target } of entries) {
      const { id } = target.dataset;
      if (isIntersecting && document.visibilityState === "visible" && !this.#seen.has(id)) {
        this.#seen.add(id);
        this.#unsent.add(id);
      }
    }
    this.#tellSeen();
  }

  #tellSeen() {
    if (!this.#unsent.size || !this.#line) return;
    const ids = [...this.#unsent];
    this.#unsent.clear();
    this.#line.tell("seen", { ids }).catch(() => ids.forEach((id) => this.#unsent.add(id)));
  }
}

function place() {
  if (!script?.dataset.key) return;
  // A page may run the script again, with the same tag twice or at each of its own changes of view: it stays one element.
  const { key } = script.dataset;
  let element = [...document.querySelectorAll("envoi-notices")].find(({ dataset }) => !dataset.key || dataset.key === key);
  if (!element) {
    element = document.createElement("envoi-notices");
    if (script.isConnected && document.body.contains(script)) script.before(element);
    else document.body.prepend(element);
  }
  Object.assign(element.dataset, script.dataset);
}

if (!customElements.get("envoi-notices")) customElements.define("envoi-notices", EnvoiNotices);
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", place, { once: true });
else place();
