"""An export as bytes: everything as RMS's JSON, or one table as CSV for a spreadsheet.

Pure: it reads no clock and writes no file. A number that is not known is null or an empty cell,
never 0; text from outside is never a formula to whatever opens the file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args
from unicodedata import normalize

import orjson

from rms_tui import snapshot
from rms_tui.alerts import Alert
from rms_tui.book import Deals, first_positions
from rms_tui.frame import Frame
from rms_tui.risk.verdict import State
from rms_tui.snapshot import Shape

Format: TypeAlias = Literal["json", "csv"]
What: TypeAlias = Literal["accounts", "positions", "exposure", "alerts"]

FORMATS: tuple[Format, ...] = get_args(Format)
WHATS: tuple[What, ...] = get_args(What)

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a cell must not start with: spreadsheets take the rest for a formula, or another cell."""

ACCOUNT = (
    "login_id", "name", "group", "currency", "leverage", "balance", "credit", "equity", "margin",
    "free_margin", "margin_level", "profit", "status", "rule", "used", "positions", "trades_today",
    "volume_today", "profit_today", "last_update",
)  # fmt: skip
POSITION = (
    "login_id", "name", "group", "ticket", "symbol", "type", "volume", "price_open",
    "price_current", "sl", "tp", "profit", "swap", "time",
)  # fmt: skip
EXPOSURE = (
    "symbol", "volume", "accounts", "positions", "buy", "sell", "net", "coverage", "notional",
    "profit", "buy_price", "sell_price", "sentiment", "report_currency",
)  # fmt: skip
ALERT = (
    "id", "login_id", "server", "name", "group", "currency", "rule", "profile", "severity",
    "stage", "value", "limit", "used", "distance", "reason", "first_seen", "raised_at",
    "changed_at", "acknowledged_at", "operator", "note", "snoozed_by", "snoozed_until",
    "escalated_at", "recovered_at", "closed_at",
)  # fmt: skip

COLUMNS: Mapping[What, tuple[str, ...]] = MappingProxyType(
    {"accounts": ACCOUNT, "positions": POSITION, "exposure": EXPOSURE, "alerts": ALERT}
)
"""The columns of each table, in the order they are written."""


class ExportError(ValueError):
    """What was asked for cannot be exported; the text says what can."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export: as RMS's JSON of everything, or one table as CSV."""

    format: Format
    what: What


@dataclass(frozen=True, slots=True)
class Exported:
    """A file's content; `rows` is how many accounts, positions, symbols or alerts it holds."""

    content: bytes
    rows: int


def wanted(path: PurePath, format: str | None = None, what: str | None = None) -> Wanted:
    """What a file name and two words ask for. Raises ExportError, naming what is allowed."""
    chosen = (path.suffix[1:] if format is None else format).lower()
    if chosen not in FORMATS:
        came = f"format {format!r}" if format is not None else _ending(path)
        raise ExportError(f"{came}: expected {' or '.join(FORMATS)}")
    if what is not None and what not in WHATS:
        raise ExportError(f"{what!r}: expected one of {', '.join(WHATS)}")
    if what is not None and chosen == "json":
        raise ExportError(f"JSON holds everything: {what!r} alone is for csv")
    return Wanted(chosen, what or "accounts")


def exported(
    asked: Wanted,
    frame: Frame,
    *,
    stats: Shape,
    history: Callable[[], Deals],
    now: float,
) -> Exported:
    """The content of an export of a frame that has a Book; `now` is UTC seconds.

    `history` is asked for the deals of the watched accounts, for JSON only. Alerts are the frame's
    open and lately recovered ones. Raises what `history` raises, and ValueError for a frame
    without a Book.
    """
    if asked.format == "json":
        accounts = snapshot.accounts_snapshot(frame, history())
        whole = {
            "timestamp": snapshot.utc(now),
            "stats": stats,
            "accounts": accounts,
            "exposure": snapshot.exposure_shape(frame),
        }
        option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        return Exported(orjson.dumps(whole, option=option), len(accounts))
    if asked.what == "alerts":
        return exported_alerts((*frame.alerts, *frame.recovered))
    rows = _ROWS[asked.what](frame)
    return Exported(as_csv(COLUMNS[asked.what], rows), len(rows))


def exported_alerts(alerts: Sequence[Alert]) -> Exported:
    """The CSV of these alerts."""
    rows = [snapshot.alert_shape(alert) for alert in alerts]
    return Exported(as_csv(ALERT, rows), len(rows))


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A table as RFC 4180 with a UTF-8 mark, which spreadsheets need for names beyond ASCII."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe before what looks like one."""
    seen = normalize("NFKC", text[:1] + text.lstrip()[:1])
    return f"'{text}" if any(first in FORMULA for first in seen) else text


def _cell(value: object) -> object:
    if value is None:
        return ""
    return harmless(value) if isinstance(value, str) else value


def _ending(path: PurePath) -> str:
    return f"{path} has no ending" if not path.suffix else f"ending {path.suffix}"


def _account_rows(frame: Frame) -> list[Shape]:
    book = frame.book
    if book is None:
        raise ValueError("this frame has no Book yet: the source has not answered")
    first, accounts = first_positions(book), book.accounts
    rows = []
    for row in range(len(accounts)):
        shape = snapshot.account_shape(frame, row)
        worst = max(shape["risk"], key=_badness, default=None)
        rows.append(
            {
                **shape,
                "rule": None if worst is None else worst["rule"],
                "used": None if worst is None else worst["used"],
                "positions": int(first[row + 1] - first[row]),
                "trades_today": int(accounts.trades_today[row]),
                "volume_today": snapshot.number(float(accounts.lots_today[row]), 8),
                "profit_today": snapshot.number(
                    float(accounts.profit_today[row]), int(accounts.digits[row])
                ),
            }
        )
    return rows


def _badness(rule: Shape) -> tuple[int, float]:
    return State[rule["state"].upper()], rule["used"] or 0.0


def _position_rows(frame: Frame) -> list[Shape]:
    positions = snapshot.positions_shape(frame)
    assert frame.book is not None
    accounts = frame.book.accounts
    row_of = {login: row for row, login in enumerate(accounts.login.tolist())}
    return [
        {
            **position,
            "name": accounts.name[row_of[position["login_id"]]],
            "group": accounts.group[row_of[position["login_id"]]],
        }
        for position in positions
    ]


def _exposure_rows(frame: Frame) -> list[Shape]:
    return [{"symbol": name, **row} for name, row in snapshot.exposure_shape(frame).items()]


_ROWS: Mapping[str, Callable[[Frame], list[Shape]]] = MappingProxyType(
    {"accounts": _account_rows, "positions": _position_rows, "exposure": _exposure_rows}
)
