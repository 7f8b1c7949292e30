// The nonce of this page's style sheet, for the editors that must add styles of their own under the strict policy.
export const nonce = () => document.querySelector("link[rel=stylesheet][nonce]")?.nonce ?? "";
