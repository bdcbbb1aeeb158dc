"""Recorded prices from CSV files: MT5 bars, pairs of bid and ask bars, and ticks.

A row that cannot be right is refused with its file and line; nothing is skipped or mended, because
a risk figure made from half a recording looks like any other. The one exception is named at
`_ORDERLY`.

A folder (and the folders directly in it) is read for `*.csv`. The symbol is the beginning of the
file name: `EURUSD_M1.csv`, `gbpusd-m1-bid-2012.csv`, `usdjpy-ticks.csv`. Of several recordings of
one symbol the one that spans the longest time is taken, then the one with more quotes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from rms_tui.book import Floats, Ints
from rms_tui.feed import FeedError

_LATEST = 4_102_444_800.0
"""The year 2100: a time beyond it is milliseconds, or nonsense."""

_PRICES = ("open", "high", "low", "close")

_SIDE = re.compile(r"(?<![a-z])(bid|ask)(?![a-z])", re.IGNORECASE)

_ORDERLY = 0.001
"""How far, as a share of the price, the ask bar may lie below the bid bar of the same minute.

The two extremes of a minute need not be from the same moment, and real recordings cross by a few
points in one bar of forty. Such quotes are put in order; more than that, or more than one in ten,
is refused: then the files are swapped or belong to different symbols. Ticks may never cross.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Quotes of one symbol in order of time.

    `time` is epoch seconds as the file has them (MT5's own files: server wall clock); `digits`
    are the decimals its prices are written with.
    """

    time: Floats
    bid: Floats
    ask: Floats
    digits: int


@dataclass(frozen=True, slots=True)
class _Table:
    """A file's columns as numbers; row 0 stands on line 2, below the header."""

    path: Path
    time: Floats
    columns: dict[str, Floats]

    def refuse(self, row: int, expected: str, came: object) -> FeedError:
        return _refused(self.path, row + 2, expected, came)


def read_prices(folder: Path, digits: Mapping[str, int] | None = None) -> dict[str, Series]:
    """Every symbol recorded in the folder. `digits` says how known symbols are written.

    Raises FeedError (refused-data, final) with file, line, what was expected and what came.
    """
    known = digits or {}
    if not folder.is_dir():
        raise _cannot(f"{folder}: expected a folder of recorded prices, and there is none")
    found: dict[str, Series] = {}
    for path in sorted(p for pattern in ("*.csv", "*/*.csv") for p in folder.glob(pattern)):
        side = _side(path)
        if side == "ask" and _partner(path).exists():
            continue
        symbol = _symbol(path, known)
        series = _pair(path, known.get(symbol)) if side else _single(path, known.get(symbol))
        if symbol not in found or _length(series) > _length(found[symbol]):
            found[symbol] = series
    if not found:
        raise _cannot(
            f"{folder}: expected at least one *.csv of bars (time, open, high, low, close, spread),"
            " of bid and ask bars in a pair, or of ticks (timestamp, bid, ask), and found none"
        )
    return found


def _length(series: Series) -> tuple[float, int]:
    return float(series.time[-1] - series.time[0]), len(series.time)


def _symbol(path: Path, known: Mapping[str, int]) -> str:
    """The beginning of the name: a known symbol (US500), else its leading letters."""
    whole = re.match(r"[A-Za-z0-9]+", path.stem)
    if whole and whole[0].upper() in known:
        return whole[0].upper()
    letters = re.match(r"[A-Za-z]+", path.stem)
    if not letters:
        raise _cannot(f"{path}: expected a name that begins with the symbol, as in EURUSD_M1.csv")
    return letters[0].upper()


def _side(path: Path) -> str:
    found = _SIDE.search(path.stem)
    return found[1].lower() if found else ""


def _partner(path: Path) -> Path:
    """The file with the other side of the same bars, its name written alike."""

    def other(found: re.Match[str]) -> str:
        word = "ask" if found[1].lower() == "bid" else "bid"
        return word.upper() if found[1].isupper() else word

    return path.with_name(_SIDE.sub(other, path.stem, count=1) + path.suffix)


def _single(path: Path, digits: int | None) -> Series:
    """Ticks, or MT5 bars with a spread in points."""
    names = _header(path)[1]
    if {"bid", "ask"} <= set(names):
        ticks = _table(path, ("bid", "ask"), changes="flags" in names)
        bid, ask = ticks.columns["bid"], ticks.columns["ask"]
        _check_time(ticks, bars=False)
        for row in np.flatnonzero(ask < bid)[:1].tolist():
            raise ticks.refuse(row, f"an ask at or above the bid {bid[row]:g}", f"{ask[row]:g}")
        return _series(ticks.time, bid, ask, digits)
    bars = _table(path, (*_PRICES, "spread"))
    _check_bars(bars)
    time, bid = _points(bars, bars)
    written = _digits(bid) if digits is None else digits
    gap = bars.columns["spread"] * float(f"1e-{written}")
    for row in np.flatnonzero(gap >= bars.columns["low"])[:1].tolist():
        spread = f"{bars.columns['spread'][row]:.0f} points, {gap[row]:g}"
        raise bars.refuse(row, f"a spread below the price {bars.columns['low'][row]:g}", spread)
    ask = np.round(bid + np.repeat(gap, 4), written)
    return _series(time, bid, ask, written)


def _pair(path: Path, digits: int | None) -> Series:
    """Bars of the bid and of the ask, minute for minute."""
    partner = _partner(path)
    if not partner.exists():
        raise _cannot(f"{path}: expected {partner.name} beside it with the other side's bars")
    bids, asks = _table(path, _PRICES), _table(partner, _PRICES)
    for bars in (bids, asks):
        _check_bars(bars)
    shared = min(len(bids.time), len(asks.time))
    differ = np.flatnonzero(bids.time[:shared] != asks.time[:shared])
    row = int(differ[0]) if len(differ) else shared
    if len(differ) or len(bids.time) != len(asks.time):
        came = f"time {asks.time[row]:.0f}" if row < len(asks.time) else "the end of the file"
        wanted = f"time {bids.time[row]:.0f}" if row < len(bids.time) else "the end of the file"
        raise asks.refuse(row, f"{wanted} as in {path.name}", came)
    time, bid = _points(bids, bids)
    _, ask = _points(asks, bids)
    crossed = ask < bid
    far = np.flatnonzero(ask < bid * (1 - _ORDERLY))
    if len(far) or crossed.mean() > 0.1:
        at = int(far[0]) if len(far) else int(np.argmax(crossed))
        expected = f"the ask above the bid {bid[at]:g} of {path.name}"
        raise asks.refuse(at // 4, expected, f"{ask[at]:g} (are the two files swapped?)")
    return _series(time, np.minimum(bid, ask), np.maximum(bid, ask), digits)


def _series(time: Floats, bid: Floats, ask: Floats, digits: int | None) -> Series:
    return Series(time, bid, ask, _digits(np.concatenate([bid, ask])) if digits is None else digits)


def _points(bars: _Table, direction: _Table) -> tuple[Floats, Floats]:
    """Four quotes a bar, a quarter of its length apart, so that its extremes are seen.

    A bar that rose is taken to have been at its low first, one that fell at its high.
    """
    prices, leader = bars.columns, direction.columns
    rose = leader["close"] >= leader["open"]
    second = np.where(rose, prices["low"], prices["high"])
    third = np.where(rose, prices["high"], prices["low"])
    length = float(np.diff(bars.time).min()) if len(bars.time) > 1 else 60.0
    quarters = length / 4 * np.arange(4)
    points = np.stack([prices["open"], second, third, prices["close"]], axis=1)
    return (bars.time[:, None] + quarters).ravel(), points.ravel()


def _digits(prices: Floats) -> int:
    """The fewest decimals that write all these prices, eight at most."""
    for digits in range(8):
        if np.allclose(prices, np.round(prices, digits), rtol=1e-10, atol=0.0):
            return digits
    return 8


def _check_bars(bars: _Table) -> None:
    _check_time(bars, bars=True)
    low, high = bars.columns["low"], bars.columns["high"]
    for name in ("open", "close"):
        price = bars.columns[name]
        for row in np.flatnonzero((price < low) | (price > high))[:1].tolist():
            expected = f"{name} between low {low[row]:g} and high {high[row]:g}"
            raise bars.refuse(row, expected, f"{price[row]:g}")


def _check_time(table: _Table, *, bars: bool) -> None:
    gaps = np.diff(table.time)
    wrong: Ints = np.flatnonzero(gaps <= 0 if bars else gaps < 0)
    for row in (wrong[:1] + 1).tolist():
        order = "after" if bars else "at or after"
        expected = f"a time {order} that of the row before, {table.time[row - 1]:.3f}"
        raise table.refuse(row, expected, f"{table.time[row]:.3f}")


def _header(path: Path) -> tuple[str, list[str], list[str]]:
    """Separator, column names and the lines below them."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _cannot(f"{path}: cannot be read: {error.strerror}") from error
    utf16 = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = raw.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _refused(path, line, "text in UTF-8", "bytes that are not") from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) < 2:
        came = "an empty file" if not lines else "nothing below the header"
        raise _refused(path, len(lines) or 1, "a header and rows of prices", came)
    mark = next((m for m in ("\t", ";") if m in lines[0]), ",")
    return mark, [name.strip(" <>").lower() for name in lines[0].split(mark)], lines[1:]


def _table(path: Path, wanted: Sequence[str], *, changes: bool = False) -> _Table:
    """These columns of a file, and its times, as numbers above zero (a spread may be zero).

    `changes`: an empty cell is what stood there before. So MT5 exports ticks, whose flags say
    which side moved.
    """
    mark, names, lines = _header(path)
    timed: tuple[str, ...] = next(
        (t for t in (("timestamp",), ("time",), ("date",)) if set(t) <= set(names)), ()
    )
    if "date" in names and "time" in names:
        timed = ("date", "time")
    missing = [name for name in wanted if name not in names] + ([] if timed else ["time"])
    if missing:
        expected = f"columns {', '.join(('time', *wanted))}"
        raise _refused(path, 1, expected, f"no {', '.join(missing)}")
    time_at = [names.index(name) for name in timed]
    rows: list[list[str]] = []
    for number, line in enumerate(lines, 2):
        cells = line.split(mark)
        if len(cells) != len(names):
            raise _refused(path, number, f"{len(names)} columns", f"{len(cells)}: {line!r}")
        rows.append(cells)
    if changes:
        _fill(rows, [names.index(name) for name in wanted])
    time = _numbers(path, " ".join(timed), [" ".join(r[i] for i in time_at) for r in rows], _moment)
    columns = {}
    for name in wanted:
        at = names.index(name)
        parse = _spread if name == "spread" else _price
        columns[name] = _numbers(path, name, [row[at] for row in rows], parse)
    return _Table(path, time, columns)


def _fill(rows: Sequence[list[str]], columns: Sequence[int]) -> None:
    """Repeat the last cell in the empty ones below it."""
    for at in columns:
        last = ""
        for row in rows:
            last = row[at] = row[at].strip() or last


def _numbers(
    path: Path, name: str, cells: Sequence[str], parse: Callable[[str], float | None]
) -> Floats:
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        value = parse(cell)
        if value is None:
            raise _refused(path, row + 2, f"{name} as {parse.__doc__}", repr(cell))
        values[row] = value
    return values


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in cell else None


def _price(cell: str) -> float | None:
    """a number above 0"""
    value = _number(cell)
    return value if value is not None and 1e-9 < value < 1e12 else None


def _spread(cell: str) -> float | None:
    """points, 0 or more"""
    value = _number(cell)
    return value if value is not None and 0 <= value < 1e9 else None


def _moment(cell: str) -> float | None:
    """epoch seconds, or a date and time such as 2012-02-01 00:00:00+00:00 or 2012.02.01 00:00:00"""
    value = _number(cell)
    if value is None:
        try:
            moment = datetime.fromisoformat(re.sub(r"^(\d{4})\.(\d\d)\.", r"\1-\2-", cell.strip()))
        except ValueError:
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        value = (aware - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    return value if 0 <= value < _LATEST else None


def _refused(path: Path, line: int, expected: str, came: object) -> FeedError:
    return _cannot(f"{path}, line {line}: expected {expected}; came {_short(str(came))}")


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:117] + "..."


def _cannot(text: str) -> FeedError:
    return FeedError("refused-data", text, final=True)
