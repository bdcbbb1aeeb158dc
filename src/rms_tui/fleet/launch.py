"""A worker as its supervisor sees it: a child process, a pipe for orders, an exit status.

Nothing secret is in its arguments or its environment: what it must know of our settings travels as
the first line of the pipe. The pipe is also how it learns, at once, that its supervisor is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, Protocol, TypeAlias, cast

from rms_tui.fleet.orders import LOOK, STOP
from rms_tui.store.claims import Claim
from rms_tui.store.named import id_text


class Child(Protocol):
    """One running worker."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        ...

    def order(self, word: str) -> None:
        """Say `stop` or `look`; one that is gone hears nothing."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


Launch: TypeAlias = Callable[[Claim], Child]
"""Starts a worker for a claim. Raises OSError."""

__all__ = ["LOOK", "STOP", "Child", "Launch", "WorkerProcess", "arguments", "launcher"]


def arguments(held: Claim) -> list[str]:
    """The verb and options of a worker for this claim."""
    return [
        "worker",
        "--element-id", id_text(held.element),
        "--pathway", held.path,
        "--instance", id_text(held.instance),
        "--term", str(held.term),
    ]  # fmt: skip


def launcher(
    options: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    secret: frozenset[str] = frozenset(),
) -> Launch:
    """Starts `rms-tui worker` of this installation.

    `options` are given to each, `settings` (variables with their values) go through the pipe, and
    variables named in `secret` are left out of its environment.
    """
    first = json.dumps(dict(settings or {}))

    def launch(held: Claim) -> Child:
        command = [sys.executable, "-P", "-m", "rms_tui", *arguments(held), "--host", held.host]
        environment = {k: v for k, v in os.environ.items() if k.upper() not in secret}
        return WorkerProcess([*command, *options], environment, first)

    return launch


class WorkerProcess:
    """A worker process of its own session, so that Ctrl-C reaches it through us only."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], first: str) -> None:
        """Raises OSError."""
        flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        flags |= getattr(subprocess, "CREATE_NO_WINDOW", 0)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            creationflags=flags,
        )
        self.order(first)

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.poll()

    def order(self, word: str) -> None:
        """Write a line; one that is gone hears nothing."""
        pipe = cast("IO[str]", self._process.stdin)
        with contextlib.suppress(OSError, ValueError):
            pipe.write(f"{word}\n")
            pipe.flush()

    def kill(self) -> None:
        """End it at once, and take its exit status."""
        self._process.kill()
        self._process.wait(5.0)
