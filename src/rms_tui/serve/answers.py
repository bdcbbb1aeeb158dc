"""What is done for each request, and what is said about it.

Runs in a thread of its own, never in the server's loop: a source may take seconds to answer. Each
function gets a checked request and gives the reply's fields; what cannot be done is Refused, in
words for a dealer. Who may ask is decided before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import orjson

from rms_tui import snapshot
from rms_tui.alert_edges import Edges
from rms_tui.alerts import Alert
from rms_tui.book import Deals, column_types, empty
from rms_tui.feed import Feed, FeedError
from rms_tui.frame import Frame
from rms_tui.latest import Latest
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.entries import Outcome as EntryOutcome
from rms_tui.risk.exposure import Exposure
from rms_tui.risk.memory import Memory
from rms_tui.risk.own_profile import OwnProfile
from rms_tui.risk.profile import Rollover, Trail
from rms_tui.risk.stress import Laid, Shock, Stressed, laid, opposite, stress
from rms_tui.serve import wire
from rms_tui.serve.columns import encoded
from rms_tui.serve.packed import Held, pack
from rms_tui.serve.packed_alerts import alert_exactly
from rms_tui.serve.standing import pending_shape
from rms_tui.serve.wire import Refused

Shape = dict[str, Any]
PATIENCE = 10.0
"""Seconds a source is given to answer."""


class Watched(Protocol):
    """What is served: a Monitor, or whoever stands in for one. Any method from any thread."""

    @property
    def frames(self) -> Latest[Frame]: ...

    @property
    def edges(self) -> Edges: ...

    @property
    def feed(self) -> Feed: ...

    @property
    def interval(self) -> float: ...

    @property
    def running(self) -> bool: ...

    def add(
        self, logins: Sequence[int], operator: str, timeout: float = PATIENCE
    ) -> Sequence[tuple[int, str]]: ...

    def remove(self, logins: Sequence[int], operator: str) -> Sequence[tuple[int, str]]: ...

    def acknowledge(self, alert_id: str, operator: str, note: str | None = None) -> bool: ...

    def snooze(self, alert_id: str, seconds: float, operator: str) -> bool: ...

    def set_interval(self, seconds: float) -> None: ...

    def assign(self, login: int, profile: OwnProfile | None, operator: str) -> None: ...

    def enter_base(
        self, login: int, balance: float, equity: float, operator: str
    ) -> Sequence[EntryOutcome]: ...

    def enter_peak(
        self, login: int, trail: Trail, value: float, operator: str
    ) -> Sequence[EntryOutcome]: ...

    def history(self, logins: Sequence[int] | None, timeout: float = PATIENCE) -> Deals: ...


PastAlerts = Callable[[int | None, str | None, int], Sequence[Alert]]
"""The newest stored alerts of a login and a rule (None: any), so many at most."""


class Everybody:
    """The snapshots of all accounts, made and encoded once a Frame for all who ask.

    They take a second for ten thousand accounts: nobody shall make the server do that again and
    again by asking.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._data = orjson.Fragment(b"{}")

    def data(self, watched: Watched, frame: Frame) -> orjson.Fragment:
        """`{login: snapshot}` of a Frame, encoded."""
        with self._lock:
            if self._frame is not frame:
                self._data = orjson.Fragment(encoded(snapshots(watched, frame, None)))
                self._frame = frame
            return self._data


@dataclass(frozen=True, slots=True)
class Desk:
    """What requests are answered from. `past_alerts` is None without a database."""

    watched: Watched
    past_alerts: PastAlerts | None = None
    everybody: Everybody = field(default_factory=Everybody)


def answer(desk: Desk, request: wire.Request, operator: str) -> Shape:
    """The reply to a request, without `id` and `timestamp`. Raises Refused."""
    try:
        return _ANSWERS[type(request)](desk, request, operator)
    except FeedError as error:
        raise Refused("failed", error.text) from None
    except ValueError as error:
        raise Refused("refused", str(error)) from None


def initial(desk: Desk) -> Shape:
    """RMS's first message: all snapshots and the stats; no accounts before the first Book."""
    frame = desk.watched.frames.value
    known = frame is not None and frame.book is not None
    data = desk.everybody.data(desk.watched, frame) if known and frame is not None else {}
    return {"type": "initial", "data": data, "stats": stats(desk)}


def stats(desk: Desk) -> Shape:
    """RMS's stats of the newest Frame."""
    watched = desk.watched
    return snapshot.stats_shape(
        watched.frames.value, running=watched.running, interval=watched.interval
    )


def snapshots(watched: Watched, frame: Frame, logins: Sequence[int] | None) -> Shape:
    """`{login: snapshot}`; `trades` is null where the source does not say."""
    try:
        return snapshot.accounts_snapshot(frame, watched.history(logins, PATIENCE), logins)
    except FeedError:
        found = snapshot.accounts_snapshot(frame, empty(Deals), logins)
        return {login: {**one, "trades": None} for login, one in found.items()}


