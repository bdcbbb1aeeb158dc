"""Trade ideas: an account's positions of one symbol and direction, and what it closed of the same.

A closed trade belongs to an idea when it was closed after the idea began, or at most a window
before: then the idea began with that trade. An idea that is closed altogether stays one until its
window has passed: it may be reopened, and what it lost is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import is_

import numpy as np

from rms_tui.book import CLOSING_ENTRIES, TRADE_TYPES, Book, Floats, Ints, rows_of
from rms_tui.risk.pairs import Pairs, pairs
from rms_tui.risk.stops import losses_at_stop
from rms_tui.risk.sweep import Block, Summing


@dataclass(frozen=True, slots=True)
class Closed:
    """One row a closed trade of an account in the Book, in account order.

    `kind` is symbol·2 + 1 for what had been bought, `result` profit + swap + commission; `time`
    and `opened` are server times. `kinds` is their number: a symbol that stands in deals alone
    comes after those of the Book. `sources` are the objects it was made from.
    """

    sources: tuple[object, ...]
    row: Ints
    kind: Ints
    result: Floats
    time: Floats
    opened: Floats
    kinds: int


@dataclass(frozen=True, slots=True)
class Ideas:
    """Each account's largest net loss of an idea, and the server time until which that holds."""

    risk: Floats
    until: float


def idea_risk(book: Book, window: float, closed: Closed) -> Summing[Ideas]:
    """Each account's largest net loss of an idea: its open positions at their stops and what it
    closed at a loss; infinite where one of the positions has no stop. `window` is in seconds,
    `closed` are the Book's closed trades."""
    risk = np.zeros(len(book.accounts))

    def add(block: Block) -> None:
        ideas = pairs(block.account, block.kind, block.accounts, 2 * len(book.symbols))
        loss, without = block.once(losses_at_stop)
        if len(without):
            loss = loss.copy()
            loss[without] = 0.0
        lost = ideas.summed(loss)
        mine = _of(closed, block.rows) if len(closed.row) else closed
        if len(mine.row):
            began = np.full(ideas.cells, np.inf)
            np.minimum.at(began, ideas.of, book.positions.opened[block.here].astype(np.float64))
            lost += _lost(_open_idea(ideas, mine, began), began, mine, window)
        if len(without):
            lost[ideas.of[without]] = np.inf
        risk[block.rows] = ideas.largest(lost)

    return Summing(lambda: _with_closed(risk, book, window, closed), add)


def _kinds(book: Book, here: Ints) -> Ints:
    kind = book.positions.symbol[here].astype(np.int64)
    kind *= 2
    kind += book.positions.side[here] > 0
    return kind


def _with_closed(risk: Floats, book: Book, window: float, closed: Closed) -> Ideas:
    """The risk with ideas that have no open position any more, and are not over yet."""
    if book.server_offset is None or not len(closed.row):
        return Ideas(risk, np.inf)
    now = book.taken_at + book.server_offset
    recent = closed.time >= now - window
    if not bool(recent.any()):
        return Ideas(risk, np.inf)
    key = closed.row * closed.kinds + closed.kind
    concerned = np.zeros(len(risk), dtype=np.bool_)
    concerned[closed.row[recent]] = True
    at = np.flatnonzero(concerned[book.positions.account])
    held = book.positions.account[at].astype(np.int64) * closed.kinds + _kinds(book, at)
    ended = np.setdiff1d(key[recent], held)
    if not len(ended):
        return Ideas(risk, np.inf)
    idea = rows_of(ended, key)
    lost = _lost(idea, np.full(len(ended), now), closed, window)
    with np.errstate(invalid="ignore"):  # NaN is an answer here
        np.maximum.at(risk, ended // closed.kinds, lost)
    last = np.full(len(ended), -np.inf)
    np.maximum.at(last, idea[idea >= 0], closed.time[idea >= 0])
    return Ideas(risk, float(last.min()) + window)


def _of(closed: Closed, rows: slice) -> Closed:
    """The trades closed by those accounts, with rows counted from the first of them."""
    start, end = np.searchsorted(closed.row, (rows.start, rows.stop))
    mine = slice(int(start), int(end))
    return Closed(
        closed.sources,
        closed.row[mine] - rows.start,
        closed.kind[mine],
        closed.result[mine],
        closed.time[mine],
        closed.opened[mine],
        closed.kinds,
    )


def _open_idea(ideas: Pairs, closed: Closed, began: Floats) -> Ints:
    """The idea each closed trade may belong to: one of the same kind that is open, else -1."""
    idea = np.full(len(closed.row), -1, dtype=np.int64)
    known = np.flatnonzero(closed.kind < ideas.kinds)
    symbol, bought = np.divmod(closed.kind[known], 2)
    kind = symbol + bought * (ideas.kinds // 2)  # as a block has it
    idea[known] = ideas.find(closed.row[known], kind)
    idea[(idea >= 0) & ~np.isfinite(began[idea])] = -1
    return idea


def _lost(idea: Ints, began: Floats, closed: Closed, window: float) -> Floats:
    """What each idea has lost already (gains negative).

    An idea began at `began`, which is moved back to the beginning of every trade that joins it.
    """
    lost = np.zeros(len(began))
    waiting = idea >= 0
    while bool(waiting.any()):
        joins = waiting.copy()
        joins[waiting] = closed.time[waiting] >= began[idea[waiting]] - window
        if not bool(joins.any()):
            break
        np.subtract.at(lost, idea[joins], closed.result[joins])
        np.minimum.at(began, idea[joins], closed.opened[joins])
        waiting &= ~joins
    return lost


def closed_trades(book: Book, before: Closed | None) -> Closed:
    """All closed trades of the Book's accounts; those before while none was added."""
    deals = book.deals
    sources = (deals, book.symbols.name, book.accounts.login)
    if before is not None and all(map(is_, sources, before.sources)):
        return before
    trades = np.flatnonzero(np.isin(deals.type, TRADE_TYPES))
    closing = trades[np.isin(deals.entry[trades], CLOSING_ENTRIES)]
    code = {name: i for i, name in enumerate(book.symbols.name)}
    symbol = np.array(
        [code.setdefault(deals.symbol[i], len(code)) for i in closing.tolist()], dtype=np.int64
    )
    row = rows_of(book.accounts.login, deals.login[closing])
    opened = _opening_times(book, trades, closing)
    order = np.flatnonzero(row >= 0)
    order = order[np.argsort(row[order], kind="stable")]
    at = closing[order]
    bought = deals.type[at] == TRADE_TYPES[1]  # a sell closes what was bought
    return Closed(
        sources,
        row[order],
        symbol[order] * 2 + bought,
        deals.profit[at] + deals.swap[at] + deals.commission[at],
        deals.time[at].astype(np.float64),
        opened[order],
        2 * len(code),
    )


def _opening_times(book: Book, trades: Ints, closing: Ints) -> Floats:
    """When each closed trade was opened; its own time where that deal is not in the Book."""
    deals = book.deals
    opening = trades[~np.isin(deals.entry[trades], CLOSING_ENTRIES)]
    order = opening[np.argsort(deals.position[opening], kind="stable")]
    at = rows_of(deals.position[order], deals.position[closing])
    own = deals.time[closing].astype(np.float64)
    if len(order) == 0:
        return own
    return np.where(at >= 0, np.minimum(own, deals.time[order][np.maximum(at, 0)]), own)
