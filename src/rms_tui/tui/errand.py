"""Slow work for the console, off its loop: a daemon thread that quitting never waits for.

(Textual's thread workers use an executor, and leaving the program waits for that.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from textual.app import App

from rms_tui.feed import FeedError
from rms_tui.tui.messages import ErrandDone

T = TypeVar("T")


def run_errand(
    app: App[object],
    name: str,
    work: Callable[[], T],
    done: Callable[[T], None],
    failed: Callable[[FeedError], None],
) -> None:
    """Do `work` in a thread; then call `done` or `failed` on the UI's loop, if it still runs."""

    def run() -> None:
        try:
            outcome = work()
        except FeedError as error:
            refusal = error
            app.post_message(ErrandDone(lambda: failed(refusal)))
            return
        app.post_message(ErrandDone(lambda: done(outcome)))

    threading.Thread(target=run, name=f"rms-{name}", daemon=True).start()
