"""What an export holds, and that text from outside never becomes a formula in it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import PurePath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.feeds import NOW, PLAN, FakeFeed, book, deals

from rms_tui import export
from rms_tui.book import Deals, empty
from rms_tui.export import ExportError, Wanted, as_csv, harmless, wanted
from rms_tui.frame import Frame
from rms_tui.monitor import Monitor


def framed(feed: FakeFeed | None = None) -> Frame:
    """A frame after enough polls to have alerts."""
    monitor = Monitor(feed or FakeFeed(book(shock=60.0)), PLAN, clock=lambda: NOW + 1)
    monitor.step()
    return monitor.step()


def content(asked: Wanted, frame: Frame) -> bytes:
    made = export.exported(
        asked, frame, stats={"errors": 0}, history=lambda: deals(70_100), now=NOW
    )
    return made.content


def table(what: str, frame: Frame) -> list[dict[str, str]]:
    text = content(wanted(PurePath("x.csv"), None, what), frame).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_json_is_rmss_export() -> None:
    made = json.loads(content(wanted(PurePath("report.json")), framed()))
    assert made.keys() == {"timestamp", "stats", "accounts", "exposure"}
    assert made["stats"] == {"errors": 0}
    assert len(made["accounts"]) == 60
    assert made["accounts"]["70100"]["trades"]["trade_count"] == 5
    assert {"volume", "accounts", "positions"} <= made["exposure"]["EURUSD"].keys()


def test_csv_has_a_row_for_each_account_with_numbers_as_numbers() -> None:
    frame = framed()
    rows = table("accounts", frame)
    assert [int(row["login_id"]) for row in rows] == list(range(70_100, 70_160))
    assert frame.book is not None
    assert [float(row["balance"]) for row in rows] == frame.book.accounts.balance.tolist()
    negative = [row["profit"] for row in rows if row["profit"].startswith("-")]
    assert negative
    assert all(float(profit) < 0 for profit in negative)


@pytest.mark.parametrize("what", export.WHATS)
def test_every_table_writes_the_columns_it_names(what: str) -> None:
    rows = table(what, framed())
    assert rows
    assert tuple(rows[0]) == export.COLUMNS[what]  # type: ignore[index]
    assert all(row[column] != "" for row in rows for column in export.COLUMNS[what][:2])  # type: ignore[index]


def test_csv_of_alerts_holds_every_field_of_an_alert() -> None:
    from rms_tui import snapshot

    assert tuple(snapshot.alert_shape(framed().alerts[0])) == export.ALERT


def test_what_is_not_known_is_an_empty_cell_and_null() -> None:
    made = book(3)
    equity = made.accounts.equity.copy()
    equity[0] = np.nan
    frame = framed(FakeFeed(replace(made, accounts=replace(made.accounts, equity=equity))))
    assert table("accounts", frame)[0]["equity"] == ""
    whole = json.loads(content(wanted(PurePath("x.json")), frame))
    assert whole["accounts"]["70100"]["account"]["equity"] is None


def test_a_table_without_rows_still_names_its_columns() -> None:
    made = as_csv(export.POSITION, [])
    assert made.decode("utf-8-sig").splitlines() == [",".join(export.POSITION)]


def test_csv_asks_nobody_for_deals() -> None:
    def refuse() -> Deals:
        raise AssertionError("csv needs no history")

    made = export.exported(wanted(PurePath("x.csv")), framed(), stats={}, history=refuse, now=NOW)
    assert made.rows == 60


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\r=1", "＝1+1", "＋1", "－1", "＠x"],
)
def test_text_that_looks_like_a_formula_is_marked_as_text(text: str) -> None:
    assert harmless(text) == f"'{text}"
    made = as_csv(["name"], [{"name": text}]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(made, newline=""))) == [["name"], [f"'{text}"]]


@pytest.mark.parametrize("text", ["Anna", "", "O'Neill", "a=b", "7-7", "real\\USD", "李小龙"])
def test_other_text_is_left_alone(text: str) -> None:
    assert harmless(text) == text


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_any_text_comes_back_from_csv_as_it_was_or_marked(texts: list[str]) -> None:
    columns = [str(number) for number in range(len(texts))]
    made = as_csv(columns, [dict(zip(columns, texts, strict=True))])
    rows = list(csv.reader(io.StringIO(made.decode("utf-8-sig"), newline="")))
    assert rows == [columns, [harmless(text) for text in texts]]
    assert all(text[:1] not in export.FORMULA for row in rows for text in row)


def test_half_a_character_does_not_stop_an_export() -> None:
    assert b"?" in as_csv(["name"], [{"name": "half \ud800"}])


@pytest.mark.parametrize(
    ("name", "format", "what", "said"),
    [
        ("report", None, None, "report has no ending: expected json or csv"),
        ("report.xlsx", None, None, "ending .xlsx: expected json or csv"),
        ("report.json", "xml", None, "format 'xml': expected json or csv"),
        ("report.csv", None, "trades", "'trades': expected one of accounts, positions"),
        ("report.json", None, "alerts", "JSON holds everything: 'alerts' alone is for csv"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_what_can(
    name: str, format: str | None, what: str | None, said: str
) -> None:
    with pytest.raises(ExportError, match=said.replace("(", r"\(")):
        wanted(PurePath(name), format, what)


def test_the_ending_decides_unless_a_format_is_given() -> None:
    assert wanted(PurePath("a.CSV")) == Wanted("csv", "accounts")
    assert wanted(PurePath("a.txt"), "csv", "exposure") == Wanted("csv", "exposure")
    assert wanted(PurePath("a.csv"), "json") == Wanted("json", "accounts")


def test_a_frame_without_a_book_cannot_be_exported() -> None:
    frame = Monitor(FakeFeed(None), PLAN, clock=lambda: NOW).step()
    for name in ("x.json", "x.csv"):
        with pytest.raises(ValueError, match="no Book yet"):
            export.exported(
                wanted(PurePath(name)), frame, stats={}, history=lambda: empty(Deals), now=NOW
            )
