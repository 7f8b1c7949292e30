"""The relaxed canonical form of headers and bodies (RFC 6376 §3.4.2, §3.4.4).

Pure, and quick where a message is as most are: searching for what is to change costs a tenth of rewriting it, so
nothing is rewritten before something was found.
"""

from __future__ import annotations

_TAB_IS_BLANK = bytes.maketrans(b"\t", b" ")
# Long runs first: an indented line of HTML is done in four passes, whatever its depth.
_RUNS = (b" " * 16, b" " * 8, b" " * 4, b"  ")
_BLANK_LINES = b"\r\n\r\n"


def body(data: bytes) -> bytes:
    """The relaxed form of a body with CRLF line ends; an empty body stays empty."""
    if b"\t" in data:
        data = data.translate(_TAB_IS_BLANK)
    data = _single(data)
    if b" \r\n" in data:
        data = data.replace(b" \r\n", b"\r\n")
    if data.endswith(b" "):
        data = data[:-1]
    if data.endswith(_BLANK_LINES):
        data = data[: _end_of_text(data)]
    elif data and not data.endswith(b"\r\n"):
        data += b"\r\n"
    return b"" if data == b"\r\n" else data


def headers(head: bytes) -> list[tuple[bytes, bytes]]:
    """The fields of a header in their order: (name in lower case, whole field in relaxed form without CRLF).

    Args:
        head: the header without the blank line that ends it; a last CRLF may be missing.
    """
    if b"\t" in head:
        head = head.translate(_TAB_IS_BLANK)
    if b"\r\n " in head:
        head = head.replace(b"\r\n ", b" ")
    fields = []
    for line in _single(head).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            name = name.rstrip(b" ").lower()
            fields.append((name, name + b":" + value.strip(b" ")))
    return fields


def _single(data: bytes) -> bytes:
    """Each run of blanks as one."""
    if b"  " in data:
        for run in _RUNS:
            data = data.replace(run, b" ")
        while b"  " in data:
            data = data.replace(b"  ", b" ")
    return data


def _end_of_text(data: bytes) -> int:
    """Where the last line that is not empty ends, CRLF included; a lone CR or LF makes a line not empty."""
    end = len(data)
    while data.endswith(_BLANK_LINES, 0, end):
        end -= 2
    return end