def _frame(desk: Desk) -> Frame:
    frame = desk.watched.frames.value
    if frame is None or frame.book is None:
        raise Refused("not_ready", "the source has not given any account yet")
    return frame


def _judged(desk: Desk) -> tuple[Frame, Assessment, Memory, Exposure]:
    frame = _frame(desk)
    if frame.assessment is None or frame.memory is None or frame.exposure is None:
        raise Refused("not_ready", "the accounts have not been judged yet")
    return frame, frame.assessment, frame.memory, frame.exposure


def _known(frame: Frame, login: int) -> None:
    assert frame.book is not None
    rows = frame.book.accounts.login
    at = int(np.searchsorted(rows, login))
    if at >= len(rows) or rows[at] != login:
        raise Refused("not_found", f"account {login} is not watched", field="login_id")


def _get_snapshot(desk: Desk, asked: wire.GetSnapshot, _: str) -> Shape:
    frame = _frame(desk)
    if asked.login_id is None:
        return {"type": "snapshot", "data": desk.everybody.data(desk.watched, frame)}
    _known(frame, asked.login_id)
    found = snapshots(desk.watched, frame, [asked.login_id])
    return {"type": "snapshot", "login_id": asked.login_id, "data": found[str(asked.login_id)]}


def _get_exposure(desk: Desk, asked: wire.GetExposure, _: str) -> Shape:
    frame = _frame(desk)
    assert frame.book is not None
    if asked.symbol is not None and asked.symbol not in frame.book.symbols.name:
        raise Refused("not_found", f"symbol {asked.symbol} is not in this book", field="symbol")
    made: Shape = {
        "type": "exposure",
        "data": snapshot.exposure_shape(frame, asked.symbol),
        "currencies": snapshot.currency_shape(frame),
    }
    return made if asked.symbol is None else {**made, "symbol": asked.symbol}


def _get_stats(desk: Desk, _asked: wire.GetStats, _: str) -> Shape:
    return {"type": "stats", "data": stats(desk)}


def _get_alerts(desk: Desk, asked: wire.GetAlerts, _: str) -> Shape:
    frame = desk.watched.frames.value

    def wanted(one: Any) -> bool:
        mine = asked.login_id is None or one.login == asked.login_id
        return mine and (asked.rule is None or one.rule == asked.rule)

    shape = alert_exactly if asked.exact else snapshot.alert_shape
    history = None
    if asked.history:
        if desk.past_alerts is None:
            raise Refused("not_ready", "alert history needs MongoDB", field="history")
        found = desk.past_alerts(asked.login_id, asked.rule, asked.most)
        history = [shape(alert) for alert in found]
    shown = (() if frame is None else frame.alerts, () if frame is None else frame.recovered)
    pending = () if frame is None else frame.pending
    return {
        "type": "alerts",
        "open": [shape(alert) for alert in shown[0] if wanted(alert)],
        "recovered": [shape(alert) for alert in shown[1] if wanted(alert)],
        "pending": [pending_shape(one) for one in pending if wanted(one)],
        "history": history,
    }


def _get_deals(desk: Desk, asked: wire.GetDeals, _: str) -> Shape:
    frame = _frame(desk)
    if asked.login_id is not None:
        _known(frame, asked.login_id)
    logins = None if asked.login_id is None else [asked.login_id]
    deals = desk.watched.history(logins, PATIENCE)
    cells = {name: getattr(deals, name) for name in column_types(Deals)}
    packed = pack({"deals": Held(len(deals), cells, "ticket")}, None)
    return {"type": "deals", "data": packed["deals"]}


def _find_accounts(desk: Desk, asked: wire.FindAccounts, _: str) -> Shape:
    known = desk.watched.feed.known(asked.groups or asked.login_ids or (), PATIENCE)
    return {"type": "found", "found": sorted(known.found), "absent": sorted(known.absent)}


def _stress(desk: Desk, asked: wire.Stress, _: str) -> Shape:
    frame, assessed, memory, exposure = _judged(desk)
    book = frame.book
    assert book is not None
    if asked.scenario is not None:
        over = laid(assessed.scope.plan.scenario(asked.scenario), book)
    else:
        assert asked.percent is not None
        over = Laid((Shock(asked.symbol, asked.currency, asked.percent),))
    given = (book, assessed, memory, exposure)
    return {
        "type": "stress",
        "symbol": asked.symbol,
        "currency": asked.currency,
        "scenario": asked.scenario,
        "absent": list(over.absent),
        "unheld": list(over.unheld),
        "report_currency": exposure.report_currency,
        "up": _side(stress(*given, *over.shocks)),
        "down": _side(stress(*given, *opposite(over.shocks))),
    }


