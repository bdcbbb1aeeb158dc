"""Evidence: what decided an alert decides it again, through the engine itself."""

from __future__ import annotations

import copy

import bson
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.desk import Chain, book, plan

from rms_tui import alerts
from rms_tui.alerts import Severity, evidence
from rms_tui.alerts.plain import Unreadable, plain, shaped
from rms_tui.book import Book
from rms_tui.risk.memory import Memory
from rms_tui.risk.rules import RULES

AT = 1_772_460_000.0
PAIN = {"balance": 10_000.0, "equity": 8_500.0}
BARE = {
    "account": 1,
    "symbol": 1,
    "side": -1,
    "lots": 2.0,
    "price_open": 150.0,
    "rate": 1 / 150.0,
    "price": 150.0,
}

KINDS = {
    "margin_level": ({"warning": 150, "critical": 100}, {**PAIN, "margin": 20_000.0}),
    "max_loss": ({"amount": -900, "currency": "EUR"}, PAIN),
    "daily_loss": ({"base": "balance", "percent": 5, "of": "base"}, PAIN),
    "total_loss": ({"percent": 10}, PAIN),
    "trailing_drawdown": ({"peak": "equity", "amount": 800, "value": "worst"}, PAIN),
    "profit_target": ({"percent": 5}, {"balance": 10_000.0, "equity": 10_800.0}),
    "max_profit": ({"amount": 500, "period": "day"}, {"balance": 10_000.0, "equity": 10_800.0}),
    "position_risk": ({"percent": 1, "of": "equity"}, PAIN),
    "position_size": ({"percent": 200, "symbols": "USD*"}, PAIN),
    "open_positions": ({"count": 1}, PAIN),
    "stop_loss_required": ({"seconds": 1}, PAIN),
}
FLAT = {"balance": 10_000.0, "equity": 10_000.0}


class Case:
    """Three accounts, of which the middle one gets into trouble after a calm start."""

    def __init__(self, kind, trouble, *, name="Client"):
        rule = {"rule": kind, **KINDS[kind][0]}
        self.chain = Chain(plan(rule, initial_balance=10_000), interval=2.0)
        self.desk = alerts.EMPTY
        self.events = []
        self.now = AT
        started = [{"type": 2, "login": 1001 + i, "time": int(AT) - 5, "profit": 10_000.0}
                   for i in range(3)]  # fmt: skip
        midnight = AT - AT % 86_400 + 86_400
        for at in (midnight - 1, midnight, midnight + 4, midnight + 8, midnight + 12):
            calm = at < midnight + 4
            rows = [FLAT, FLAT if calm else trouble, FLAT]
            rows = [{**row, "prev_balance": 10_000.0, "prev_equity": 10_000.0, "name": name}
                    for row in rows]  # fmt: skip
            held = [] if calm else [BARE, {"account": 2, "lots": 0.01, "sl": 1.09}]
            seen = book(rows, at=at, positions=[{**p, "opened": int(midnight)} for p in held],
                        deals=started if at == AT else ())  # fmt: skip
            assessed = self.chain.see(seen)
            self.desk, events = alerts.step(self.desk, self.chain.book, assessed, at)
            self.events += alerts.with_evidence(
                events, self.chain.book, self.chain.memory, assessed
            )

    def documents(self):
        """As MongoDB gives them back."""
        made = [(e, evidence.document(e)) for e in self.events if e.alert.login == 1002]
        return [(e, bson.decode(bson.encode(one))) for e, one in made if one is not None]


PAIN_RULE = {"rule": "max_loss", "amount": -1000}


def test_every_kind_of_rule_has_a_case():
    assert KINDS.keys() == {kind.model_fields["rule"].annotation.__args__[0] for kind in RULES}


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_replays_to_the_verdict_that_raised_the_alert(kind):
    found = Case(kind, KINDS[kind][1]).documents()
    assert found, "nothing was raised"
    for event, one in found:
        said, again = evidence.stored(one), evidence.replayed(one)
        assert said.same_as(again), (said, again)
        assert (said.reason, said.state.word) == (event.alert.reason, one["verdict"]["state"])
        np.testing.assert_equal(
            (event.alert.value, event.alert.limit, event.alert.used),
            (again.value, again.limit, again.used),
        )


