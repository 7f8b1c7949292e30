// One notice as elements. Content comes harmless from the server and is taken apart here a second time, without the
// page's HTML parser: what is not on the list becomes nothing, so that a strict page (Trusted Types) has no objection.
const TAGS = new Set(
  "a b blockquote br code del div em h2 h3 h4 hr i li ol p pre s span strong sub sup u ul".split(" "),
);
const ALONE = new Set(["br", "hr"]);
const SAFE = /^(https?:|mailto:|tel:)/i;
const PIECES = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+="[^"]*")*)\s*\/?>|[^<]+|</gi;
const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: "\u00a0", "#39": "'" };

function plain(text) {
  return text.replace(/&(amp|lt|gt|quot|nbsp|#39);/g, (_all, name) => NAMED[name]);
}

export function build(html, into) {
  const open = [into];
  for (const [piece, closing, name, attributes] of html.matchAll(PIECES)) {
    const tag = name?.toLowerCase();
    const top = open.at(-1);
    if (!tag) top.append(plain(piece));
    else if (!TAGS.has(tag)) continue;
    else if (closing) {
      const at = open.findLastIndex?.((one) => one.localName === tag) ?? open.length - 1;
      if (at > 0) open.length = at;
    } else {
      const element = document.createElement(tag);
      if (tag === "a") link(element, /\shref="([^"]*)"/i.exec(attributes)?.[1]);
      if (tag === "ol") element.start = Number(/\sstart="(\d+)"/i.exec(attributes)?.[1] ?? 1);
      top.append(element);
      if (!ALONE.has(tag)) open.push(element);
    }
  }
  return into;
}

function link(element, address = "") {
  const url = plain(address);
  if (!SAFE.test(url)) return element;
  element.href = url;
  element.rel = "noopener noreferrer";
  return element;
}

function make(tag, part, ...content) {
  const element = document.createElement(tag);
  element.className = element.part = part;
  element.append(...content);
  return element;
}

function button(part, act, label, name) {
  const element = make("button", part, label);
  element.type = "button";
  element.dataset.act = act;
  if (name) element.setAttribute("aria-label", name);
  return element;
}

export function draw(notice, words, level) {
  const article = make("article", "notice");
  article.part.add(notice.level);
  article.dataset.id = notice.id;
  article.dataset.level = notice.level;
  article.tabIndex = -1;
  const heading = make(`h${level}`, "subject", make("span", "level", `${words.levels[notice.level] ?? ""}: `), notice.subject);
  heading.id = `n-${notice.id}`;
  heading.dir = "auto";
  article.setAttribute("aria-labelledby", heading.id);
  const body = build(notice.body, make("div", "body"));
  body.dir = "auto";
  article.append(make("span", "mark"), heading, body);
  const foot = make("div", "foot");
  if (notice.link) foot.append(link(make("a", "button", notice.link.label), notice.link.url));
  if (notice.must_acknowledge) foot.append(button("acknowledge", "acknowledgement", words.acknowledge));
  if (foot.childElementCount) article.append(foot);
  if (notice.dismissible) {
    article.append(button("dismiss", "dismissal", "×", `${words.dismiss}: ${notice.subject}`));
  }
  return article;
}
