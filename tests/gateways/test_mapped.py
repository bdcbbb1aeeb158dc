"""Memory of received columns: it goes with its last reader, and is shared where it only grew."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from odd_gateways import book_of

from rms_tui.book import Book
from rms_tui.gateways.mapped import LEAST, Growing, filled
from rms_tui.gateways.pipe import applied, changes, kept_tables, receive, send


def crossed(book: Book, sent: Book | None, had: Book | None, growing: Growing) -> Book:
    """What the other end of a pipe makes of a Book."""
    out, into = os.pipe()
    with open(out, "rb", buffering=0) as there, open(into, "wb", buffering=0) as here:  # noqa: PTH123  # descriptors
        send(here, changes(book, sent))
        received = receive(there)
    return applied(received, had, growing)  # type: ignore[arg-type]  # it is what was sent


def test_memory_of_a_large_column_goes_with_its_last_reader() -> None:
    memory = filled(4 * LEAST)
    pages = weakref.ref(memory.obj)
    column = np.frombuffer(memory, dtype=np.float64)
    part = column[10:20]
    del memory, column
    assert pages() is not None, "a reader is left"
    del part
    assert pages() is None


def test_deals_that_arrive_are_put_behind_those_that_are_there() -> None:
    growing = Growing()
    sent = [replace(book_of(range(1, 6), step)) for step in (10, 11, 12)]
    sent = [sent[0], *(kept_tables(after, sent[0]) for after in sent[1:])]
    first = crossed(sent[0], None, None, growing)
    second = crossed(sent[1], sent[0], first, growing)
    third = crossed(sent[2], sent[1], second, growing)
    assert [book.deals.ticket.tolist() for book in (first, second, third)] == [
        list(range(step)) for step in (10, 11, 12)
    ]
    assert np.shares_memory(second.deals.ticket, third.deals.ticket), "no copy of what was there"
    assert not third.deals.ticket.flags.writeable


def test_a_book_does_not_keep_the_books_before_it_alive() -> None:
    growing, had, before = Growing(), None, None
    columns = []
    gc.disable()
    try:
        for step in range(1, 6):
            book = book_of(range(1, 6), step)
            book = book if before is None else kept_tables(book, before)
            had = crossed(book, before, had, growing)
            before = book
            columns.append(weakref.ref(had.accounts.equity))
    finally:
        gc.enable()
    assert [column() is not None for column in columns] == [False] * 4 + [True]


@given(st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=9), min_size=2, max_size=9))
def test_a_column_that_grew_is_what_was_there_and_what_came(parts: Sequence[list[int]]) -> None:
    growing = Growing()
    shown = [np.array(parts[0], dtype=np.int64)]
    for part in parts[1:]:
        shown.append(growing.longer("ticket", shown[-1], np.array(part, dtype=np.int64)))
    for count, column in enumerate(shown, 1):
        assert column.tolist() == [number for part in parts[:count] for number in part]


@given(st.integers(1, 5), st.integers(1, 5))
def test_two_that_go_on_from_the_same_column_do_not_write_over_each_other(a: int, b: int) -> None:
    growing = Growing()
    start = growing.longer("ticket", np.zeros(100, dtype=np.int64), np.zeros(1, dtype=np.int64))
    one = growing.longer("ticket", start, np.full(a, 1))
    other = growing.longer("ticket", start, np.full(b, 2))
    assert one[101:].tolist() == [1] * a
    assert other[101:].tolist() == [2] * b
