"""One connection to another process's stream: opened, kept, asked; the only client code here.

Blocking, for a thread of its own. The token stands in a header and nowhere else.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from websockets.exceptions import InvalidStatus, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect

Shape = dict[str, Any]

LARGEST = 1_000_000_000
"""Bytes of a message: the whole of a large book is one."""

OPEN_S, PING_S = 5.0, 10.0

_REFUSED = {
    401: "wants another token (RMS_WS_TOKEN)",
    403: "does not let this origin in",
    404: "is not an rms-tui",
    503: "has no room for another client",
}


class LinkError(Exception):
    """No connection, or no more; the text says why. `final`: trying again cannot help."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.final = final


class Link:
    """An open connection. `ask` and `send` may be used from any thread, `receive` from one."""

    def __init__(self, address: str, token: str | None, authority: Path | None = None) -> None:
        """`authority`: certificates to trust beside the system's. Raises LinkError."""
        self._answers: dict[str, Callable[[Shape], None]] = {}
        self._asked = 0
        self._lock = threading.Lock()
        self._place = urlsplit(checked(address)).netloc
        self._open = ExitStack()
        self._connection = _opened(self._open, address, token, authority)

    def send(self, message: Shape) -> None:
        """Raises LinkError."""
        try:
            self._connection.send(orjson.dumps(message).decode())
        except (WebSocketException, OSError) as error:
            raise self._broken(error) from None

    def receive(self, timeout: float) -> Shape | None:
        """The next message that is no answer; None when none came in time. Raises LinkError."""
        try:
            text = self._connection.recv(timeout)
            message: Shape = orjson.loads(text)
        except TimeoutError:
            return None
        except (WebSocketException, OSError, orjson.JSONDecodeError) as error:
            raise self._broken(error) from None
        with self._lock:
            answered = self._answers.pop(str(message.get("id")), None)
        if answered is None:
            return message
        answered(message)
        return {}

    def ask(self, request: Shape, timeout: float) -> Shape:
        """The answer to a request, while another thread receives. Raises LinkError."""
        came, box = threading.Event(), []

        def answered(message: Shape) -> None:
            box.append(message)
            came.set()

        with self._lock:
            self._asked += 1
            key = f"ask-{self._asked}"
            self._answers[key] = answered
        self.send({**request, "id": key})
        if not came.wait(timeout):
            with self._lock:
                self._answers.pop(key, None)
            raise LinkError(f"no answer in {timeout:g} s")
        answer: Shape = box[0]
        if not answer:
            raise LinkError("the connection was lost")
        return answer

    def _broken(self, error: Exception) -> LinkError:
        return LinkError(f"lost the connection to {self._place}: {_words(error)}")

    def close(self) -> None:
        """End it; whoever waits for an answer hears that there will be none."""
        with self._lock:
            waiting, self._answers = list(self._answers.values()), {}
        for answered in waiting:
            answered({})
        self._open.close()


def checked(address: str) -> str:
    """The same, if it is one to connect to. Raises LinkError, which never repeats it."""
    try:
        place = urlsplit(address)
        port = place.port
    except ValueError:
        raise LinkError(_EXPECTED, final=True) from None
    if place.scheme not in ("ws", "wss") or not place.hostname or port == 0:
        raise LinkError(_EXPECTED, final=True)
    if place.username or place.query or place.fragment or place.path not in ("", "/", "/stream"):
        raise LinkError(f"{_EXPECTED}; a token goes into RMS_WS_TOKEN", final=True)
    return address


_EXPECTED = "expected ws://HOST:PORT or wss://HOST:PORT"


def _opened(
    opened: ExitStack, address: str, token: str | None, authority: Path | None
) -> ClientConnection:
    place = urlsplit(checked(address))
    trusted = None
    if place.scheme == "wss":
        try:
            trusted = ssl.create_default_context(cafile=None if authority is None else authority)
        except (OSError, ssl.SSLError) as error:
            raise LinkError(f"{authority}: no certificates: {error}", final=True) from None
    try:
        waiting = connect(
            f"{place.scheme}://{place.netloc}/stream",
            additional_headers={"Authorization": f"Bearer {token}"} if token else None,
            ssl=trusted,
            open_timeout=OPEN_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            close_timeout=0.2,
            max_size=LARGEST,
            compression=None,
            proxy=None,
        )
        return opened.enter_context(waiting)
    except InvalidStatus as error:
        code = error.response.status_code
        text = _REFUSED.get(code, f"answered {code}")
        raise LinkError(f"{place.netloc} {text}", final=code in (401, 403, 404)) from None
    except InvalidURI:
        raise LinkError(_EXPECTED, final=True) from None
    except ssl.SSLCertVerificationError as error:
        text = f"{place.netloc}: its certificate is not trusted: {error.verify_message}"
        raise LinkError(text) from None
    except (WebSocketException, OSError, ValueError) as error:
        raise LinkError(f"{place.netloc} cannot be reached: {_words(error)}") from None


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
