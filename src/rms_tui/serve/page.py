"""What a browser gets over plain HTTP on the same port: the page, and how the feed is.

The page is one file beside this module. It may run only the script and style that stand in it,
by their hash, talk to nobody but this server, and stand in no other page's frame.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import orjson
from websockets.datastructures import Headers
from websockets.http11 import Response

PAGE = "dashboard.html"
_HOST = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,255}")

PLAIN = "text/plain; charset=utf-8"
HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Page:
    """The page's bytes, its tag, and the hashes of its scripts and styles."""

    body: bytes
    tag: str
    scripts: tuple[str, ...]
    styles: tuple[str, ...]

    def policy(self, host: str | None) -> str:
        """The Content-Security-Policy for a page asked for by this Host header."""
        own = "'self'"
        if host is not None and _HOST.fullmatch(host):
            own += f" ws://{host} wss://{host}"  # not every browser takes 'self' for ws
        return "; ".join(
            (
                "default-src 'none'",
                f"script-src {' '.join(self.scripts) or _NONE}",
                f"style-src {' '.join(self.styles) or _NONE}",
                f"connect-src {own}",
                "img-src data:",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
            )
        )


_NONE = "'none'"


def read_page() -> Page | None:
    """The page of this installation, None where it was left out."""
    found = files("rms_tui.serve").joinpath(PAGE)
    if not found.is_file():
        return None
    body = found.read_bytes()
    return Page(
        body,
        '"' + hashlib.sha256(body).hexdigest()[:32] + '"',
        _hashes(body, "script"),
        _hashes(body, "style"),
    )


def page_response(page: Page, host: str | None, seen: str | None) -> Response:
    """The page, or 304 to a browser that has seen this one."""
    headers = {
        **HARMLESS,
        "Content-Security-Policy": page.policy(host),
        "Cache-Control": "no-cache",
        "ETag": page.tag,
    }
    if seen == page.tag:
        return response(HTTPStatus.NOT_MODIFIED, b"", None, headers)
    return response(HTTPStatus.OK, page.body, "text/html; charset=utf-8", headers)


def json_response(shape: Any) -> Response:
    """JSON that nobody keeps."""
    headers = {**HARMLESS, "Cache-Control": "no-store"}
    return response(HTTPStatus.OK, orjson.dumps(shape), "application/json", headers)


def refusal(status: HTTPStatus, text: str) -> Response:
    """Why not, in one line."""
    headers = {**HARMLESS, "Cache-Control": "no-store"}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="rms-tui"'
    return response(status, f"{text}\n".encode(), PLAIN, headers)


def response(
    status: HTTPStatus, body: bytes, kind: str | None, headers: dict[str, str]
) -> Response:
    """An HTTP response after which the connection is closed."""
    found = Headers(Date=formatdate(usegmt=True), Connection="close")
    found["Content-Length"] = str(len(body))
    if kind is not None:
        found["Content-Type"] = kind
    for name, value in headers.items():
        found[name] = value
    return Response(status.value, status.phrase, found, body)


def _hashes(body: bytes, element: str) -> tuple[str, ...]:
    pattern = rf"<{element}\b[^>]*>(.*?)</{element}>".encode()
    inner = re.findall(pattern, body, re.DOTALL | re.IGNORECASE)
    return tuple(
        f"'sha256-{b64encode(hashlib.sha256(one).digest()).decode('ascii')}'" for one in inner
    )