def _side(found: Stressed) -> Shape:
    def money(value: float) -> float | None:
        return round(value, 2) if np.isfinite(value) else None

    return {
        "percent": found.shocks[0].percent if len(found.shocks) == 1 else None,
        "moves": {shock.name: shock.percent for shock in found.shocks},
        "clients": money(found.clients),
        "coverage": money(found.coverage),
        "book": money(found.book),
        "breached": found.breached.tolist(),
        "margin_call": found.margin_call.tolist(),
        "stopped_out": found.stopped_out.tolist(),
        "negative": found.negative.tolist(),
        "undecided": found.undecided,
    }


def _done(request: wire.Request, message: str, **data: Any) -> Shape:
    return {"type": "success", "action": request.type, "message": message, "data": data}


def _add(desk: Desk, asked: wire.AddAccount, operator: str) -> Shape:
    return _joined(asked, desk.watched.add([asked.login_id], operator, PATIENCE), "added")


def _remove(desk: Desk, asked: wire.RemoveAccount, operator: str) -> Shape:
    return _joined(asked, desk.watched.remove([asked.login_id], operator), "removed")


def _joined(
    asked: wire.AddAccount | wire.RemoveAccount, outcomes: Sequence[tuple[int, str]], done: str
) -> Shape:
    login, outcome = outcomes[0]
    if outcome not in (done, "already watched"):
        raise Refused("not_found", f"account {login} is {outcome}", field="login_id")
    return _done(asked, f"account {login} {outcome}", login_id=login, outcome=outcome)


def _acknowledge(desk: Desk, asked: wire.Acknowledge, operator: str) -> Shape:
    if not desk.watched.acknowledge(asked.alert_id, operator, asked.note or None):
        raise _not_open(desk, asked.alert_id, "acknowledge")
    return _done(asked, f"alert {asked.alert_id} acknowledged by {operator}", operator=operator)


def _snooze(desk: Desk, asked: wire.Snooze, operator: str) -> Shape:
    if not desk.watched.snooze(asked.alert_id, asked.seconds, operator):
        raise _not_open(desk, asked.alert_id, "snooze")
    return _done(asked, f"alert {asked.alert_id} snoozed by {operator}", operator=operator)


def _not_open(desk: Desk, alert_id: str, verb: str) -> Refused:
    frame = desk.watched.frames.value
    for alert in () if frame is None else frame.alerts:
        if alert.id == alert_id:
            by = f" by {alert.operator}" if alert.operator else ""
            return Refused("refused", f"alert {alert_id} is {alert.stage.value}{by} already",
                           field="alert_id")  # fmt: skip
    text = f"no open alert {alert_id}: nothing to {verb}"
    return Refused("not_found", text, field="alert_id")


def _set_interval(desk: Desk, asked: wire.SetInterval, _: str) -> Shape:
    desk.watched.set_interval(asked.seconds)
    return _done(asked, f"polling every {asked.seconds:g} s", seconds=asked.seconds)


def _assign(desk: Desk, asked: wire.AssignProfile, operator: str) -> Shape:
    desk.watched.assign(asked.login_id, asked.profile, operator)
    named = asked.profile if isinstance(asked.profile, str) else "limits of its own"
    words = "the profile of its group" if asked.profile is None else named
    return _done(asked, f"account {asked.login_id} is judged by {words}", login_id=asked.login_id)


def _enter_base(desk: Desk, asked: wire.EnterBase, operator: str) -> Shape:
    outcomes = desk.watched.enter_base(asked.login_id, asked.balance, asked.equity, operator)
    return _entered(asked, outcomes)


def _enter_peak(desk: Desk, asked: wire.EnterPeak, operator: str) -> Shape:
    day = None
    if asked.zone is not None or asked.rollover is not None:
        day = Rollover(asked.zone or Rollover().zone, asked.rollover or Rollover().at)
    trail = Trail(asked.source, asked.withdrawals, day)
    return _entered(asked, desk.watched.enter_peak(asked.login_id, trail, asked.value, operator))


def _entered(asked: wire.EnterBase | wire.EnterPeak, outcomes: Sequence[EntryOutcome]) -> Shape:
    words = "; ".join(outcome.words for outcome in outcomes) or "no trading day is known yet"
    shapes = [
        {"of": asdict(outcome.of), "used": outcome.used, "why": outcome.why, "words": outcome.words}
        for outcome in outcomes
    ]
    return _done(asked, f"account {asked.login_id}: {words}", outcomes=shapes)


_ANSWERS: Mapping[type[Any], Callable[[Desk, Any, str], Shape]] = {
    wire.AddAccount: _add,
    wire.RemoveAccount: _remove,
    wire.GetSnapshot: _get_snapshot,
    wire.GetExposure: _get_exposure,
    wire.GetStats: _get_stats,
    wire.GetAlerts: _get_alerts,
    wire.GetDeals: _get_deals,
    wire.FindAccounts: _find_accounts,
    wire.Stress: _stress,
    wire.Acknowledge: _acknowledge,
    wire.Snooze: _snooze,
    wire.SetInterval: _set_interval,
    wire.AssignProfile: _assign,
    wire.EnterBase: _enter_base,
    wire.EnterPeak: _enter_peak,
}
