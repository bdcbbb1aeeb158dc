"""Memory as one plain document an account, and back: what a store keeps over a restart.

Exact in both directions, NaN included: a memory written and read back goes on as if it had never
been away. Only what can be counted again from the next Book is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from rms_tui.book import Floats, Ints
from rms_tui.risk.days import DayBase, LastGood, same_start, unknown_day
from rms_tui.risk.flows import NEVER, Total
from rms_tui.risk.memory import Memory
from rms_tui.risk.peaks import Peak, unknown_peak
from rms_tui.risk.periods import COLUMNS, Period, Span, unseen, with_columns
from rms_tui.risk.profile import Rollover, Trail

Row = dict[str, Any]

_LAST = tuple(field.name for field in fields(LastGood))
_DAY = ("balance", "equity", "origin", "taken", "flow", "flow_balance", "start")
_PEAK = ("value", "sure", "since")
_TOTAL = ("flow", "flow_balance", "ticket")


def memory_rows(memory: Memory, rows: Ints) -> list[Row]:
    """The documents of those rows: `login`, `last`, `total`, `days`, `peaks`, `periods`.

    Numbers are Python's own; what is unknown is NaN.
    """
    logins = memory.login[rows].tolist()
    last = _cells(memory.last, _LAST, rows)
    total = _cells(memory.total, _TOTAL, rows)
    days = {key: _cells(day, _DAY, rows) for key, day in memory.days.items()}
    peaks = {key: _cells(peak, _PEAK, rows) for key, peak in memory.peaks.items()}
    periods = {key: _cells(period, COLUMNS, rows) for key, period in memory.periods.items()}
    return [
        {
            "login": login,
            "last": last[i],
            "total": total[i],
            "days": [
                {
                    "zone": key.zone,
                    "rollover": key.at,
                    "at": memory.days[key].at,
                    "until": memory.days[key].until,
                    **cells[i],
                }
                for key, cells in days.items()
            ],
            "peaks": [{**_trail_keys(key), **cells[i]} for key, cells in peaks.items()],
            "periods": {
                key.value: {"began": memory.periods[key].began, **cells[i]}
                for key, cells in periods.items()
            },
        }
        for i, login in enumerate(logins)
    ]


def memory_from_rows(documents: Iterable[Mapping[str, Any]]) -> Memory:
    """The memory of those documents, in order of login.

    Where accounts were last seen on different days, the newest day counts: of the others nothing
    is known for it.
    """
    rows = sorted(documents, key=lambda document: int(document["login"]))
    return Memory(
        login=_ints([row["login"] for row in rows]),
        last=LastGood(**{name: _floats([row["last"][name] for row in rows]) for name in _LAST}),
        total=_total(rows),
        days=MappingProxyType(_days(rows)),
        peaks=MappingProxyType(_peaks(rows)),
        periods=MappingProxyType(_periods(rows)),
    )


def _cells(columns: object, names: Sequence[str], rows: Ints) -> list[Row]:
    lists = [getattr(columns, name)[rows].tolist() for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*lists, strict=True)]


def _trail_keys(trail: Trail) -> Row:
    day = trail.rollover
    return {
        "source": trail.source,
        "withdrawals": trail.withdrawals,
        "zone": None if day is None else day.zone,
        "rollover": None if day is None else day.at,
    }


def _floats(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _total(rows: Sequence[Mapping[str, Any]]) -> Total:
    totals = [row["total"] for row in rows]
    return Total(
        _floats([one["flow"] for one in totals]),
        _floats([one["flow_balance"] for one in totals]),
        _ints([one.get("ticket", NEVER) for one in totals]),
    )


def _days(rows: Sequence[Mapping[str, Any]]) -> dict[Rollover, DayBase]:
    found: dict[Rollover, dict[int, Mapping[str, Any]]] = {}
    for i, row in enumerate(rows):
        for day in row["days"]:
            found.setdefault(Rollover(day["zone"], day["rollover"]), {})[i] = day
    made = {}
    for key, written in found.items():
        newest = max(written.values(), key=lambda day: np.nan_to_num(day["at"], nan=-np.inf))
        base = unknown_day(len(rows), newest["at"], newest["until"])
        current = {
            i: day
            for i, day in written.items()
            if same_start(day["at"], newest["at"]) or np.isnan(newest["at"])
        }
        made[key] = replace(base, **_filled(base, _DAY, current))
    return made


def _peaks(rows: Sequence[Mapping[str, Any]]) -> dict[Trail, Peak]:
    found: dict[Trail, dict[int, Mapping[str, Any]]] = {}
    for i, row in enumerate(rows):
        for peak in row["peaks"]:
            day = None if peak["zone"] is None else Rollover(peak["zone"], peak["rollover"])
            trail = Trail(peak["source"], peak["withdrawals"], day)
            found.setdefault(trail, {})[i] = {"since": np.nan, **peak}  # older rows have none
    made = {}
    for key, written in found.items():
        none = unknown_peak(len(rows))
        made[key] = replace(none, **_filled(none, _PEAK, written))
    return made


def _periods(rows: Sequence[Mapping[str, Any]]) -> dict[Span, Period]:
    made: dict[Span, Period] = {}
    known: dict[bytes, npt.NDArray[Any]] = {}
    for span in Span:
        written = {i: row["periods"][span] for i, row in enumerate(rows) if span in row["periods"]}
        if not written:
            continue
        pick = min if span is Span.LIFETIME else max
        began = pick(one["began"] for one in written.values())
        current = {
            i: one
            for i, one in written.items()
            if span is Span.LIFETIME or same_start(one["began"], began)
        }
        none = unseen(len(rows), began)
        columns = _filled(none, COLUMNS, current)
        shared = {name: known.setdefault(_bits(column), column) for name, column in columns.items()}
        made[span] = with_columns(none, shared)
    return made


def _bits(column: npt.NDArray[Any]) -> bytes:
    """Equal columns share one array again, as they did when they were measured together."""
    return str(column.dtype).encode() + column.tobytes()


def _filled(
    empty: object, names: Sequence[str], written: Mapping[int, Mapping[str, Any]]
) -> dict[str, Any]:
    """The columns of an unknown thing with what was written of its rows put in."""
    at = np.fromiter(written, dtype=np.int64, count=len(written))
    made: dict[str, Any] = {}
    for name in names:
        column = np.array(getattr(empty, name))
        column[at] = [one[name] for one in written.values()]
        made[name] = column
    return made
