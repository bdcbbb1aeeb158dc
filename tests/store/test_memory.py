"""Memory over restarts, with a real mongod: the same verdicts as without one, or unknown."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from desk import until
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.feeds import FakeFeed
from tests.risk.desk import book, plan, utc

from rms_tui.facts import AccountChange, BaseEntry, PeakEntry
from rms_tui.monitor import Monitor
from rms_tui.risk.days import SERVER_DAY, Origin
from rms_tui.risk.profile import Trail
from rms_tui.risk.verdict import State
from rms_tui.store import entries
from rms_tui.store import memory as memories
from rms_tui.store.database import Rms
from rms_tui.store.embedded import Remote
from rms_tui.store.writer import Writer

MIDNIGHT = utc("2026-03-02 00:00")
PLAN = plan(
    {"rule": "daily_loss", "base": "equity", "amount": 1000},
    {"rule": "trailing_drawdown", "peak": "equity", "amount": 2000},
    initial_balance=5000,
)


@dataclass
class Shift:
    """One process: a monitor stepped by hand at times the test chooses, and its writer."""

    monitor: Monitor
    writer: Writer
    feed: FakeFeed
    now: float

    def see(self, at: float, balance: float, equity: float) -> None:
        self.now = at
        seen = book([{"balance": balance, "equity": equity}], at=at)
        self.feed.newest = seen
        self.monitor.step()

    @property
    def day(self):
        return self.monitor.frames.value.memory.days[SERVER_DAY]

    @property
    def states(self) -> list[State]:
        verdicts = self.monitor.frames.value.assessment.verdicts
        return [State(int(verdict.state[0])) for verdict in verdicts]

    def recalled(self) -> None:
        """Wait until what was stored is joined: it takes one more poll."""
        seen = self.feed.newest
        until(lambda: len(self.writer._hearing._recalled) == 1)
        self.see(self.now + 0.5, float(seen.accounts.balance[0]), float(seen.accounts.equity[0]))

    def end(self) -> None:
        """As a kill would: nothing more is written than what is there already."""
        self.writer._frames.put(self.monitor.frames.value)
        self.writer.stop()


@pytest.fixture
def shift(server_uri: str, database: Rms) -> Iterator[object]:
    begun: list[Shift] = []

    def begin(now: float) -> Shift:
        feed = FakeFeed()
        made = Shift(None, None, feed, now)  # type: ignore[arg-type]
        made.monitor = Monitor(feed, PLAN, interval=1.0, clock=lambda: made.now)
        made.writer = Writer(
            made.monitor.frames,
            made.monitor.outbox,
            Remote(server_uri),
            source="manager",
            database=database.name,
            on_memory=made.monitor.recall,
            on_entries=made.monitor.enter,
            period=0.05,
            clock=lambda: made.now,
        )
        made.writer.start()
        begun.append(made)
        return made

    yield begin
    for made in begun:
        made.writer.stop()


def written(database: Rms, at: float) -> None:
    """Wait until the store knows that the accounts were watched until then."""
    moment = datetime.fromtimestamp(at, UTC)
    until(lambda: (database.watches.find_one() or {}).get("until") == moment)


def test_a_restart_in_mid_day_keeps_the_base_and_the_peak(shift, database: Rms) -> None:
    first = shift(MIDNIGHT - 2)
    first.see(MIDNIGHT - 1, 5000, 5000)
    first.recalled()
    for at, equity in ((1, 5100), (2, 5600), (3, 5300)):
        first.see(MIDNIGHT + at, 5000, equity)
    written(database, MIDNIGHT + 3)
    first.end()
    second = shift(MIDNIGHT + 5)
    second.see(MIDNIGHT + 5, 5000, 5300)
    second.recalled()
    assert Origin(int(second.day.origin[0])) is Origin.OBSERVED
    assert float(second.day.equity[0]) == 5000
    verdict = second.monitor.frames.value.assessment.verdicts[1]
    assert float(verdict.limit[0]) == 3600


def test_a_restart_across_the_rollover_gives_the_same_verdict(shift, database: Rms) -> None:
    first = shift(MIDNIGHT - 3)
    first.see(MIDNIGHT - 3, 5000, 5000)
    first.recalled()
    first.see(MIDNIGHT - 1, 5000, 4900)
    written(database, MIDNIGHT - 1)
    first.end()
    second = shift(MIDNIGHT + 1)
    second.see(MIDNIGHT + 1, 5000, 3950)
    second.recalled()
    assert float(second.day.equity[0]) == 4900
    assert second.states[0] is State.CRITICAL


def test_a_rule_that_knows_no_peak_does_not_cost_the_base_of_the_next_day(
    shift, database: Rms
) -> None:
    first = shift(MIDNIGHT - 3)
    first.see(MIDNIGHT - 3, 5200, 5200)
    first.recalled()
    first.see(MIDNIGHT - 1, 5200, 4900)
    assert first.states[1] is State.UNKNOWN
    written(database, MIDNIGHT - 1)
    first.end()
    second = shift(MIDNIGHT + 1)
    second.see(MIDNIGHT + 1, 5200, 3950)
    second.recalled()
    assert float(second.day.equity[0]) == 4900
    assert second.states == [State.CRITICAL, State.UNKNOWN]


def test_figures_that_a_killed_process_would_have_renewed_before_the_rollover_are_no_base(
    shift, database: Rms
) -> None:
    first = shift(MIDNIGHT - 5)
    first.see(MIDNIGHT - 5, 5000, 5000)
    first.recalled()
    first.see(MIDNIGHT - 2, 5000, 4900)
    written(database, MIDNIGHT - 2)
    first.end()
    second = shift(MIDNIGHT + 0.5)
    second.see(MIDNIGHT + 0.5, 5000, 3950)
    second.recalled()
    assert second.states[0] is State.UNKNOWN


def test_away_too_long_over_the_rollover_is_unknown_and_not_guessed(shift, database: Rms) -> None:
    first = shift(MIDNIGHT - 30)
    first.see(MIDNIGHT - 30, 5000, 5000)
    first.recalled()
    written(database, first.now)
    first.end()
    second = shift(MIDNIGHT + 600)
    second.see(MIDNIGHT + 600, 5000, 3100)
    second.recalled()
    assert math.isnan(float(second.day.equity[0]))
    assert second.states == [State.UNKNOWN, State.UNKNOWN]
    second.see(MIDNIGHT + 602, 5000, 3000)
    assert second.states == [State.UNKNOWN, State.BREACHED], "the peak was 5000 at least"


@pytest.mark.parametrize(
    ("watched_last", "removed"), [(MIDNIGHT - 3600, False), (MIDNIGHT - 60, True)]
)
def test_an_account_let_go_of_before_the_end_was_not_watched_until_then(
    shift, database: Rms, watched_last: float, removed: bool
) -> None:
    first = shift(watched_last)
    first.see(watched_last, 5000, 5000)
    first.recalled()
    written(database, first.now)
    until(lambda: database.elements.find_one({"login": 1001, "account.equity": 5000}))
    until(lambda: database.memory.find_one({"login": 1001, "last.equity": 5000}))
    first.end()
    if removed:
        database.elements.update_one({"login": 1001}, {"$set": {"status": "REMOVED"}})
    end = {"$set": {"until": datetime.fromtimestamp(MIDNIGHT - 1, UTC)}}
    database.watches.update_one({"_id": "Test-Server"}, end)
    second = shift(MIDNIGHT + 1)
    second.see(MIDNIGHT + 1, 5000, 3950)
    second.recalled()
    assert math.isnan(float(second.day.equity[0]))
    assert second.states == [State.UNKNOWN, State.UNKNOWN]


def test_a_base_an_operator_enters_is_used_by_the_running_process(shift, database: Rms) -> None:
    running = shift(MIDNIGHT + 600)
    running.see(MIDNIGHT + 600, 5200, 3000)
    running.recalled()
    assert running.states[0] is State.UNKNOWN
    entry = BaseEntry(1001, MIDNIGHT, 5000.0, 4100.0, "eva@desk", time.time())
    entries.enter(database, "Test-Server", entry)
    entries.enter(database, "Test-Server", entry)
    until(lambda: running.monitor.entries_waiting)
    running.see(MIDNIGHT + 602, 5200, 3000)
    assert Origin(int(running.day.origin[0])) is Origin.MANUAL
    assert running.states[0] is State.BREACHED
    rows = list(database.audit.find({"action": "base"}))
    assert [(row["login"], row["operator"]) for row in rows] == [(1001, "eva@desk")]


def test_a_base_entered_on_the_screen_is_written_with_its_audit_row(shift, database: Rms) -> None:
    running = shift(MIDNIGHT + 600)
    running.see(MIDNIGHT + 600, 5200, 3000)
    running.recalled()
    assert len(running.monitor.enter_base(1001, 5000.0, 4100.0, "eva@desk")) == 1
    running.see(MIDNIGHT + 602, 5200, 3000)
    assert running.states[0] is State.BREACHED
    until(lambda: database.audit.count_documents({"action": "base"}) == 1)
    with pytest.raises(ValueError, match="not watched"):
        running.monitor.enter_base(7, 1.0, 1.0, "eva@desk")


def test_a_peak_entered_in_another_process_is_used_and_one_line_of_audit(
    shift, database: Rms
) -> None:
    running = shift(MIDNIGHT + 600)
    running.see(MIDNIGHT + 600, 5200, 5200)
    running.recalled()
    assert running.states[1] is State.UNKNOWN
    entry = PeakEntry(1001, Trail("equity", "ignore"), 7300.0, "eva@desk", MIDNIGHT + 601)
    entries.enter(database, "Test-Server", entry)
    entries.enter(database, "Test-Server", entry)
    until(lambda: running.monitor.entries_waiting)
    running.see(MIDNIGHT + 602, 5200, 5200)
    assert running.states[1] is State.BREACHED
    row = database.audit.find_one({"action": "peak"})
    assert (row["operator"], row["peak"]["source"], row["peak"]["value"]) == (
        "eva@desk", "equity", 7300.0,
    )  # fmt: skip
    assert database.audit.count_documents({"action": "peak"}) == 1


def test_a_peak_entered_on_the_screen_outlives_a_restart(shift, database: Rms) -> None:
    first = shift(MIDNIGHT + 600)
    first.see(MIDNIGHT + 600, 5200, 5200)
    first.recalled()
    trail = Trail("equity", "ignore")
    said = first.monitor.enter_peak(1001, trail, 7000.0, "eva@desk")
    assert [one.words for one in said] == ["equity peak: used"]
    first.see(MIDNIGHT + 602, 5200, 5200)
    until(lambda: database.audit.count_documents({"action": "peak"}) == 1)
    written(database, first.now)
    first.end()
    second = shift(MIDNIGHT + 604)
    second.see(MIDNIGHT + 604, 5200, 5200)
    second.recalled()
    assert second.states[1] is State.CRITICAL or second.states[1] is State.CAUTION
    with pytest.raises(ValueError, match="not watched"):
        second.monitor.enter_peak(7, trail, 1.0, "eva@desk")
    with pytest.raises(ValueError, match="amounts of money"):
        second.monitor.enter_peak(1001, trail, math.nan, "eva@desk")
    with pytest.raises(ValueError, match="amounts of money, 0 or more"):
        second.monitor.enter_base(1001, 5000.0, -1.0, "eva@desk")
    with pytest.raises(ValueError, match="no rule here follows"):
        second.monitor.enter_peak(1001, Trail("balance", "ignore"), 1.0, "eva@desk")


def test_nothing_is_written_over_what_is_not_read_back_yet(shift, database: Rms) -> None:
    first = shift(MIDNIGHT - 1)
    first.see(MIDNIGHT - 1, 5000, 5000)
    first.recalled()
    first.see(MIDNIGHT + 1, 5000, 5600)
    written(database, MIDNIGHT + 1)
    first.end()
    second = shift(MIDNIGHT + 5)
    second.see(MIDNIGHT + 5, 5000, 5300)
    until(lambda: database.elements.find_one({"account.equity": 5300}))
    change = AccountChange(7, "Test-Server", "add", "eva", MIDNIGHT + 5)
    second.monitor.outbox.put(change)  # written by the next round, after memory had its turn
    until(lambda: database.audit.find_one({"login": 7}))
    found = database.memory.find_one({"login": 1001}) or {}
    assert [peak["value"] for peak in found["peaks"]] == [5600]
    written(database, MIDNIGHT + 1)


@settings(deadline=None)
@given(equities=st.lists(st.integers(3000, 7000), min_size=3, max_size=8))
def test_which_rows_changed_is_never_missed(equities: list[int]) -> None:
    """Writing only changed rows leaves the same documents as writing all of them."""
    feed = FakeFeed()
    monitor = Monitor(feed, PLAN, interval=1.0, clock=lambda: MIDNIGHT)
    before, kept = None, {}
    for i, equity in enumerate((5000, *equities)):  # at its initial balance: the peak is known
        feed.newest = book([{"balance": 5000, "equity": equity}], at=MIDNIGHT + i)
        frame = monitor.step()
        if memories.changed_rows(frame.memory, before)[0]:
            kept = {key: float(peak.value[0]) for key, peak in frame.memory.peaks.items()}
        before = frame.memory
    now = {key: float(peak.value[0]) for key, peak in before.peaks.items()}
    assert repr(kept) == repr(now)
