"""`--connect`: a console that follows another process, without MT5 and MongoDB of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rms_tui.cli.exits import USAGE, end, leave
from rms_tui.cli.keys import console_keys
from rms_tui.cli.log import begin_log
from rms_tui.cli.screen import need_screen, shown
from rms_tui.latest import Latest
from rms_tui.monitor import Monitor
from rms_tui.risk.profile import Plan
from rms_tui.serve.clock import Clock
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import loaded

if TYPE_CHECKING:
    from rms_tui.alerts import Alert
    from rms_tui.alerts.asked import Asked
    from rms_tui.serve.follower import Follower


def follow(shared: Given, address: str, authority: Path | None, *, mouse: bool) -> None:
    """Show what the process at that address sees, until the dealer quits.

    The token is RMS_WS_TOKEN. A lost connection is said, and made again.
    """
    from rms_tui.serve.followed_feed import FollowedFeed
    from rms_tui.serve.follower import Follower, Told
    from rms_tui.serve.link import LinkError, checked

    settings = loaded(shared).settings
    try:
        checked(address)
    except LinkError as error:
        end(f"--connect: {error.text}", USAGE)
    trusted = authority or settings.ws_ca
    if trusted is not None and not trusted.is_file():
        end(f"--ca {trusted}: no such file", USAGE)
    need_screen("a program follows by WebSocket")
    keymap = console_keys(settings)
    begin_log(settings, on_console=False)
    clock, status = Clock(), Latest[Any]()
    status.put(Told("unknown", "the process that polls has not said", 0))
    monitor = Monitor(FollowedFeed(address, clock.now()), Plan(profiles=()), clock=clock.now)
    token = settings.rms_ws_token
    follower = Follower(
        monitor,
        address,
        clock,
        operator=operator(),
        token=None if token is None else token.get_secret_value(),
        authority=trusted,
        store=status,
    )
    try:
        from rms_tui.tui.app import RmsApp
        from rms_tui.tui.holder import Holder

        app = RmsApp(
            monitor,
            operator=operator(),
            store=status,
            clock=monitor.now,
            history=lambda asked: _history(follower, asked),
            after_first_paint=follower.start,
            keymap=keymap,
            holder=Holder(follower.refusals, lambda: follower.reads_only),
        )
        code = shown(app, mouse=mouse)
    finally:
        follower.stop(0.5)
    leave(code)


def _history(follower: Follower, asked: Asked) -> Sequence[Alert]:
    from rms_tui.serve.link import LinkError
    from rms_tui.tui.view import HistoryError

    try:
        return follower.history(asked)
    except LinkError as error:
        raise HistoryError(error.text) from None
