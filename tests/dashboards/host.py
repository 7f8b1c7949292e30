"""Somebody else's web application: one page with a strict content security policy, on another origin than Envoi."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Page

POLICY = (
    "default-src 'none'; script-src {envoi}; connect-src {envoi}; style-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>The shop</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/shop.css"></head>
<body>
<main><h1>Your orders</h1><p id="first">There are <a href="/orders">two orders</a> on their way.</p>{here}</main>
<script src="{envoi}/n/v1/notices.js" defer{attributes}></script>
</body></html>"""
# Hostile to whatever is not isolated.
CSS = (
    "body{font:16px sans-serif;margin:24px} * {text-transform:uppercase} button,section,article{display:none!important}"
)


class Host:
    """Serves its page from a thread; what it says is set by `show`."""

    def __init__(self) -> None:
        self._page = self._policy = ""
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                style = self.path == "/shop.css"
                body = (CSS if style else host._page).encode()
                self.send_response(200)
                self.send_header("Content-Type", f"text/{'css' if style else 'html'}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", host._policy)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Host:
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def show(self, envoi: str, attributes: dict[str, str], *, language: str = "en", here: str = "") -> str:
        """Put the script tag on the page; gives the page's address."""
        written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
        self._policy = POLICY.format(envoi=envoi)
        self._page = PAGE.format(envoi=envoi, attributes=written, language=language, here=here)
        return f"{self.url}/"


@contextmanager
def written_down(page: Page, deed: str) -> Iterator[None]:
    """What is pressed here is with Envoi afterwards: the page shows it before that, and does not wait itself."""
    with page.expect_response(
        lambda answer: answer.url.rstrip("/").endswith(f"/{deed}") and answer.request.method == "POST"
    ) as told:
        yield
    assert told.value.ok


@contextmanager
def asked(page: Page) -> Iterator[None]:
    """The page has been told what it is to show."""
    with page.expect_response(lambda answer: answer.url.endswith("/n/v1/notices")):
        yield
