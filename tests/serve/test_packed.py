"""Another console rebuilds Book, Memory and alerts to the bit, and comes to the same verdicts."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import feeds
from tests.serve.desks import bench, poorer
from tests.serve.test_stream import DOINGS, World

from rms_tui.alerts import Alert
from rms_tui.book import Book, column_types
from rms_tui.frame import Frame
from rms_tui.risk import assessment
from rms_tui.risk.memory import Memory
from rms_tui.risk.profile import Plan
from rms_tui.risk.scope import scope_of
from rms_tui.risk.undecided import undecided_rows
from rms_tui.serve import packed_alerts, packed_book
from rms_tui.serve.packed import Held, Unpackable, pack, unpack
from rms_tui.serve.standing import BOOK_VIEW
from rms_tui.serve.stream import Place


@dataclass
class Follower:
    """A console that follows, in the least code there is."""

    header: dict[str, Any]
    tables: dict[str, Held] | None = None
    scalars: dict[str, Any] | None = None
    keys: dict[str, Any] | None = None
    plan: Plan | None = None
    book: Book | None = None
    memory: Memory | None = None
    assessed: assessment.Assessment | None = None

    def take(self, message: dict[str, Any]) -> None:
        whole = message["type"] == "frame"
        self.header = {**self.header, **message.get("header", {})}
        if message.get("plan") is not None:
            self.plan = Plan.model_validate(message["plan"])
        part = message.get("book")
        if part is not None and not (whole and part["book"] is None):
            self.rebuild(part, whole)
        if self.book is not None:
            self.judge()  # also when only the header changed: figures may have become stale

    def rebuild(self, part: dict[str, Any], whole: bool) -> None:
        self.scalars = part.get("book") or self.scalars
        self.keys = part.get("memory") or self.keys
        if part.get("tables") is not None:
            before = None if whole else self.tables
            self.tables = unpack(part["tables"], before, packed_book.KEYS)
        self.book = packed_book.book_from(self.scalars, self.tables, self.book)
        self.memory = packed_book.memory_from(self.keys, self.tables["memory"])

    def judge(self) -> None:
        assert self.plan is not None
        assert self.book is not None
        assert self.memory is not None
        past = self.assessed
        scope = scope_of(self.plan, self.book.accounts, None if past is None else past.scope)
        held = assessment.held(self.book, past)
        undecided = undecided_rows(self.book, held[1], stale=self.header["stale"])
        self.assessed = assessment.assess(self.book, scope, self.memory, held, undecided, past)


def same_table(a: Any, b: Any) -> bool:
    for name, dtype in column_types(type(a)).items():
        ours, theirs = getattr(a, name), getattr(b, name)
        same = ours == theirs if dtype is None else ours.tobytes() == theirs.tobytes()
        if not same:
            return False
    return True


def agree(follower: Follower, frame: Frame) -> None:
    assert frame.book is not None
    assert follower.book is not None
    for name in ("accounts", "positions", "symbols", "deals"):
        assert same_table(getattr(follower.book, name), getattr(frame.book, name)), name
    assert packed_book.book_scalars(follower.book) == packed_book.book_scalars(frame.book)
    ours, theirs = packed_book.tables(frame.book, frame.memory), follower.tables
    for path, cells in ours["memory"].columns.items():
        assert cells.tobytes() == theirs["memory"].columns[path].tobytes(), path
    assert list(follower.memory.days) == list(frame.memory.days)
    assert list(follower.memory.peaks) == list(frame.memory.peaks)
    assert list(follower.memory.periods) == list(frame.memory.periods)
    for mine, holders in zip(follower.assessed.verdicts, frame.assessment.verdicts, strict=True):
        for name in ("state", "value", "limit", "used", "distance", "reason"):
            assert getattr(mine, name).tobytes() == getattr(holders, name).tobytes()
    assert follower.assessed.state.tobytes() == frame.assessment.state.tobytes()


@settings(max_examples=30, deadline=None)
@given(doings=st.lists(st.sampled_from([*DOINGS]), min_size=2, max_size=15))
def test_a_follower_holds_the_same_bits_and_comes_to_the_same_verdicts(doings):
    world = World(600)
    world.stream.watch(BOOK_VIEW)
    world.poll(world.calm)
    follower = Follower({})
    place, message = world.stream.frame(BOOK_VIEW, None)
    follower.take(orjson.loads(message))
    for doing in doings:
        DOINGS[doing](world)
        steps = world.stream.since(place.seq, BOOK_VIEW)
        if steps is None:  # a whole frame is less to send
            place, message = world.stream.frame(BOOK_VIEW, place.edges)
            follower.take(orjson.loads(message))
        for step in steps or ():
            follower.take(orjson.loads(step.message(BOOK_VIEW)))
            place = Place(step.seq, step.edges)
        agree(follower, world.monitor.frames.value)


def test_what_did_not_change_keeps_its_object_and_is_not_judged_again():
    world = World(600)
    world.stream.watch(BOOK_VIEW)
    world.poll(world.calm)
    follower = Follower({})
    place, message = world.stream.frame(BOOK_VIEW, None)
    follower.take(orjson.loads(message))
    before, judged = follower.book, follower.assessed
    symbols = replace(world.calm.symbols, bid=world.calm.symbols.bid * 1.0001)
    world.poll(replace(world.calm, symbols=symbols))
    for step in world.stream.since(place.seq, BOOK_VIEW):
        follower.take(orjson.loads(step.message(BOOK_VIEW)))
    assert follower.book.accounts is before.accounts
    assert follower.book.symbols is not before.symbols
    assert follower.book.symbols.ask is before.symbols.ask
    assert follower.assessed.verdicts[0] is judged.verdicts[0]


def test_every_field_of_memory_is_carried():
    """A new part of Memory must be packed too, or be known as one that need not be."""
    saves_work = {"quiet"}
    assert {one.name for one in fields(Memory)} - saves_work == {
        "login", "last", "total", "days", "peaks", "periods", "bare",
    }  # fmt: skip


cells = st.sampled_from([0.0, -0.0, 1.5, float("nan"), float("inf"), float("-inf"), 1e308])
rows = st.dictionaries(st.integers(1, 12), st.tuples(cells, st.sampled_from("abc")), max_size=10)


def held(found: dict[int, tuple[float, str]], shared: bool) -> dict[str, Held]:
    keys = sorted(found)
    amount = np.array([found[key][0] for key in keys])
    other = amount if shared else amount.copy()
    return {
        "t": Held(
            len(keys),
            {
                "key": np.array(keys, dtype=np.int64),
                "amount": amount,
                "again": other,
                "text": tuple(found[key][1] for key in keys),
                "flag": np.array([found[key][1] == "a" for key in keys], dtype=np.bool_),
                "fill": np.broadcast_to(np.float64(len(keys)), len(keys)),
            },
            "key",
        )
    }


@given(steps=st.lists(st.tuples(rows, st.booleans()), min_size=1, max_size=6))
def test_packed_and_unpacked_tables_are_equal_to_the_bit_after_any_changes(steps):
    theirs: dict[str, Held] | None = None
    before: dict[str, Held] | None = None
    for found, shared in steps:
        now = held(found, shared)
        wire = orjson.loads(orjson.dumps(pack(now, before)))
        theirs = unpack(wire, theirs, {"t": "key"})
        assert theirs["t"].rows == now["t"].rows
        for name, column in now["t"].columns.items():
            mine = theirs["t"].columns[name]
            same = mine == column if isinstance(column, tuple) else (
                mine.dtype == column.dtype and mine.tobytes() == column.tobytes()
            )  # fmt: skip
            assert same, name
        before = now


broken = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["rows", "columns", "source", "b64", "dtype", "at", "text", "same",
                         "fill", "key"]),
        inner, max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@given(message=st.dictionaries(st.just("t"), broken, max_size=1))
def test_whatever_comes_a_table_fits_or_is_refused(message):
    before = held({1: (1.0, "a")}, False)
    try:
        found = unpack(message, before, {"t": "key"})
    except Unpackable:
        return
    assert all(len(column) == found["t"].rows for column in found["t"].columns.values())


def test_an_alert_comes_back_with_every_field():
    with bench(feeds.book(6)) as desk:
        book = desk.feed.newest
        for _ in range(3):
            desk.poll(poorer(book, [70_100], 9_000.0))
        frame = desk.monitor.frames.value
        for alert in frame.alerts:
            odd: Alert = replace(alert, used=float("inf"), distance=float("-inf"), value=np.nan)
            for one in (alert, odd):
                wire = orjson.loads(orjson.dumps(packed_alerts.alert_exactly(one)))
                again = packed_alerts.alert_from(wire)
                assert repr(again) == repr(one)


def test_pending_states_come_back_as_they_were_read():
    with bench(feeds.book(6)) as desk:
        desk.poll(poorer(desk.feed.newest, [70_100, 70_103], 9_000.0))
        frame = desk.monitor.frames.value
        assert frame.pending
        wire = [packed_alerts.pending_exactly(one) for one in frame.pending]
        desk_again = packed_alerts.desk_from([], [], orjson.loads(orjson.dumps(wire)))
        assert sorted(desk_again.pending, key=repr) == sorted(frame.pending, key=repr)


@pytest.mark.parametrize("data", [{}, {"id": 1}, {"severity": 99}])
def test_an_alert_that_is_none_is_refused(data):
    with pytest.raises(Unpackable):
        packed_alerts.alert_from(data)
