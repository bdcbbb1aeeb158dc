"""Slow work for the console, off its loop: a daemon thread that quitting never waits for.

(Textual's thread workers use an executor, and leaving the program waits for that.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from textual.message_pump import MessagePump

from rms_tui.feed import FeedError
from rms_tui.tui.messages import ErrandDone
from rms_tui.tui.view import HistoryError

T = TypeVar("T")


def run_errand(
    app: MessagePump,
    name: str,
    steps: Callable[[], Iterable[T]],
    came: Callable[[T], None],
    failed: Callable[[FeedError | HistoryError], None],
) -> None:
    """Work through `steps` in a thread; call `came` for each outcome on the UI's loop.

    A FeedError or HistoryError ends the work and goes to `failed`. Nothing is called once the app
    is gone.
    """

    def run() -> None:
        try:
            for outcome in steps():
                app.post_message(ErrandDone(_bound(came, outcome)))
        except (FeedError, HistoryError) as error:
            app.post_message(ErrandDone(_bound(failed, error)))

    threading.Thread(target=run, name=f"rms-{name}", daemon=True).start()


def _bound(call: Callable[[T], None], outcome: T) -> Callable[[], None]:
    return lambda: call(outcome)


def once(work: Callable[[], T]) -> Callable[[], Iterator[T]]:
    """One piece of work as steps."""

    def steps() -> Iterator[T]:
        yield work()

    return steps
