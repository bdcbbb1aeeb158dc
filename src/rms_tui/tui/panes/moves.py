"""What may move in the stress view: saved scenarios, symbols with open positions, currencies."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rich.cells import cell_len

from rms_tui.book import Floats, Symbols
from rms_tui.frame import Frame
from rms_tui.risk.scenario import Scenario
from rms_tui.tui import figures
from rms_tui.tui.filter import Fields, NumberField, Query, TextField, WordField
from rms_tui.tui.move import Move
from rms_tui.tui.order import OrderedRows, Ranks, fitting, ordered
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Cell, Column
from rms_tui.tui.table.literal import literal

COLUMNS = (
    Column("name", "Name", 9, frozen=True),
    Column("kind", "Kind", 8),
    Column("worth", "Net worth", 13, "right"),
    Column("net", "Net", 15, "right"),
)
IMPORTANCE = ("name", "worth", "kind", "net")

KINDS = ("symbol", "currency", "scenario")

WIDEST_NAME = 24


def moves(frame: Frame) -> tuple[Move, ...]:
    """Scenarios, symbols that are held, then currencies of any price.

    What is no currency moves as symbol.
    """
    assert frame.book is not None
    assert frame.exposure is not None
    symbols = frame.book.symbols
    held = [symbols.name[code] for code in frame.exposure.by_symbol.code.tolist()]
    priced = _currencies(symbols)
    named = [name for name in frame.exposure.by_currency.currency if name in priced]
    return (
        *(Move("scenario", scenario.name) for scenario in saved(frame)),
        *(Move("symbol", name) for name in held),
        *(Move("currency", name) for name in named),
    )


def saved(frame: Frame) -> tuple[Scenario, ...]:
    """The scenarios of the plan this frame is judged by, in the file's order."""
    return () if frame.assessment is None else frame.assessment.scope.plan.scenarios


def _currencies(symbols: Symbols) -> frozenset[str]:
    """What is bought or paid in a pair: a shock of anything else moves nothing.

    An index is its own base: it is listed as the symbol that it is.
    """
    pairs = zip(symbols.base, symbols.quote, strict=True)
    paired = {name for base, quote in pairs if base != quote for name in (base, quote)}
    return frozenset(paired - set(symbols.name))


def _names(frame: Frame) -> tuple[str, ...]:
    return tuple(move.name for move in moves(frame))


def _kinds(frame: Frame) -> Any:
    return np.array([KINDS.index(move.kind) for move in moves(frame)])


def _net(frame: Frame) -> tuple[Floats, Floats]:
    """Net lots or units, and what that is worth in the report currency; NaN of a scenario."""
    assert frame.exposure is not None
    by_symbol, by_currency = frame.exposure.by_symbol, frame.exposure.by_currency
    at = {name: row for row, name in enumerate(by_currency.currency)}
    rows = np.array([at[m.name] for m in moves(frame) if m.kind == "currency"], dtype=np.int64)
    none = np.full(len(saved(frame)), np.nan)
    net = np.concatenate([none, by_symbol.net, by_currency.net[rows]])
    return net, np.concatenate([none, by_symbol.notional, by_currency.reported[rows]])


FIELDS: Fields = {
    "name": TextField(_names),
    "kind": WordField(_kinds, {kind: at for at, kind in enumerate(KINDS)}),
    "net": NumberField(lambda frame: _net(frame)[0]),
    "worth": NumberField(lambda frame: _net(frame)[1]),
}


class MovesSource:
    """Rows of what may move; a row's key is its Move."""

    name = "What moves"
    fields = FIELDS
    words = ("name",)
    default_sort: Sort = ("worth", True)

    def __init__(self) -> None:
        self._ranks = Ranks()
        self._currency = ""
        self._widest = 0

    def follow(self, frame: Frame) -> None:
        """Make room for the names of this frame's scenarios."""
        self._widest = max((cell_len(literal(one.name)) for one in saved(frame)), default=0)

    @property
    def subject(self) -> str:
        """See `Source.subject`."""
        return f"worth in {self._currency}" if self._currency else ""

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`."""
        name, *others = COLUMNS
        room = min(WIDEST_NAME, max(name.width, self._widest))
        return fitting((replace(name, width=room), *others), IMPORTANCE, width)

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        assert frame.exposure is not None
        self._currency = frame.exposure.report_currency
        found = moves(frame)
        net, worth = _net(frame)
        keys: dict[str, Any] = {
            "name": lambda: self._ranks.of("name", _names(frame)),
            "kind": lambda: _kinds(frame),
            "worth": lambda: _size(found, worth),
            "net": lambda: _size(found, net),
        }
        scenarios = {one.name: one for one in saved(frame)}
        order = ordered(keys[sort[0]](), query.mask(frame), descending=sort[1])
        row_of: dict[Hashable, int] = {move: row for row, move in enumerate(found)}
        drawn = {
            "name": lambda row: Cell(found[row].name),
            "kind": lambda row: Cell(found[row].kind, "dim"),
            "net": lambda row: _net_cell(found[row], float(net[row])),
            "worth": lambda row: (
                _moves_cell(scenarios[found[row].name])
                if found[row].is_scenario
                else _worth_cell(float(worth[row]))
            ),
        }
        rows = OrderedRows(
            order, lambda row: found[row], row_of.get, [drawn[column.id] for column in columns]
        )
        return View(rows, len(found))

    def nothing(self) -> str:
        """See `Source.nothing`."""
        return "No open positions in the book."


def _size(found: Sequence[Move], worth: Floats) -> Floats:
    """What rows are ordered by: a scenario, which somebody saved, is before what is largest."""
    is_scenario = np.array([move.is_scenario for move in found], dtype=np.bool_)
    return np.where(is_scenario, np.inf, np.abs(worth))


def _moves_cell(scenario: Scenario) -> Cell:
    count = len(scenario.moves)
    return Cell(f"{count} move{'s' if count != 1 else ''}", "dim")


def _net_cell(move: Move, net: float) -> Cell:
    if move.is_scenario:
        return Cell("")
    if move.kind == "symbol":
        return Cell(f"{figures.signed_lots(net)} lots")
    return Cell(figures.signed(net, 0))


def _worth_cell(worth: float) -> Cell:
    return Cell("no rate", "unknown") if np.isnan(worth) else Cell(figures.signed(worth, 0))
