"""What one client says, and what it is told: each message is answered, one after the other.

A message that is no request gets an `error`; a request runs in a thread, and one that takes too
long gets an `error` too, so that the connection lives whatever the source does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import time
from typing import Any

import orjson

from rms_tui import snapshot
from rms_tui.serve import answers, wire
from rms_tui.serve.answers import Desk
from rms_tui.serve.columns import encoded
from rms_tui.serve.connection import Client
from rms_tui.serve.standing import view_of
from rms_tui.serve.stream import Stream
from rms_tui.serve.wire import Refused

_log = logging.getLogger("rms_tui.serve")

InThread = Callable[[Callable[[], bytes]], "asyncio.Future[bytes]"]


class Conversation:
    """The requests of one client. `in_thread` runs what may take long."""

    def __init__(
        self, client: Client, desk: Desk, stream: Stream, in_thread: InThread, patience: float
    ) -> None:
        self._client = client
        self._desk = desk
        self._stream = stream
        self._in_thread = in_thread
        self._patience = patience

    async def hear(self, message: str | bytes) -> None:
        """Answer one message. Raises TooSlow and ConnectionClosed."""
        try:
            request = wire.request(message)
        except Refused as refused:
            await self._client.send(error(refused))
            return
        if isinstance(request, wire.Subscribe):
            await self._subscribe(request)
        elif isinstance(request, wire.Unsubscribe):
            self.leave()
            self._client.updates = True
            words = {"action": request.type, "message": "updates again", "data": {}}
            await self._client.send(reply(request, {"type": "success", **words}))
        else:
            await self._client.send(await self._answered(request))

    def leave(self) -> None:
        """End the subscription, if there is one."""
        client = self._client
        if client.view is not None:
            self._stream.unwatch(client.view)
        client.view, client.place, client.told = None, None, None
        client.subscribed = False

    async def _subscribe(self, asked: wire.Subscribe) -> None:
        client, stream, view = self._client, self._stream, view_of(asked)
        self.leave()
        stream.watch(view)
        client.view, client.updates = view, False
        mine = asked.stream is None or asked.stream == stream.id
        place = None if asked.from_seq is None or not mine else stream.place_of(asked.from_seq)
        resumed = place is not None and stream.since(place.seq, view) is not None
        if asked.from_seq is not None:
            client.told = -1 if place is None else place.edges
        standing = stream.standing
        shape = {
            "type": "subscribed",
            "stream": stream.id,
            "seq": 0 if standing is None else standing.seq,
            "resumed": resumed,
            "role": client.role,
            "detail": view.detail,
            "sections": view.sections,
        }
        await client.send(reply(asked, shape))
        client.place, client.subscribed = place if resumed else None, True
        client.wake.set()

    async def _answered(self, request: wire.Request) -> bytes:
        if self._client.role != "operator" and isinstance(request, wire.COMMANDS):
            words = "this connection may only read: a command needs the operator's token"
            return error(Refused("read_only", words, id=request.id))
        operator = _operator(self._client, request)
        working = self._in_thread(lambda: self._work(request, operator))
        try:
            return await asyncio.wait_for(working, self._patience)
        except TimeoutError:
            return error(Refused("timeout", "there was no answer in time", id=request.id))

    def _work(self, request: wire.Request, operator: str) -> bytes:
        peer = self._client.peer
        try:
            shape = answers.answer(self._desk, request, operator)
        except Refused as refused:
            return error(Refused(refused.code, refused.text, field=refused.field, id=request.id))
        except Exception:  # noqa: BLE001  (what breaks here is one request's trouble: it is logged)
            _log.exception("%s of %s was not answered", request.type, peer)
            words = "this could not be answered: the server's log says why"
            return error(Refused("failed", words, id=request.id))
        if isinstance(request, wire.COMMANDS):
            _log.info("%s by %r from %s: %s", request.type, operator, peer, shape["message"])
        return reply(request, shape)


def reply(request: wire.Request, shape: dict[str, Any]) -> bytes:
    """A reply with the request's id and the time."""
    head = {} if request.id is None else {"id": request.id}
    return encoded({**shape, **head, "timestamp": snapshot.utc(time())})


def error(refused: Refused) -> bytes:
    """An `error` that says what was wrong, and where."""
    head = {} if refused.id is None else {"id": refused.id}
    field = {} if refused.field is None else {"field": refused.field}
    return orjson.dumps(
        {
            "type": "error",
            "code": refused.code,
            "message": refused.text.encode("utf-8", "replace").decode("utf-8"),
            **field,
            **head,
            "timestamp": snapshot.utc(time()),
        }
    )


def _operator(client: Client, request: wire.Request) -> str:
    """Who the audit names: what the client says, and where from if that is another machine.

    A client that says nobody is named by its program and address.
    """
    named = getattr(request, "operator", None)
    if named and client.peer in ("127.0.0.1", "::1"):
        return str(named)
    return f"{named or client.program} ({client.peer})"
