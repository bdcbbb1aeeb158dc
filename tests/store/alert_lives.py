"""Lives of alerts drawn from a seed: a desk that is killed, restarted, taken over and slow to hear
its database, beside one that never stopped.

The monitor, the alerts' writer and memory are the real ones on a real mongod; only threads are
left out, so that what happens between two of their steps can be drawn as well.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from tests.feeds import FakeFeed
from tests.risk.desk import book

from rms_tui.alerts import Alert, AlertEvent, Handling, Stage
from rms_tui.alerts.life import answered_at, handled
from rms_tui.book import Book
from rms_tui.feed import Selection
from rms_tui.frame import FeedState, Frame
from rms_tui.monitor import Monitor
from rms_tui.risk.profile import Plan, RiskProfile
from rms_tui.risk.verdict import State
from rms_tui.store import alerts, memory
from rms_tui.store.alert_query import going_on
from rms_tui.store.alert_writer import AlertWriter
from rms_tui.store.database import Rms
from rms_tui.store.memory import MemoryWriter
from rms_tui.store.status import StatusWriter

SERVER = "Test-Server"
EVENING = 1_772_485_000.0
"""2026-03-02 20:56:40 UTC."""

INTERVAL, HOLD = 5.0, 10.0
RULES = [
    {"rule": "max_loss", "amount": -1000},
    {"rule": "daily_loss", "base": "equity", "amount": 1500, "zone": "UTC"},
    {"rule": "trailing_drawdown", "peak": "equity", "amount": 2000},
]
MILD = [{"rule": "max_loss", "amount": -5000}]
PLAN = Plan(
    profiles=(
        RiskProfile.model_validate({"name": "desk", "rules": RULES, "initial_balance": 10_000}),
        RiskProfile.model_validate({"name": "mild", "rules": MILD}),
    ),
    default="desk",
)
GOOD = 5.0
"""Not 0: an account that has nothing but its initial balance is known to be at its start."""

LOGINS = (1001, 1002, 1003, 1004)
FLOATING = (
    GOOD,
    GOOD,
    GOOD,
    -200.0,
    -850.0,
    -960.0,
    -1100.0,
    -1600.0,
    -6000.0,
    900.0,
    float("nan"),
)
BAD = (State.CAUTION, State.CRITICAL, State.BREACHED)


@dataclass
class World:
    """The market, whom the desk watches by which limits, and the time."""

    draw: random.Random
    now: float = EVENING
    floating: dict[int, float] = field(default_factory=lambda: dict.fromkeys(LOGINS, 0.0))
    own: dict[int, str] = field(default_factory=dict)
    without: frozenset[int] = frozenset()
    day: float = EVENING // 86_400
    looked: dict[int, float] = field(default_factory=dict)
    at_midnight: dict[int, float] = field(default_factory=lambda: dict.fromkeys(LOGINS, 0.0))
    peaks: dict[int, float] = field(default_factory=lambda: dict.fromkeys(LOGINS, 10_000.0))

    def turned(self) -> None:
        """Remember what the accounts had at the last look before midnight."""
        day = self.now // 86_400
        if day != self.day:
            self.day, self.at_midnight = day, self.looked
        self.looked = dict(self.floating)

    def seen(self, without: frozenset[int] = frozenset()) -> Book:
        logins = [login for login in LOGINS if login not in without]
        for one in logins:
            self.peaks[one] = float(np.fmax(self.peaks[one], 10_000.0 + self.floating[one]))
        rows = [
            {"login": one, "balance": 10_000.0, "floating": self.floating[one],
             "equity": 10_000.0 + self.floating[one]}
            for one in logins
        ]  # fmt: skip
        held = [
            {
                "account": row,
                "ticket": one,
                "opened": int(EVENING) + 7,
                "profit": self.floating[one],
            }
            for row, one in enumerate(logins)
        ]
        return book(rows, at=self.now, positions=held if self.now > EVENING + 10 else ())

    @property
    def selection(self) -> Selection:
        return Selection(without=self.without)


class Process:
    """One desk: what it shows at once, and what it has got from and into the database."""

    def __init__(self, world: World, database: Rms | None, ahead: float = 0.0) -> None:
        self.world, self.database = world, database
        self.feed = FakeFeed()
        self.ahead = ahead
        self.monitor = Monitor(self.feed, PLAN, interval=INTERVAL, clock=self.clock)
        self.since = 0
        self.shown: frozenset[int] = frozenset()
        self.first: float | None = None
        if database is not None:
            self.holds()

    def clock(self) -> float:
        return self.world.now + self.ahead

    def holds(self) -> None:
        """This process polls and writes from here on, as one whose lease was just given."""
        self.monitor.hold_alerts(HOLD)
        self.first = None
        self.writer = AlertWriter(self.monitor.restore, self.monitor.heard)
        self.memories = MemoryWriter()
        self.statuses = StatusWriter("manager")
        self.recalled = False
        self.told = False
        self.recalls = 0

    def poll(self) -> Frame:
        """Once more; the source learns a poll late whom it need not show."""
        self.feed.newest = self.world.seen(self.shown)
        self.shown = self.monitor.selection.without
        self.first = self.clock() if self.first is None else self.first
        return self.monitor.step()

    @property
    def waits(self) -> bool:
        """Whether what the database knows must be waited for still."""
        return not self.told and (self.first is None or self.clock() < self.first + HOLD)

    def follow(self, holder: Process) -> None:
        """Show what the holder shows, as the stream brings it."""
        frame = holder.monitor.frames.value
        assert frame is not None
        found, _ = holder.monitor.edges.between(self.since, frame.edges)
        self.since = frame.edges
        self.feed.newest = frame.book
        assert frame.assessment is not None
        self.monitor.set_plan(frame.assessment.scope.plan)
        self.monitor.go_on_from(frame.memory, frame.desk, found)
        self.monitor.step()
        self.monitor.show_desk(frame.desk)

    def take_over(self) -> None:
        self.feed = FakeFeed()
        self.holds()
        self.monitor.set_plan(PLAN)
        self.monitor.take_feed(self.feed, live=FeedState.LIVE, selection=Selection())
        self.monitor.go_on_alone(remember=True)

    def write(self, most: int | None = None) -> None:
        """What the store thread does in one round; killed after `most` facts."""
        assert self.database is not None
        monitor, writer, server = self.monitor, self.writer, SERVER
        if monitor.frames.value is None or monitor.frames.value.book is None:
            return
        if not writer.restored:
            writer.hear(self.database, server, self.clock())
        facts = [one for one in monitor.outbox.oldest(1000) if isinstance(one, AlertEvent)]
        facts = facts if most is None else facts[:most]
        if facts:
            writer.write(self.database, facts, lambda run, put: put(run) if run else None)
        if most is not None:
            return
        monitor.outbox.drop(len(monitor.outbox))
        writer.hear(self.database, server, self.clock())
        frame = monitor.frames.value
        if not self.recalled and frame.memory is not None:
            stored, _ = memory.read(self.database, server, frame.memory.login.tolist())
            if stored is not None:
                self.recalls = monitor.recall(stored)
            self.recalled = True
        self.statuses.write(self.database, frame, self.clock())
        if self.recalled and frame.recalls >= self.recalls:
            self.memories.write(self.database, frame, self.statuses.figures_at)
        monitor.set_own_profiles(self.world.own)
        if monitor.selection != self.world.selection:
            monitor.select(self.world.selection)
        if not self.told:
            self.told = True
            monitor.release_alerts()

    def edges(self) -> Sequence[AlertEvent]:
        found, complete = self.monitor.edges.between(0, self.monitor.edges.count)
        assert complete
        return found


@dataclass
class Life:
    """A drawn life, and what was seen in it."""

    database: Rms
    seed: int
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.world = World(self.draw)
        self.model = Process(self.world, None)
        self.desk = Process(self.world, self.database, self._ahead())
        self.follower: Process | None = None
        self.down = 0
        self.slow = self.draw.choice((0, 0, 1, 3))
        self.doings = 0

    def _ahead(self) -> float:
        """How wrong the clock of the next host is."""
        return self.draw.choice((0.0, 0.0004, 0.0337, -0.0412, 2.5, -3.0))

    def live(self, steps: int) -> None:
        for _ in range(2):
            self.poll()
        self.world.floating = dict.fromkeys(LOGINS, GOOD)
        for _ in range(steps):
            self.draw.choices(
                (self.turn, self.kill, self.quiet_kill, self.answer, self.midnight, self.limits,
                 self.selection, self.away, self.second),
                (12, 2, 1, 4, 1, 1, 1, 2, 1),
            )[0]()  # fmt: skip
            self.poll()
        self.settle()

    # What may happen

    def turn(self) -> None:
        for login in self.draw.sample(LOGINS, 2):
            self.world.floating[login] = self.draw.choice(FLOATING)

    def kill(self) -> None:
        """kill -9 with some of the facts written; another takes over, or it is started later."""
        if self.down:
            return
        self.counts["killed"] += 1
        self.check_edges(self.desk)
        self.desk.write(most=self.draw.randrange(3)) if self.desk.told else None
        self.slow = self.draw.choice((0, 0, 1, 2, 4))
        if self.follower is not None:
            self.counts["taken over"] += 1
            self.desk, self.follower = self.follower, None
            self.desk.take_over()
        else:
            self.down = self.draw.choice((1, 2, 30))

    def quiet_kill(self) -> None:
        """Killed after everything was written, and away for hours or days."""
        if self.down or self.slow:
            return
        self.desk.write()
        self.kill()
        for _ in range(self.draw.choice((1, 3)) if self.down else 0):
            self.skip(self.draw.choice((3600.0, 86_400.0)))

    def answer(self) -> None:
        """An operator answers an alert: here, at the follower's, or in a shell; sometimes two."""
        for _ in range(self.draw.choice((1, 1, 2))):
            if not self.down and self.draw.random() < 0.5:
                self._answer_here()
            else:
                self._answer_elsewhere()

    def _answer_here(self) -> None:
        frame = self.desk.monitor.frames.value
        if frame is not None and frame.alerts:
            alert = self.draw.choice(frame.alerts)
            if self.draw.random() < 0.6:
                done = self.desk.monitor.acknowledge(alert.id, "ann", None)
            else:
                done = self.desk.monitor.snooze(alert.id, self.draw.choice((4, 60, 7200)), "ann")
            self.counts["answered here"] += done

    def _answer_elsewhere(self) -> None:
        found = [one for one in going_on(self.database, SERVER, self.world.now) if one.is_open]
        if found:
            self._written(self.draw.choice(sorted(found, key=lambda one: one.id)))

    def _written(self, alert: Alert) -> None:
        at = answered_at(alert, self.world.now + self._ahead())
        if self.draw.random() < 0.6:
            by = Handling(alert.id, "acknowledged", "bob", at, alert.severity)
        else:
            until = at + self.draw.choice((4, 60, 7200))
            by = Handling(alert.id, "snoozed", "bob", at, alert.severity, until=until)
        after = handled(alert, by)
        if after is not None:
            self.counts["answered elsewhere"] += 1
            alerts.apply(self.database, [AlertEvent(by.change, after, by.at)])

    def midnight(self) -> None:
        """The rollover, watched or not."""
        self.skip(86_400.0 - self.world.now % 86_400.0 - 2 * INTERVAL - 1)
        for _ in range(3):
            self.poll()

    def limits(self) -> None:
        login = self.draw.choice(LOGINS)
        own = {one: name for one, name in self.world.own.items() if one != login}
        self.world.own = own if login in self.world.own else {**own, login: "mild"}
        self.counts["limits"] += 1

    def selection(self) -> None:
        self.world.without ^= {self.draw.choice(LOGINS)}

    def away(self) -> None:
        """The database does not answer for some rounds, or the stream breaks off."""
        self.slow = max(self.slow, self.draw.choice((1, 2, 5)))
        self.desk.writer.disconnected()

    def second(self) -> None:
        if self.follower is None and not self.down and not self.slow:
            self.follower = Process(self.world, None, self._ahead())
            self.follower.database = self.database

    # How it goes on

    def skip(self, seconds: float) -> None:
        """Time in which nobody looks at the market but the one who never stops."""
        self.world.now += seconds
        self.world.turned()
        self._model()
        if not self.down:
            self.step()

    def poll(self) -> None:
        self.world.now += INTERVAL
        self.world.turned()
        self._model()
        if self.down:
            self.down -= 1
            if not self.down:
                self.counts["restarted"] += 1
                self.desk = Process(self.world, self.database, self._ahead())
            return
        self.step()

    def _model(self) -> None:
        self.model.monitor.set_own_profiles(self.world.own)
        self.model.monitor.select(self.world.selection)
        self.model.poll()

    def step(self) -> None:
        before = self.desk.monitor.edges.count
        self.desk.poll()
        self.check_causes(before)
        if self.slow:
            self.slow -= 1
        else:
            self.desk.write()
            self.check_database()
        if self.follower is not None:
            self.follower.follow(self.desk)

    def settle(self) -> None:
        """All is clearly good or clearly bad until both desks have seen it, and say the same."""
        self.down, self.slow = min(self.down, 1), 0
        self.world.without = frozenset()
        for login in LOGINS:
            self.world.floating[login] = self.draw.choice((GOOD, -6000.0))
        for _ in range(8):
            self.poll()
        self.check_edges(self.desk)
        if self.follower is not None:
            self.check_edges(self.follower)
        ours, theirs = self.standing(self.desk), self.standing(self.model)
        known = {one for one in theirs if one[1].endswith("max_loss")}
        mine = {one for one in ours if one[1].endswith("max_loss")}
        assert mine == known, (self.seed, mine, known)
        alerts_here = {alert.episode: alert for alert in self.desk.monitor.frames.value.alerts}
        for episode in ours - theirs:
            alert = alerts_here[episode]
            undecided = self.state_of(alert, self.desk) is State.UNKNOWN
            assert undecided or self.is_true(alert), (self.seed, alert, self.state_of(alert))
        self.check_shown()
        asked = {"action": {"$in": ["acknowledge", "snooze"]}}
        doings = self.counts["answered here"] + self.counts["answered elsewhere"]
        assert self.database.audit.count_documents(asked) <= doings, self.seed

    def standing(self, desk: Process) -> set[tuple[int, str]]:
        frame = desk.monitor.frames.value
        assert frame is not None
        return {alert.episode for alert in frame.alerts if alert.login}

    # What must hold

    def check_causes(self, before: int) -> None:
        """Nothing was raised that the one who never stopped does not see as bad now."""
        found, _ = self.desk.monitor.edges.between(before, self.desk.monitor.edges.count)
        for edge in found:
            self.counts[edge.change] += 1
            if edge.change in ("raised", "risen") and edge.alert.login:
                assert not self.desk.waits, (self.seed, edge)
                if not self.heard():
                    self.counts["raised by limits not heard of yet"] += 1
                    continue
                assert self.is_true(edge.alert), (self.seed, edge, self.state_of(edge.alert))

    def heard(self) -> bool:
        """Whether the desk knows whom to watch by which limits, as they stand."""
        monitor = self.desk.monitor
        same_limits = dict(monitor.own_profiles) == self.world.own
        return same_limits and monitor.selection == self.world.selection

    def is_true(self, alert: Alert) -> bool:
        """Whether the one who never stopped says so too; of a peak or base it lost sight of,
        whether the account had it."""
        lost_sight = self.state_of(alert) is State.UNKNOWN
        if alert.rule == "trailing_drawdown" and lost_sight:
            return alert.limit + 2000 <= self.world.peaks[alert.login] + 0.005
        if alert.rule == "daily_loss" and lost_sight:
            return alert.limit + 1500 == 10_000.0 + self.world.at_midnight[alert.login]
        return self.state_of(alert) in BAD

    def state_of(self, alert: Alert, by: Process | None = None) -> State | None:
        """The verdict of a desk, of the one who never stopped; None where it does not judge."""
        frame = (by or self.model).monitor.frames.value
        assert frame is not None
        assert frame.book is not None
        assert frame.assessment is not None
        row = int(np.searchsorted(frame.book.accounts.login, alert.login))
        for applied, verdict in zip(
            frame.assessment.scope.applied, frame.assessment.verdicts, strict=True
        ):
            rows = np.arange(len(frame.book.accounts)) if verdict.rows is None else verdict.rows
            if applied.key == alert.key and row in rows:
                return State(int(verdict.state[int(np.searchsorted(rows, row))]))
        return None

    def check_database(self) -> None:
        """One open alert an episode; an episode is raised again only after it ended."""
        by_episode: dict[tuple[int, str], list[dict[str, Any]]] = {}
        for one in self.database.alerts.find().sort("raised_at", 1):
            by_episode.setdefault((one["login"], one["key"]), []).append(one)
        for episode, ones in by_episode.items():
            open_ones = [one for one in ones if one["open"]]
            assert len(open_ones) <= 1, (self.seed, episode, open_ones)
            for old, new in pairwise(ones):
                ended = old["recovered_at"] or old["closed_at"]
                late = (ended - new["raised_at"]).total_seconds()
                assert late <= 6.0, (self.seed, old, new)  # hosts' clocks differ by that

    def check_shown(self) -> None:
        """What is shown of an open alert is what stands in the database."""
        frame = self.desk.monitor.frames.value
        assert frame is not None
        written = {one["_id"]: one for one in self.database.alerts.find({"open": True})}
        for alert in frame.alerts:
            one = written[alert.id]
            said = (self.seed, alert, one)
            assert (alert.stage, alert.severity.word) == (one["stage"], one["severity"]), said
            if alert.stage is Stage.ACKNOWLEDGED:
                assert alert.operator == one["operator"], said

    def check_edges(self, desk: Process) -> None:
        """Each edge once, and only where the one before allows it."""
        stages: dict[str, Stage] = {}
        stood: dict[str, tuple[object, ...]] = {}
        escalated: set[str] = set()
        for edge in desk.edges():
            alert, before = edge.alert, stages.get(edge.alert.id)
            said = (self.seed, edge, before)
            match edge.change:
                case "raised":
                    assert before is None, said
                case "restated":
                    assert doings(alert) != stood.get(alert.id), said
                case "acknowledged":
                    assert before in (Stage.RAISED, Stage.SNOOZED), said
                case "woken":
                    assert before is Stage.SNOOZED, said
                case "escalated":
                    assert before is Stage.RAISED, said
                    assert alert.id not in escalated, said
                    escalated.add(alert.id)
                case "recovered":
                    assert before in (Stage.RAISED, Stage.ACKNOWLEDGED, Stage.SNOOZED), said
                case "closed":
                    assert before not in (None, Stage.CLOSED), said
            if edge.change not in ("escalated", "restated"):
                escalated.discard(alert.id)
            stages[alert.id] = alert.stage
            stood[alert.id] = doings(alert)


def doings(alert: Alert) -> tuple[object, ...]:
    """How it stands, and who did what about it when."""
    times = (alert.acknowledged_at, alert.snoozed_at)
    rounded = (None if at is None else round(at, 3) for at in times)
    return alert.stage, alert.severity, alert.operator, alert.snoozed_by, *rounded
