"""When a console under test has nothing left to do.

Textual's pilot takes a process that uses no CPU for an idle one. On a busy machine that is also a
process whose turn has not come, and what is asserted then is the screen of before. Here the app is
asked instead: what waits in its queues, and what is still to be painted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from textual._context import active_app
from textual.app import App
from textual.message_pump import MessagePump

TURN_S = 0.005
LONGEST_S = 10.0
"""An app that never comes to rest is looked at as it is."""

WaitForIdle = Callable[..., Awaitable[None]]


def busy(app: App[object]) -> bool:
    """Whether a message waits, or something is still to be laid out or painted."""
    screen = app.screen
    pumps: list[MessagePump] = [app, *screen.walk_children(with_self=True)]
    return (
        any(pump.message_queue_size or pump._next_callbacks for pump in pumps)
        or screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or bool(screen._dirty_widgets or screen._callbacks)
    )


def at_rest(idle: WaitForIdle) -> WaitForIdle:
    """Textual's own wait for an idle process, then for the app itself."""

    async def wait(min_sleep: float = 0.02, max_sleep: float = 1) -> None:
        await idle(min_sleep, max_sleep)
        app = active_app.get(None)
        ends, quiet = time.monotonic() + LONGEST_S, 0
        while app is not None and app._running and quiet < 2 and time.monotonic() < ends:
            quiet = 0 if app._screen_stack and busy(app) else quiet + 1
            await asyncio.sleep(TURN_S)

    return wait
