"""`websocket`: the server of `start` and of the console, and the schema of what it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rms_tui.cli.exits import FAILED, USAGE, end
from rms_tui.wiring.serving import Served

if TYPE_CHECKING:
    from rms_tui.serve.websocket import Server

__all__ = ["Served", "begin", "print_schema"]


def begin(server: Server) -> None:
    """Listen; a port that is taken ends the program with one clear line."""
    from rms_tui.serve.websocket import Unserved

    try:
        server.start()
    except Unserved as error:
        end(str(error), USAGE if error.as_asked else FAILED)


def print_schema() -> None:
    """Print the JSON Schema of every message."""
    from rms_tui.cli.oneshot import print_json
    from rms_tui.serve.wire import schema

    print_json(schema())
