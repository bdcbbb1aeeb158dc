"""Verbs that connect, take one good poll, print and exit. Progress goes to stderr."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson

from rms_tui import snapshot
from rms_tui.book import Deals, empty
from rms_tui.cli import START
from rms_tui.cli.exits import USAGE, end
from rms_tui.frame import Frame
from rms_tui.gateways import SimulatorSpec
from rms_tui.monitor import Monitor
from rms_tui.wiring.first import PATIENCE, first_frame
from rms_tui.wiring.given import Given
from rms_tui.wiring.sources import Desk, desk, monitor_of

WIDEST = 120
"""Signs of a cell of a table: a text from outside may have any number."""

DEMO_TIME = 1_767_607_200.0
"""2026-01-05 10:00 UTC: simulated time of a one-shot verb, so that a seed gives the same output."""


def show_snapshot(shared: Given, login: int | None, *, json: bool) -> None:
    """Print RMS's snapshot of all accounts, or of one. Raises FeedError."""
    with one_poll(shared) as (monitor, frame):
        assert frame.book is not None
        logins = frame.book.accounts.login.tolist() if login is None else [login]
        if login is not None and login not in frame.book.accounts.login:
            end(f"account {login} is not among the {len(frame.book.accounts)} watched", USAGE)
        shape = snapshot.accounts_snapshot(frame, history(monitor, logins), logins)
        if json:
            print_json(shape if login is None else shape[str(login)])
        else:
            _print_accounts(shape)


def show_exposure(shared: Given, symbol: str | None, *, json: bool) -> None:
    """Print the exposure by symbol. Raises FeedError."""
    with one_poll(shared) as (_, frame):
        shape = snapshot.exposure_shape(frame, symbol)
        if json:
            print_json(shape)
        elif not shape:
            print(f"no open position in {symbol}" if symbol else "no open positions")
        else:
            print_table(
                ("Symbol", "Buy", "Sell", "Net", "Volume", "Accounts", "Positions", "Notional",
                 "Profit"),
                [
                    (name, row["buy"], row["sell"], row["net"], row["volume"], row["accounts"],
                     row["positions"], row["notional"], row["profit"])
                    for name, row in shape.items()
                ],
            )  # fmt: skip


def show_stats(shared: Given, *, json: bool) -> None:
    """Print the counts and the feed's health. Raises FeedError."""
    with one_poll(shared) as (monitor, frame):
        shape = snapshot.stats_shape(frame, running=monitor.running, interval=monitor.interval)
        if json:
            print_json(shape)
        else:
            for name, value in shape.items():
                print(f"{name:>16}  {plain(value)}")


@contextmanager
def one_poll(shared: Given) -> Iterator[tuple[Monitor, Frame]]:
    """A monitor after its first good Book, and that frame; closed afterwards. Raises FeedError."""
    made = desk(shared)
    if made is None:
        end(START, USAGE)
    clock: Callable[[], float] | None = time.time
    if isinstance(made.spec, SimulatorSpec):
        made = replace(made, spec=replace(made.spec, started_at=DEMO_TIME))
        clock = None
    monitor = monitor_of(made, clock=clock)
    monitor.feed.select(_selection(made, monitor))
    monitor.feed.start()
    try:
        yield monitor, first_frame(monitor, saying=_progress(monitor))
    finally:
        monitor.feed.close()


def _selection(made: Desk, monitor: Monitor) -> Any:
    if made.settings.rms_accounts == "all":
        return monitor.selection
    from rms_tui.cli.accounts import stored_selection

    return stored_selection(made)


def _progress(monitor: Monitor) -> Callable[[str], None]:
    """Says on a terminal what the source does until its first Book."""

    def say(doing: str) -> None:
        if sys.stderr.isatty():
            print(f"rms-tui: {monitor.feed.title}: {doing} …", file=sys.stderr)

    return say


def history(monitor: Monitor, logins: Sequence[int]) -> Deals:
    """Deals of the history window of these accounts. Raises FeedError."""
    return monitor.history(logins, timeout=PATIENCE) if logins else empty(Deals)


def print_json(shape: Any) -> None:
    """Write a shape as one line of JSON on stdout."""
    sys.stdout.buffer.write(orjson.dumps(shape, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def _print_accounts(shape: dict[str, Any]) -> None:
    rows = []
    for login, one in shape.items():
        account = one["account"]
        rows.append(
            (
                account["status"].upper(),
                login,
                account["name"],
                account["group"],
                account["currency"],
                account["balance"],
                account["equity"],
                account["profit"],
                account["margin_level"],
                one["positions"]["position_count"],
                one["trades"]["daily_stats"]["total_profit"],
            )
        )
    print_table(
        ("State", "Login", "Name", "Group", "Currency", "Balance", "Equity", "Profit", "Level%",
         "Positions", "Closed today"),
        rows,
    )  # fmt: skip


def print_table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as their widest text; those with numbers stand right.

    A text of more than WIDEST signs is cut, but for the last column's.
    """
    last = len(titles) - 1
    texts = [
        [text if i == last else _cut(text) for i, text in enumerate(map(plain, row))]
        for row in rows
    ]
    widths = [
        max(len(title), *(len(row[i]) for row in texts)) if texts else len(title)
        for i, title in enumerate(titles)
    ]
    numeric = [
        any(isinstance(row[i], (int, float)) and not isinstance(row[i], bool) for row in rows)
        for i in range(len(titles))
    ]
    for line in ([*titles], *texts):
        cells = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        )
        print("  ".join(cells).rstrip())


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def plain(value: object) -> str:
    """A value for a person: n/a where unknown, no control characters."""
    if value is None:
        return "n/a"
    if isinstance(value, float) and not math.isfinite(value):
        return "n/a" if math.isnan(value) else "unlimited"
    if isinstance(value, float):
        return f"{value:,.2f}".replace(",", " ")
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(count)}" for name, count in value.items()) or "none"
    return "".join(c if c.isprintable() else "�" for c in str(value))
