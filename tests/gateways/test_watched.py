"""Narrowing to watched accounts, and what crosses the pipe, are the same as the plain way."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rms_tui.book import Book, Deals, narrowed
from rms_tui.feed import Selection
from rms_tui.gateways import SimulatorSpec
from rms_tui.gateways.mapped import Growing
from rms_tui.gateways.pipe import applied, changes, receive, send
from rms_tui.gateways.simulator import Simulator
from rms_tui.gateways.watched import View, watched_rows


class Recorded:
    """A gateway that gives these Books, one a read."""

    def __init__(self, books: Sequence[Book]) -> None:
        self._books = iter(books)

    def read(self) -> Book:
        return next(self._books)


def books(count: int, accounts: int = 12, seed: int = 1) -> list[Book]:
    simulator = Simulator(SimulatorSpec(accounts=accounts, seed=seed), lambda: 1_710_331_200.0)
    simulator.open(lambda _: None)
    return [simulator.read() for _ in range(count)]


def same(one: Book, other: Book) -> bool:
    """Whether every value is equal; NaN equals NaN."""
    for table in ("accounts", "positions", "symbols", "deals"):
        mine, theirs = getattr(one, table), getattr(other, table)
        for column in fields(mine):
            a, b = getattr(mine, column.name), getattr(theirs, column.name)
            if isinstance(a, tuple):
                if a != b:
                    return False
            elif not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                return False
    return one.deals_since == other.deals_since


def through_a_pipe(message: object) -> object:
    stream = io.BytesIO()
    send(stream, message)
    stream.seek(0)
    return receive(stream)


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 1000),
    choices=st.lists(
        st.tuples(st.booleans(), st.sets(st.integers(0, 11)), st.integers(1, 4)),
        min_size=1,
        max_size=5,
    ),
)
def test_narrowed_books_that_crossed_the_pipe_are_what_plain_narrowing_gives(seed, choices):
    steps = books(sum(many for *_, many in choices), seed=seed)
    login = steps[0].accounts.login
    view, here, at = View(Recorded(steps), Selection()), None, 0
    growing = Growing()
    for everything, rows, many in choices:
        logins = frozenset(login[sorted(rows)].tolist())
        selection = Selection(everything, added=logins, without=logins)
        view.selection = selection
        for _ in range(many):
            before, book = view.advance()
            here = applied(through_a_pipe(changes(book, before)), here, growing)
            plain = narrowed(steps[at], watched_rows(steps[at], selection))
            assert same(here, plain)
            assert same(book, plain)
            at += 1


def test_a_deal_that_changed_in_place_is_noticed():
    first = books(1)[0]
    kind = first.deals.type.copy()
    kind[0] = 13
    second = replace(first, deals=replace(first.deals, type=kind))
    logins = frozenset(first.accounts.login[1:].tolist()) | {int(first.deals.login[0])}
    view = View(Recorded([first, second]), Selection(False, added=logins))
    view.advance()
    assert 13 in view.advance()[1].deals.type


def test_unchanged_columns_keep_their_identity_when_narrowed():
    first = books(1)[0]
    moved = replace(first, accounts=replace(first.accounts, equity=first.accounts.equity + 1))
    view = View(Recorded([first, moved]), Selection(without=frozenset({1})))
    view.selection = Selection(without=frozenset({int(first.accounts.login[3])}))
    _, one = view.advance()
    before, two = view.advance()
    assert before is one
    assert two.accounts.equity is not one.accounts.equity
    assert two.accounts.name is one.accounts.name
    assert two.positions is one.positions
    assert two.deals is one.deals


def test_only_changed_columns_and_new_deals_are_sent():
    one, two = books(2, accounts=50, seed=4)
    view = View(Recorded([one, two]), Selection())
    view.advance()
    before, book = view.advance()
    sent = changes(book, before)
    assert "login" not in sent.tables[0]
    assert "equity" in sent.tables[0]
    assert "name" not in sent.tables[2]
    whole = changes(book, None)
    assert set(whole.tables[3]) == {column.name for column in fields(Deals)}


def test_masks_show_their_groups_only_whatever_is_watched():
    whole = books(1, accounts=40)[0]
    group, login = np.array(whole.accounts.group), whole.accounts.login
    inside = set(login[(group != "real\\raw-gbp") & np.char.startswith(group, "real")].tolist())
    assert inside
    assert len(inside) < len(login)
    view = View(Recorded([whole] * 2), Selection(), "real\\*,!real\\raw*")
    assert set(view.advance()[1].accounts.login.tolist()) == inside
    some = sorted(inside)[:2]
    out = next(one for one in login.tolist() if one not in inside)
    view.selection = Selection(False, added=frozenset({*some, out}))
    assert view.advance()[1].accounts.login.tolist() == some
    assert view.known([*some, out]).found == frozenset(some)
    everyone = view.known("*").found
    assert everyone == frozenset(inside), "masks find nobody whom the settings leave out"
