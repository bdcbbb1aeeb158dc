"""The programs under test of `benchmarks.console`, each on a terminal of its own.

`python -m benchmarks.console_app minimal` is the smallest Textual app. `live ACCOUNTS HZ FD` is the
console over Books made in the process, `naive …` the way most projects do it: an object for each
account, rules in Python, a DataTable filled anew. Both write the monotonic time at which a Book
was there to file descriptor FD.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from textual.app import App, ComposeResult
from textual.widgets import DataTable, Static

from rms_tui.book import Book, Deals, build, empty
from rms_tui.feed import FeedStatus, Known, Selection, Sought

PICTURES = 6
"""Books made before the first poll, given in turn, so that the console and not their making is
measured."""


class Minimal(App[None]):
    """The yardstick for a start."""

    def compose(self) -> ComposeResult:
        """One word."""
        yield Static("RMS ready")


def pictures(accounts: int) -> list[Book]:
    """Books of the same accounts in which every account's figures moved."""
    from tests.feeds import book

    first = book(accounts, at=time.time())
    books = []
    draw = np.random.default_rng(1)
    for _ in range(PICTURES):
        table, held = first.accounts, first.positions
        moved = np.round(held.profit + draw.normal(0, 20, len(held)), 2)
        profit = np.round(np.bincount(held.account, moved, accounts), 2)
        swap = np.round(np.bincount(held.account, held.swap, accounts), 2)
        changed = {
            "profit": profit,
            "floating": profit + swap,
            "equity": np.round(table.balance + profit + swap, 2),
        }
        columns = {name: getattr(table, name) for name in table.__slots__}
        books.append(
            replace(
                first,
                accounts=build(type(table), columns | changed),
                positions=replace(held, profit=moved),
            )
        )
    return books


@dataclass
class Stamped:
    """A feed of prepared Books that says when each was there."""

    books: list[Book]
    fd: int
    title: str = "prepared books"
    reads: int = 0
    status: FeedStatus = field(default_factory=lambda: FeedStatus("live", "polling", time.time()))

    def start(self) -> None:
        """Nothing to connect."""

    def read(self, timeout: float) -> Book:
        """The next Book, with a stamp."""
        del timeout
        self.reads += 1
        made = replace(self.books[self.reads % len(self.books)], taken_at=time.time())
        os.write(self.fd, struct.pack("d", time.monotonic()))
        return made

    def select(self, selection: Selection) -> None:
        """Everything is watched."""

    def known(self, sought: Sought, timeout: float) -> Known:
        """All are known."""
        del timeout
        return Known(frozenset(() if isinstance(sought, str) else sought))

    def history(self, logins: Sequence[int] | None, timeout: float) -> Deals:
        """None."""
        del logins, timeout
        return empty(Deals)

    def close(self) -> None:
        """Nothing to end."""


def live(accounts: int, hz: float, fd: int) -> None:
    """The console over prepared Books."""
    from tests.feeds import PLAN

    from rms_tui.monitor import Fact, Monitor
    from rms_tui.outbox import Outbox
    from rms_tui.tui.app import RmsApp

    unread: Outbox[Fact] = Outbox(limit=1)  # no store takes the facts here
    feed = Stamped(pictures(accounts), fd)
    monitor = Monitor(feed, PLAN, interval=1 / hz, outbox=unread)
    monitor.start()
    RmsApp(monitor, operator="bench").run(mouse=False)


class Naive(App[None]):
    """An object for each account, all rules in Python, all rows anew."""

    def __init__(self, books: list[Book], hz: float, fd: int) -> None:
        super().__init__()
        self._books = books
        self._hz = hz
        self._fd = fd
        self._ticks = 0

    def compose(self) -> ComposeResult:
        """One table."""
        yield DataTable()

    def on_mount(self) -> None:
        """Poll from a thread, paint by `call_from_thread`, as is common."""
        self.query_one(DataTable).add_columns("RMS", "Login", "Name", "Equity", "Floating", "Level")
        threading.Thread(target=self._poll, daemon=True).start()

    def _poll(self) -> None:
        while True:
            self._ticks += 1
            table = self._books[self._ticks % len(self._books)].accounts
            os.write(self._fd, struct.pack("d", time.monotonic()))
            rows = []
            for row in range(len(table)):
                account = {name: getattr(table, name)[row] for name in table.__slots__}
                level = account["equity"] / account["margin"] * 100 if account["margin"] else 0.0
                state = "CRITICAL" if 0 < level < 100 else "WARNING" if 0 < level < 150 else "OK"
                if account["floating"] < -1000:
                    state = "BREACHED"
                rows.append((state, account, level))
            rows.sort(key=lambda each: each[2])
            self.call_from_thread(self._fill, rows)
            time.sleep(1 / self._hz)

    def _fill(self, rows: list[tuple[str, dict[str, object], float]]) -> None:
        table = self.query_one(DataTable)
        table.clear()
        for state, account, level in rows:
            table.add_row(
                state,
                str(account["login"]),
                str(account["name"]).replace("[", "("),
                f"{account['equity']:.2f}",
                f"{account['floating']:.2f}",
                f"{level:.1f}",
            )


def main() -> None:
    """Run the one asked for."""
    kind = sys.argv[1]
    if kind == "minimal":
        Minimal().run(mouse=False)
        return
    accounts, hz, fd = int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    if kind == "live":
        live(accounts, hz, fd)
    else:
        Naive(pictures(accounts), hz, fd).run(mouse=False)


if __name__ == "__main__":
    main()
