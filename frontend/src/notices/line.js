// The line to Envoi: asks and tells in the name of one customer, with the site's signature.
export class Refused extends Error {}

export class Line {
  #base;
  #headers;
  #all = false;
  #tag;

  constructor(base, { key, customer, expires = "", signature = "" }) {
    this.#base = `${base}notices`;
    this.#headers = {
      "X-Envoi-Key": key,
      "X-Envoi-Customer": encodeURIComponent(customer),
      "X-Envoi-Expires": expires,
      "X-Envoi-Signature": signature,
    };
  }

  // What the customer sees, or nothing when that has not changed.
  async ask() {
    const headers = { ...this.#headers };
    if (this.#tag) headers["If-None-Match"] = this.#tag;
    const answer = await this.#send(this.#base + (this.#all ? "?all=1" : ""), { headers, cache: "no-store" });
    if (answer.status === 304) return undefined;
    const content = await answer.json();
    this.#tag = answer.headers.get("ETag");
    return content;
  }

  async tell(path, body = {}) {
    const headers = { ...this.#headers, "Content-Type": "application/json" };
    await this.#send(`${this.#base}/${path}`, { method: "POST", headers, body: JSON.stringify(body), keepalive: true });
  }

  everything() {
    this.#all = true;
    this.#tag = undefined;
  }

  forget() {
    this.#tag = undefined;
  }

  async #send(url, options) {
    const signal = AbortSignal.timeout(15_000);
    const answer = await fetch(url, { credentials: "omit", mode: "cors", referrerPolicy: "no-referrer", signal, ...options });
    if (answer.status === 403) throw new Refused();
    if (!answer.ok && answer.status !== 304) throw new Error(String(answer.status));
    return answer;
  }
}
