"""The system's requests to end a screen: the terminal is left clean, and what was begun ends."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.app import App

from rms_tui import stopping


def exit_when_told(app: App[Any]) -> None:
    """Have SIGTERM and SIGHUP exit the app; one that came before its first picture does so then.

    For a running app, in its loop: one that exits while its widgets are still being made crashes.
    Windows, and threads other than the main one, keep the system's default.
    """
    early, painted = stopping.came(), False

    def told() -> None:
        nonlocal early
        early = True
        if painted:
            app.exit()

    def first_paint() -> None:
        nonlocal painted
        painted = True
        if early:
            app.exit()

    loop = asyncio.get_running_loop()
    for number in stopping.ENDING:
        try:
            loop.add_signal_handler(number, told)
        except (NotImplementedError, RuntimeError, ValueError):
            continue
    app.call_after_refresh(first_paint)
