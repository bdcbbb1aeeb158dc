"""`alerts`, `ack`, `snooze`, `evidence`: the alerts of MongoDB, which every console follows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn

from rms_tui import snapshot
from rms_tui.alerts import LONGEST_SNOOZE, Alert, AlertEvent, Handling, Stage, evidence
from rms_tui.alerts.asked import Asked, rule_named
from rms_tui.alerts.evidence import FIGURES, MOST_ACCOUNTS, Said
from rms_tui.alerts.life import answered_at, handled
from rms_tui.alerts.plain import Unreadable
from rms_tui.cli.exits import FAILED, OK, USAGE, end
from rms_tui.cli.oneshot import plain, print_json, print_table
from rms_tui.cli.storing import database
from rms_tui.moments import duration, since
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import loaded

if TYPE_CHECKING:  # pymongo is imported when a verb really asks
    from rms_tui.store.database import Rms


def show_alerts(
    shared: Given,
    *,
    open_only: bool,
    login: int | None,
    rule: str | None,
    by: str | None,
    since_text: str | None,
    until_text: str | None,
    json: bool,
) -> None:
    """Print the alerts that were asked for, the newest first."""
    from rms_tui.store.alert_query import history

    now = time.time()
    began = _or_usage(lambda: None if since_text is None else since(since_text, now))
    ended = _or_usage(lambda: None if until_text is None else since(until_text, now))
    named = _or_usage(lambda: None if rule is None else _rule(rule))
    asked = Asked(open_only, login, named, by, began, ended)
    with database(loaded(shared).settings) as found:
        alerts = history(found, asked)
    if json:
        print_json([snapshot.alert_shape(alert) for alert in alerts])
    elif not alerts:
        print(_nothing(asked))
    else:
        _print_alerts(alerts)
        if len(alerts) == asked.most:
            print(f"… only the newest {asked.most}: narrow it by --login, --rule or --since")


def acknowledge(shared: Given, alert_id: str, note: str | None, *, json: bool) -> None:
    """Mark an alert as handled, in the name of whoever runs this."""
    with database(loaded(shared).settings) as found:
        alert = _open_alert(found, alert_id, "acknowledge")
        at = answered_at(alert, time.time())
        by = Handling(alert.id, "acknowledged", operator(), at, alert.severity, note)
        alert, done = _written(found, alert, by)
    if json:
        print_json(snapshot.alert_shape(alert))
        return
    who, when = plain(alert.operator or "?"), _clock(alert.acknowledged_at)
    already = "" if done else "already "
    print(f"{alert.id}  {already}acknowledged by {who} at {when}  {alert.login} {alert.rule}")


def snooze(shared: Given, alert_id: str, text: str, *, json: bool) -> None:
    """Silence an alert for a time, in the name of whoever runs this."""
    seconds = _or_usage(lambda: duration(text))
    if not 0 < seconds <= LONGEST_SNOOZE:
        end(f"{text!r}: expected more than 0 and at most 7 days", USAGE)
    with database(loaded(shared).settings) as found:
        alert = _open_alert(found, alert_id, "snooze")
        now = time.time()
        at = answered_at(alert, now)
        by = Handling(alert.id, "snoozed", operator(), at, alert.severity, until=now + seconds)
        alert, _ = _written(found, alert, by)
    if json:
        print_json(snapshot.alert_shape(alert))
        return
    until = _clock(alert.snoozed_until)
    print(f"{alert.id}  snoozed until {until} by {plain(alert.snoozed_by or '?')}  "
          f"{alert.login} {alert.rule}")  # fmt: skip


def show_evidence(shared: Given, alert_id: str, *, json: bool) -> None:
    """Decide an alert's raise and rises again from what was kept; exit status 1 if one differs."""
    from rms_tui.store.evidence import of_alert

    with database(loaded(shared).settings) as found:
        alert = _alert(found, alert_id)
        documents = of_alert(found, alert.id)
    if not documents:
        end(
            f"no evidence of alert {alert.id} was kept: it is about the feed itself, was raised "
            f"with more than {MOST_ACCOUNTS} others at once, or by an older version",
            FAILED,
        )
    edges = [_replayed(one) for one in documents]
    equal = all(edge["equal"] for edge in edges)
    if json:
        print_json({"alert": snapshot.alert_shape(alert), "equal": equal, "edges": edges})
    else:
        _print_evidence(alert, edges)
    raise SystemExit(OK if equal else FAILED)


def _replayed(found: Mapping[str, Any]) -> dict[str, Any]:
    said: Said | None = None
    again: Said | None = None
    problem = None
    try:
        said = evidence.stored(found)
        again = evidence.replayed(found)
    except Unreadable as error:
        problem = str(error)
    at = found.get("at")
    return {
        "severity": str(found.get("severity")),
        "at": snapshot.utc(at.timestamp()) if isinstance(at, datetime) else None,
        "stored": None if said is None else said.shape(),
        "recomputed": None if again is None else again.shape(),
        "equal": said is not None and again is not None and said.same_as(again),
        "problem": problem,
        **{part: found.get(part) for part in ("key", "profile", "book", "memory")},
    }


