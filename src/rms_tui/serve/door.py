"""The door of the server: plain HTTP is answered, who may not connect is refused, others come in.

Says why in one line, to the client and in the log, and never repeats a token or a URL.
"""

from __future__ import annotations

import errno
import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from rms_tui.serve.access import SUBPROTOCOL, Access, Role, origin_allowed, role
from rms_tui.serve.page import Page, json_response, page_response, refusal

_log = logging.getLogger("rms_tui.serve")

QUIET = "/stream"
PATHS = ("/", QUIET)

NAMELESS = "websocket"
"""What a client is called that does not say what it is."""

LONGEST_PROGRAM = 40


class Unserved(Exception):
    """The server cannot listen as it should; the text says why in one line.

    `as_asked` is True where no machine could: the options or settings are wrong.
    """

    def __init__(self, text: str, *, as_asked: bool = False) -> None:
        super().__init__(text)
        self.as_asked = as_asked


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may cost. Bytes, requests a second, clients, seconds."""

    message: int = 65_536
    rate: float = 50.0
    burst: float = 100.0
    clients: int = 200
    slow: float = 20.0
    ping: float = 20.0
    patience: float = 15.0


class Door:
    """Decides about every request. `health` says how the feed is, `inside` how many came in."""

    def __init__(
        self,
        access: Access,
        limits: Limits,
        page: Page | None,
        health: Callable[[], dict[str, Any]],
        inside: Callable[[], int],
    ) -> None:
        self._access = access
        self._limits = limits
        self._page = page
        self._health = health
        self._inside = inside
        self._roles: WeakKeyDictionary[ServerConnection, Role] = WeakKeyDictionary()

    def role_of(self, connection: ServerConnection) -> Role:
        """As what a connection came in."""
        return self._roles.get(connection, "reader")

    def process(self, connection: ServerConnection, request: Request) -> Response | None:
        """The answer to a request; None lets a WebSocket in."""
        path = path_of(request)
        if "websocket" not in (_one(request, "Upgrade") or "").lower():
            return self._plain(request, path)
        if path not in PATHS:
            return refusal(HTTPStatus.NOT_FOUND, f"no such path: connect to {' or '.join(PATHS)}")
        refused = self._refused(connection, request)
        if refused is not None:
            _log.warning("refused a connection from %s: %s", peer(connection), refused[1])
            return refusal(*refused)
        return None

    def _refused(
        self, connection: ServerConnection, request: Request
    ) -> tuple[HTTPStatus, str] | None:
        if not self._may(request):
            return HTTPStatus.FORBIDDEN, "this origin is not allowed here: see --origin"
        found = role(self._access, _one(request, "Authorization"), _offered(request))
        if found is None:
            return HTTPStatus.UNAUTHORIZED, "wrong or missing token"
        if self._inside() >= self._limits.clients:
            return HTTPStatus.SERVICE_UNAVAILABLE, f"{self._limits.clients} clients already"
        self._roles[connection] = found
        return None

    def _plain(self, request: Request, path: str) -> Response:
        if path == "/" and self._page is not None:
            seen = _one(request, "If-None-Match")
            return page_response(self._page, _one(request, "Host"), seen)
        if path != "/health":
            return refusal(HTTPStatus.NOT_FOUND, "not found")
        if not self._may(request):
            return refusal(HTTPStatus.FORBIDDEN, "this origin is not allowed here")
        found = role(self._access, _one(request, "Authorization"), ())
        if found is None:
            return refusal(HTTPStatus.UNAUTHORIZED, "wrong or missing token")
        return json_response({**self._health(), "role": found})

    def _may(self, request: Request) -> bool:
        return origin_allowed(self._access, _one(request, "Origin"), _one(request, "Host"))


def path_of(request: Request | None) -> str:
    """The path asked for, without a query."""
    return "" if request is None else request.path.partition("?")[0]


def peer(connection: ServerConnection) -> str:
    """The address a connection comes from."""
    address = connection.remote_address
    return str(address[0]) if address else "unknown"


def program(request: Request | None) -> str:
    """What a client calls itself: `page` of a browser, else its User-Agent, in printable ASCII."""
    if request is None:
        return NAMELESS
    if request.headers.get_all("Origin"):
        return "page"
    told = (_one(request, "User-Agent") or "")[:LONGEST_PROGRAM]
    return "".join(sign for sign in told if " " <= sign <= "~").strip() or NAMELESS


def subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Ours, if it was offered; never the one that hides a token."""
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


def tls(access: Access) -> ssl.SSLContext | None:
    """The certificate to serve with, None without. Raises Unserved."""
    if access.certificate is None or access.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    files = f"--cert {access.certificate} --key {access.key}"

    def no_passphrase() -> str:  # it would be asked for on the terminal, under the console
        raise Unserved(
            f"{files}: the key is encrypted: expected one without a passphrase, which only the "
            "user who runs this may read",
            as_asked=True,
        )

    try:
        context.load_cert_chain(access.certificate, access.key, no_passphrase)
    except ssl.SSLError as error:
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        why = "the key is another certificate's" if mismatch else str(error)
        raise Unserved(f"{files}: not a certificate with its key: {why}", as_asked=True) from None
    except OSError as error:
        raise Unserved(f"{files}: cannot be read: {error.strerror}", as_asked=True) from None
    return context


def unserved(access: Access, error: OSError) -> Unserved:
    """Why it cannot listen, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return Unserved(
            f"port {access.port} on {access.host} is taken: another rms-tui? "
            "Choose another with --port or WS_PORT"
        )
    why = error.strerror or error
    return Unserved(f"cannot listen on {access.host}:{access.port}: {why}")


def _one(request: Request, name: str) -> str | None:
    """A header's value; one that came several times is none that anybody can mean."""
    values = request.headers.get_all(name)
    return None if not values else values[0] if len(values) == 1 else ",".join(values)


def _offered(request: Request) -> list[str]:
    return [
        name.strip()
        for value in request.headers.get_all("Sec-WebSocket-Protocol")
        for name in value.split(",")
    ]