def test_only_the_account_that_raised_is_kept():
    ((_, one),) = Case("open_positions", PAIN).documents()
    assert one["book"]["accounts"]["login"] == [1002]
    assert one["book"]["symbols"]["name"] == ["USDJPY"]
    assert len(one["book"]["positions"]["ticket"]) == 1
    assert one["memory"]["login"] == [1002]
    assert len(bson.encode(one)) < 16_000


def test_evidence_of_one_account_does_not_grow_with_the_book():
    """No list in it is as long as the book: what is worked out anew is left out."""
    crowd = 400
    chain = Chain(plan(PAIN_RULE))
    rows = [{"balance": 9000.0, "equity": 9000.0}] * crowd
    desk, carried = alerts.EMPTY, []
    for second in range(5):
        bad = [{**row, "equity": 100.0} if i == 7 and second > 1 else row
               for i, row in enumerate(rows)]  # fmt: skip
        seen = book(bad, at=AT + second)
        assessed = chain.see(seen)
        desk, events = alerts.step(desk, chain.book, assessed, AT + second)
        carried += alerts.with_evidence(events, chain.book, chain.memory, assessed)
    (one,) = [evidence.document(event) for event in carried]

    def longest(value):
        if isinstance(value, dict):
            return max(map(longest, value.values()), default=0)
        if isinstance(value, list):
            return max(len(value), *map(longest, value)) if value else 0
        return 0

    assert longest(one) < 40


def test_a_changed_figure_changes_the_verdict():
    ((_, one),) = Case("max_loss", KINDS["max_loss"][1]).documents()
    forged = copy.deepcopy(one)
    forged["book"]["accounts"]["floating"] = [-1600.0]
    forged["book"]["accounts"]["equity"] = [8400.0]
    assert not evidence.stored(forged).same_as(evidence.replayed(forged))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("book",), None),
        (("book", "accounts", "equity"), ["much"]),
        (("memory", "last"), 5),
        (("profile", "rules"), [{"rule": "astrology"}]),
        (("key",), "another/0:rule"),
        (("book", "accounts", "balance"), [1.0, 2.0]),
    ],
)
def test_evidence_of_another_shape_is_refused_in_words(path, value):
    ((_, one),) = Case("open_positions", PAIN).documents()
    inner = one
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(Unreadable):
        evidence.replayed(one)


def test_hostile_names_do_not_hinder_evidence():
    ((_, one),) = Case("open_positions", PAIN, name="[/red]\ud800\x00$where").documents()
    assert evidence.stored(one).same_as(evidence.replayed(one))


def test_a_shock_to_the_whole_book_keeps_evidence_of_as_many_as_it_may(monkeypatch):
    monkeypatch.setattr(evidence, "MOST_ACCOUNTS", 2)
    chain, desk = Chain(plan({"rule": "max_loss", "amount": -1000})), alerts.EMPTY
    for i in range(2):
        assessed = chain.see(book([PAIN] * 5, at=AT + i))
        desk, events = alerts.step(desk, chain.book, assessed, AT + i)
    found = alerts.with_evidence(events, chain.book, chain.memory, assessed)
    assert [evidence.document(event) is not None for event in found] == [True] * 2 + [False] * 3
    assert [event.alert.severity for event in found] == [Severity.BREACH] * 5


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), min_size=3, max_size=3),
    st.text(),
)
def test_books_and_memory_come_back_exactly(figures, name):
    day = {"rule": "daily_loss", "base": "equity", "amount": 5}
    chain = Chain(plan(day, {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 7}))
    rows = [{"balance": f, "equity": f, "floating": 0.0, "name": name} for f in figures]
    with np.errstate(all="ignore"):
        chain.see(book(rows, at=AT))
    for kind, value in ((Book, chain.book), (Memory, chain.memory)):
        stored = bson.decode(bson.encode({"it": plain(value)}))["it"]
        again = shaped(kind, stored)
        np.testing.assert_equal(plain(again), plain(value))
