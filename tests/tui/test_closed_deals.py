"""The deals of an account's details: what a day's line counts."""

from __future__ import annotations

from typing import cast

from rms_tui.book import Deals, build
from rms_tui.frame import Frame
from rms_tui.tui.filter import Query
from rms_tui.tui.panes.account_deals import COLUMNS, DealsSource

DAY = 86_400
FIRST = 20_000 * DAY


def deals(*rows: tuple[int, int, int, float, float]) -> Deals:
    """Deals of (time, type, entry, profit, commission)."""
    time, kind, entry, profit, commission = zip(*rows, strict=True)
    n = len(rows)
    return build(
        Deals,
        {
            "ticket": range(1, n + 1), "login": [7] * n, "time": time, "type": kind, "entry": entry,
            "symbol": ["EURUSD"] * n, "lots": [1.0] * n, "price": [1.1] * n, "profit": profit,
            "swap": [-2.0] * n, "commission": commission, "position": [5] * n,
        },
    )  # fmt: skip


def lines(table: Deals) -> list[dict[str, str]]:
    source = DealsSource()
    source.deals = table
    rows = source.view(cast("Frame", None), COLUMNS, ("", True), Query("", ())).rows
    names = [column.id for column in COLUMNS]
    return [
        dict(zip(names, (cell.text for cell in rows.cells(at)), strict=True))
        for at in range(len(rows))
    ]


def test_a_day_s_line_counts_the_commission_of_entries_that_are_not_listed() -> None:
    shown = lines(deals(
        (FIRST - 1, 0, 0, 0.0, -9.0), (FIRST, 0, 0, 0.0, -7.0), (FIRST + 1, 1, 1, 100.0, -3.5),
        (FIRST + 2, 2, 0, 5000.0, 0.0),
    ))  # fmt: skip
    assert [line["what"] for line in shown] == ["1 closed", "balance", "sell"]
    assert shown[0]["time"] == "2024-10-04"
    assert shown[0]["profit"] == "+85.50"


def test_a_cancelled_deal_says_so_and_is_no_trade() -> None:
    shown = lines(deals((FIRST, 13, 1, 0.0, 0.0), (FIRST + 1, 14, 1, 0.0, 0.0)))
    assert [line["what"] for line in shown] == ["0 closed", "cancelled", "cancelled"]
