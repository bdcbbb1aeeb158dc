"""The child's side of `process`: one gateway, a heartbeat, and questions answered in order.

Three threads, because a vendor call blocks the one it runs in: the main thread alone talks to the
gateway, one thread says every second that this process is alive (a vendor that holds the GIL
silences it, which is the point), one takes questions and ends the process when the parent is gone.
This module never knows a rule and never writes to the terminal.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import sys
import threading
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import IO

from pydantic import SecretStr

from rms_tui.feed import FeedError, Phase
from rms_tui.gateways import Gateway, NotNow, SimulatorSpec
from rms_tui.gateways.pipe import (
    Answer,
    Ask,
    Beat,
    Hello,
    Refusal,
    Select,
    Stop,
    changes,
    receive,
    send,
)
from rms_tui.gateways.watched import EVERY_GROUP, View

_PR_SET_PDEATHSIG = 1


def main(parent: int) -> None:
    """Run the gateway the parent describes on stdin until the parent is gone or says stop."""
    outward = _private_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(parent)
    inward = sys.stdin.buffer
    hello = receive(inward)
    assert isinstance(hello, Hello)
    voice = _Voice(outward, hello.heartbeat)
    inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(inward, inbox), name="questions", daemon=True).start()
    threading.Thread(target=voice.beat, name="heartbeat", daemon=True).start()
    _serve(hello, voice, inbox)
    os._exit(0)  # vendor threads must not keep a finished process alive


def _private_stdout() -> IO[bytes]:
    """The pipe to the parent under a number of its own; what vendors print goes nowhere."""
    pipe = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.set_inheritable(0, False)
    return open(pipe, "wb", buffering=0)  # noqa: PTH123  # a file descriptor


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process with its parent, which works even while the GIL is held."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


class _Voice:
    """Everything said to the parent, one message at a time."""

    def __init__(self, stream: IO[bytes], every: float) -> None:
        self._stream = stream
        self._one_at_a_time = threading.Lock()
        self._every = every
        self._now = Beat("starting", "starting")
        self._ended = threading.Event()

    def say(self, message: object) -> None:
        """Send one message; a parent that is gone ends this process."""
        try:
            with self._one_at_a_time:
                send(self._stream, message)
        except OSError:
            os._exit(1)

    def tell(self, phase: Phase, doing: str) -> None:
        """Say at once what is done now, and repeat it with every heartbeat."""
        self._now = Beat(phase, doing)
        self.say(self._now)

    def beat(self) -> None:
        while not self._ended.wait(self._every):
            self.say(self._now)


def _listen(stream: IO[bytes], inbox: queue.SimpleQueue[object]) -> None:
    try:
        while True:
            inbox.put(receive(stream))
    except (EOFError, OSError):
        os._exit(1)


def _serve(hello: Hello, voice: _Voice, inbox: queue.SimpleQueue[object]) -> None:
    """Open the gateway and answer until told to stop; every failure becomes one Refusal."""
    gateway: Gateway | None = None
    doing = "starting"
    try:
        gateway = hello.opener(hello.spec)
        doing = "connecting"
        voice.tell("connecting", doing)
        gateway.open(lambda words: voice.tell("connecting", words))
        doing = "reading"
        voice.tell("live", "reading")
        masks = hello.spec.groups if isinstance(hello.spec, SimulatorSpec) else EVERY_GROUP
        _answer(View(gateway, hello.selection, masks), voice, inbox)
    except Exception as error:  # noqa: BLE001  # the boundary: whatever a vendor raises is told
        voice.say(Refusal(None, _in_words(error, doing, hello.spec)))
    finally:
        if gateway is not None:
            gateway.close()


def _answer(view: View, voice: _Voice, inbox: queue.SimpleQueue[object]) -> None:
    while True:
        match inbox.get():
            case Stop():
                return
            case Select(chosen):
                view.selection = chosen
            case Ask(number, "read"):
                try:
                    before, book = view.advance()
                    voice.say(Answer(number, changes(book, before)))
                except NotNow as error:
                    voice.say(Refusal(number, error))
            case Ask(number, "known", asked):
                try:
                    voice.say(Answer(number, view.known(asked or ())))
                except NotNow as error:
                    voice.say(Refusal(number, error))
            case Ask(number, "history", asked):
                try:
                    deals = view.history(None if isinstance(asked, str) else asked)
                    voice.say(Answer(number, deals))
                except FeedError as error:
                    voice.say(Refusal(number, error))


def _in_words(error: Exception, doing: str, spec: object) -> FeedError:
    """The failure for a dealer, with every secret of the spec blotted out."""
    if isinstance(error, FeedError):
        return FeedError(error.cause, _without_secrets(error.text, spec), final=error.final)
    if isinstance(error, ImportError):
        text = f"{error.name or 'a package'} cannot be imported here: {error}"
        return FeedError("missing-package", _without_secrets(text, spec), final=True)
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    where = f"{PurePath(step.tb_frame.f_code.co_filename).name}:{step.tb_lineno}" if step else "?"
    text = f"{type(error).__name__} while {doing}: {error} ({where})"
    return FeedError("crashed", _without_secrets(text, spec))


def _without_secrets(text: str, spec: object) -> str:
    if is_dataclass(spec):
        for field in fields(spec):
            value = getattr(spec, field.name)
            if isinstance(value, SecretStr) and value.get_secret_value():
                text = text.replace(value.get_secret_value(), "***")
    return text
