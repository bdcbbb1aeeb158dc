"""The ledger of deals against the plainest thing that could do its work: a dict."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rms_tui.gateways.dealt import DAY, DealRow, deals_table, merged
from rms_tui.gateways.manager.ledger import Ledger

TODAY = 20_000 * DAY
LOGINS = np.array([11, 12, 13])


def row(ticket: int, login: int, age: int, kind: int, entry: int, profit: float = 1.0) -> DealRow:
    """A deal `age` hours before the midnight after TODAY's."""
    time = TODAY + DAY - age * 3600
    return (ticket, login, time, kind, entry, "EURUSD", 0.5, 1.1, profit, -0.1, -0.2, ticket)


deals = st.builds(
    row,
    st.integers(1, 25),
    st.sampled_from([11, 12, 13, 99]),
    st.integers(0, 24 * 7),
    st.sampled_from([0, 1, 2, 13, 14]),
    st.integers(0, 3),
    st.sampled_from([1.0, -2.5]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("apply"), st.lists(deals, max_size=6), st.lists(st.integers(1, 25))),
        st.tuples(st.just("forget"), st.sampled_from([11, 99])),
        st.tuples(st.just("day")),
    ),
    max_size=12,
)


@settings(max_examples=120, deadline=None)
@given(steps)
def test_figures_are_those_of_a_dict_of_deals(steps: list[tuple[Any, ...]]) -> None:
    ledger = Ledger(history_days=5)
    ledger.advance(TODAY)
    plain: dict[int, DealRow] = {}
    today = TODAY
    for what, *values in steps:
        if what == "apply":
            rows, gone = values
            last = {deal[0]: deal for deal in rows if deal[0] not in gone}
            ledger.apply(list(last.values()), gone)
            for ticket in gone:
                plain.pop(ticket, None)
            plain.update(last)
        elif what == "forget":
            ledger.forget(values[0])
            plain = {ticket: deal for ticket, deal in plain.items() if deal[1] != values[0]}
        else:
            today += DAY
            ledger.advance(today)
        start = today - 5 * DAY
        trades = [deal for deal in plain.values() if deal[3] in (0, 1)]
        closed = [deal for deal in trades if deal[4] in (1, 2, 3)]
        figures = ledger.figures(LOGINS)
        for at, login in enumerate(LOGINS.tolist()):
            mine = [deal for deal in closed if deal[1] == login]
            assert figures.trade_count[at] == sum(deal[2] >= start for deal in mine)
            assert figures.trades_today[at] == sum(deal[2] >= today for deal in mine)
            result = sum(
                sum(deal[8:11]) for deal in trades if deal[1] == login and deal[2] >= today
            )
            assert abs(figures.profit_today[at] - result) < 1e-9
        shown = ledger.shown(LOGINS)
        expected = sorted(
            (deal[2], deal[0])
            for deal in plain.values()
            if deal[2] >= today - DAY and deal[1] in LOGINS
        )
        assert list(zip(shown.time.tolist(), shown.ticket.tolist(), strict=True)) == expected


def test_a_table_of_deals_is_in_order_and_has_each_ticket_once() -> None:
    first = deals_table([row(2, 11, 1, 0, 0), row(1, 11, 1, 0, 0), row(2, 11, 5, 1, 1)])
    assert first.ticket.tolist() == [2, 1]
    later = merged(first, [row(3, 11, 0, 0, 0), row(2, 11, 3, 0, 0)], gone=[1])
    assert later.ticket.tolist() == [2, 3]
    assert later.lots.tolist() == [0.5, 0.5]


def test_figures_are_the_same_object_while_no_deal_comes() -> None:
    ledger = Ledger(history_days=5)
    ledger.advance(TODAY)
    ledger.apply([row(1, 11, 1, 1, 1)])
    figures, shown = ledger.figures(LOGINS), ledger.shown(LOGINS)
    ledger.apply([])
    assert ledger.figures(LOGINS) is figures
    assert ledger.shown(LOGINS) is shown