def _print_evidence(alert: Alert, edges: Sequence[Mapping[str, Any]]) -> None:
    print(f"{alert.id}  {alert.login} {plain(alert.name)}  {alert.rule}  {plain(alert.profile)}")
    for edge in edges:
        print(f"\n{plain(edge['severity']).upper()} at {edge['at'] or 'n/a'}")
        stored, again = edge["stored"] or {}, edge["recomputed"] or {}
        print_table(
            ("", "Stored", "Recomputed"),
            [
                (name, _exact(stored.get(name)), _exact(again.get(name)))
                for name in ("state", "reason", *FIGURES)
            ],
        )
        verdict = "the same verdict" if edge["equal"] else "NOT the same verdict"
        print(verdict if edge["problem"] is None else f"{verdict}: {plain(edge['problem'])}")


def _exact(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) and isfinite(value) else plain(value)


def _written(found: Rms, alert: Alert, by: Handling) -> tuple[Alert, bool]:
    """The alert as it stands after a handling, and whether this handling is the one that stands."""
    from rms_tui.store import alerts as store

    after = handled(alert, by)
    if after is not None:
        store.apply(found, [AlertEvent(by.change, after, by.at)])
        alert = _alert(found, alert.id)
    if alert.stage is not (Stage.ACKNOWLEDGED if by.change == "acknowledged" else Stage.SNOOZED):
        end(
            f"alert {alert.id} is {alert.severity.word} and {alert.stage.value} now: it changed"
            " while you answered; look at it and answer again",
            FAILED,
        )
    stands = alert.operator if by.change == "acknowledged" else alert.snoozed_by
    return alert, after is not None and stands == by.operator


def _alert(found: Rms, alert_id: str) -> Alert:
    from rms_tui.store.alert_query import by_id

    alert = by_id(found, alert_id)
    if alert is None:
        end(f"no alert {plain(alert_id)}: `rms-tui alerts` lists them with their ids", USAGE)
    return alert


def _open_alert(found: Rms, alert_id: str, verb: str) -> Alert:
    alert = _alert(found, alert_id)
    if not alert.is_open:
        when = _clock(alert.changed_at)
        end(f"alert {alert.id} {alert.stage} at {when}: nothing to {verb}", FAILED)
    return alert


def _print_alerts(alerts: Sequence[Alert]) -> None:
    several = len({alert.server for alert in alerts}) > 1
    titles = ("Id", "Raised (UTC)", "Severity", "Stage", "Login", "Rule", "Value", "Limit", "Used%",
              "Handled by", "Note")  # fmt: skip
    rows: list[tuple[object, ...]] = [
        (
            alert.id,
            _clock(alert.raised_at, zone=""),
            alert.severity.word.upper(),
            _stage(alert),
            str(alert.login),
            alert.rule,
            alert.value,
            alert.limit,
            alert.used * 100,
            _handler(alert),
            alert.note or "",
            *((alert.server,) if several else ()),
        )
        for alert in alerts
    ]
    print_table((*titles, *(("Server",) if several else ())), rows)


def _stage(alert: Alert) -> str:
    if alert.stage is Stage.SNOOZED:
        return f"snoozed until {_clock(alert.snoozed_until, zone='')}"
    if alert.stage is Stage.RAISED and alert.escalated_at is not None:
        return "escalated"
    return alert.stage.value


def _handler(alert: Alert) -> str:
    return (alert.snoozed_by if alert.stage is Stage.SNOOZED else alert.operator) or ""


def _nothing(asked: Asked) -> str:
    narrowed = [
        f"{name} {plain(value)}"
        for name, value in (
            ("login", asked.login),
            ("rule", asked.rule),
            ("operator", asked.operator),
            ("since", None if asked.since is None else _clock(asked.since)),
            ("until", None if asked.until is None else _clock(asked.until)),
        )
        if value is not None
    ]
    what = "no open alerts" if asked.open_only else "no alerts"
    return f"{what} match {', '.join(narrowed)}" if narrowed else what


def _clock(when: float | None, zone: str = " UTC") -> str:
    if when is None:
        return "n/a"
    return f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M:%S}{zone}"


def _rule(given: str) -> str:
    """A rule that there is: a slip would look like a day without alerts."""
    try:
        return rule_named(given)
    except ValueError as error:
        raise ValueError(f"--rule {error} (from option)") from None


def _or_usage(read: Any) -> Any:
    try:
        return read()
    except ValueError as error:
        _usage(error)


def _usage(error: ValueError) -> NoReturn:
    end(str(error), USAGE)
