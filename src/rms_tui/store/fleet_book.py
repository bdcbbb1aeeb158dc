"""The fleet's documents as one Book, and as the verdicts its workers made: nothing is judged here.

A row is live while its element is watched and its worker pings, by the database's clock. One that
is not keeps its last figures with the reason why they are old: its state is UNKNOWN and no rule of
it says anything. Elements without figures are no rows; the fleet's own pane has them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np

from rms_tui.account_keys import AccountKeys
from rms_tui.alerts import Alert, Desk
from rms_tui.book import (
    Accounts,
    Book,
    Deals,
    Positions,
    Symbols,
    build,
    clock_offset,
    empty,
    kept,
    repeated,
)
from rms_tui.fleet_state import STANDINGS, FleetRow, FleetState, Standing
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.own_profile import OwnProfile
from rms_tui.risk.profile import RiskProfile, Rule
from rms_tui.risk.scope import Applied
from rms_tui.risk.verdict import Reason, State, Verdict
from rms_tui.store.database import Document
from rms_tui.store.fleet_view import FleetDocuments
from rms_tui.store.named import id_text, key_of
from rms_tui.store.risk_rules import Judged, figure, judged_from, state_of

WATCHED = ("ACTIVE", "BREACHED", "TARGET_REACHED")

_WAITING: Mapping[str, Reason] = {"PENDING": Reason.NO_TERMINAL, "ERROR": Reason.REFUSED}

_LIMITS_REFUSED = Reason.LIMITS_REFUSED.name.lower()

_MONEY = (
    "so_call", "so_level", "balance", "credit", "equity", "margin", "profit", "floating",
    "prev_balance", "prev_equity", "lots_today", "profit_today",
)  # fmt: skip
_COUNTS = ("digits", "so_mode", "leverage", "trades_today", "trade_count")
_PRICES = ("lots", "price_open", "sl", "tp", "rate", "price", "profit", "swap")


@dataclass(frozen=True, slots=True)
class FleetRows:
    """A Book of all elements with figures, and what their workers say of each row of it.

    `undecided` is why a row is old (NONE where it is live), `state`, `used` and `day_profit` are
    the workers', `judged` every rule's verdict.
    """

    book: Book
    undecided: tuple[Reason, ...]
    state: tuple[State, ...]
    used: tuple[float, ...]
    day_profit: tuple[float, ...]
    judged: tuple[tuple[Judged, ...], ...]
    own: Mapping[int, OwnProfile]

    def laid_over(self, assessed: Assessment) -> Assessment:
        """The assessment with the workers' verdicts in place of those made here."""
        undecided = np.array(self.undecided, dtype=np.int8)
        state = np.array(self.state, dtype=np.int8)
        used = np.array(self.used, dtype=np.float64)
        # nothing came from the database: all of it is old. Which limits can be used the workers say
        old = ~np.isin(assessed.undecided, (Reason.NONE, Reason.LIMITS_REFUSED))
        undecided = np.where(old & (undecided == 0), assessed.undecided, undecided)
        blocked = undecided != 0
        state[blocked] = State.UNKNOWN
        used[blocked] = np.nan
        applied, verdicts = _verdicts(self.judged, undecided, assessed)
        found, count = np.unique(undecided[blocked], return_counts=True)
        return assessed._replace(
            # another plan object, so that the next poll lays a scope of its own again
            scope=replace(assessed.scope, plan=assessed.scope.plan.model_copy(), applied=applied),
            undecided=undecided,
            verdicts=verdicts,
            inputs=(),
            state=state,
            used=used,
            day_profit=np.where(blocked, np.nan, np.array(self.day_profit, dtype=np.float64)),
            counts={
                Reason(int(reason)): int(number)
                for reason, number in zip(found, count, strict=True)
            },
            overnight=(),
        )


def fleet_rows(
    known: FleetDocuments, keys: AccountKeys, now: float, silent: float, before: Book | None
) -> FleetRows:
    """The rows at `now` (UTC seconds); a worker without a ping for `silent` seconds is silent."""
    listed = []
    for element in known.elements.values():
        key = _key(element, keys)
        if key is not None and isinstance(element.get("account"), Mapping):
            listed.append((key, element))
    listed.sort(key=lambda each: each[0])
    held = [known.positions.get(key_of(element["_id"])) or {} for _, element in listed]
    offsets = [figure(one.get("server_offset")) for one in held]
    offset = _usual(offsets)
    accounts = build(Accounts, _account_columns(listed, keys))
    symbols, positions = _holdings(held, offsets, offset)
    book = Book(
        "fleet",
        _servers(listed),
        now,
        offset,
        True,
        kept(accounts, None if before is None else before.accounts),
        kept(positions, None if before is None else before.positions),
        kept(symbols, None if before is None else before.symbols),
        empty(Deals) if before is None else before.deals,
    )
    risks = [_mapping(element.get("risk")) for _, element in listed]
    return FleetRows(
        book,
        tuple(why_old(element, known, now, silent) for _, element in listed),
        tuple(state_of(risk.get("state")) for risk in risks),
        tuple(figure(risk.get("used")) for risk in risks),
        tuple(figure(element["account"].get("day_profit")) for _, element in listed),
        tuple(tuple(judged_from(risk)) for risk in risks),
        {key: own for key, element in listed if (own := _own(element)) is not None},
    )


def why_old(element: Document, known: FleetDocuments, now: float, silent: float) -> Reason:
    """Why an element's figures are not of now, or judged by nothing; NONE when all is well."""
    status = str(element.get("status") or "PENDING")
    if status not in WATCHED:
        return _WAITING.get(status, Reason.SILENT)
    pinged = known.pinged_at(element)
    if pinged is None or now - pinged > silent:
        return Reason.SILENT
    refused = _mapping(element.get("risk")).get("reason") == _LIMITS_REFUSED
    return Reason.LIMITS_REFUSED if refused else Reason.NONE


def fleet_state(known: FleetDocuments, keys: AccountKeys, silent: float) -> FleetState:
    """Terminals by host and path, then the elements that wait for one."""
    rows = []
    ordered = sorted(
        known.instances.values(), key=lambda one: (str(one.get("host")), str(one.get("path")))
    )
    for one in ordered:
        element = known.elements.get(key_of(one.get("element"))) or {}
        rows.append(_fleet_row(one, element, one.get("status"), known, keys))
    for element in known.elements.values():
        status = str(element.get("status") or "PENDING")
        if status not in WATCHED and element.get("instance") is None:
            rows.append(_fleet_row({}, element, status, known, keys))
    counts = Counter(str(one.get("status") or "PENDING") for one in known.elements.values())
    return FleetState(tuple(rows), MappingProxyType(dict(counts)), loaded=True, silent=silent)


def fleet_desk(known: FleetDocuments, keys: AccountKeys) -> Desk:
    """The alerts that go on, of accounts by their numbers here; to be shown, not stepped."""
    named = [one for one in (_named(alert, keys) for alert in known.alerts.values()) if one]
    return Desk(
        MappingProxyType({alert.episode: alert for alert in named if alert.is_open}),
        MappingProxyType({}),
        MappingProxyType({alert.id: alert for alert in named if not alert.is_open}),
    )


def _named(alert: Alert, keys: AccountKeys) -> Alert | None:
    key = keys.key(alert.login, alert.server)
    if key is None:
        return None
    whose = _whose(alert.name, {"login": alert.login, "server": alert.server}, keys)
    return replace(alert, login=key, name=whose, group=alert.server)


def _fleet_row(
    instance: Document,
    element: Document,
    word: object,
    known: FleetDocuments,
    keys: AccountKeys,
) -> FleetRow:
    standing: Standing = next((one for one in STANDINGS if one == word), "FAULTY")
    return FleetRow(
        id_text((instance or element)["_id"]),
        standing,
        str(instance.get("host") or ""),
        str(instance.get("path") or ""),
        _key(element, keys) if element else None,
        int(element["login"]) if element else None,
        str(element.get("server") or ""),
        known.pinged_at(instance or element),
        int(figure(instance.get("restarts"), 0.0)),
        str(instance.get("error") or element.get("error") or ""),
    )


def _key(element: Document, keys: AccountKeys) -> int | None:
    return keys.key(int(element["login"]), str(element["server"]))


def _own(element: Document) -> OwnProfile | None:
    profile = element.get("profile")
    return profile if isinstance(profile, str | dict) else None


def _servers(listed: Sequence[tuple[int, Document]]) -> str:
    names = sorted({str(element["server"]) for _, element in listed})
    return names[0] if len(names) == 1 else f"{len(names)} servers"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _usual(offsets: Sequence[float]) -> float | None:
    """The commonest clock of the servers, None while none is known."""
    known = Counter(offset for offset in offsets if clock_offset(offset) is not None)
    return known.most_common(1)[0][0] if known else None


def _account_columns(
    listed: Sequence[tuple[int, Document]], keys: AccountKeys
) -> dict[str, object]:
    found: list[Mapping[str, Any]] = [element["account"] for _, element in listed]
    columns: dict[str, object] = {
        "login": [key for key, _ in listed],
        "name": [
            _whose(str(element["account"].get("name") or ""), element, keys)
            for _, element in listed
        ],
        "group": [str(element["server"]) for _, element in listed],
        "currency": [str(one.get("currency") or "") for one in found],
        "margin_free": [figure(one.get("free_margin")) for one in found],
    }
    columns |= {name: [figure(one.get(name)) for one in found] for name in _MONEY}
    columns |= {name: [_count(one.get(name), name) for one in found] for name in _COUNTS}
    columns["margin_level"] = [
        figure(one.get("margin_level"), 0.0 if figure(one.get("margin")) == 0 else math.nan)
        for one in found
    ]
    return columns


def _whose(name: str, element: Mapping[str, Any], keys: AccountKeys) -> str:
    """The name, with the server before it where another server has the same login."""
    shared = keys.shared(int(element["login"]))
    return f"{element['server']}: {name}" if shared else name


def _count(value: object, name: str) -> int:
    number = figure(value, 2.0 if name == "digits" else 0.0)
    return int(number) if 0 <= number < 2**31 and (name != "digits" or number <= 15) else 0


def _holdings(
    held: Sequence[Mapping[str, Any]], offsets: Sequence[float], offset: float | None
) -> tuple[Symbols, Positions]:
    """All positions, with times on one clock; a symbol's newest prices, alike ones as one."""
    place: dict[tuple[Any, ...], int] = {}
    rows: list[Mapping[str, Any]] = []
    seen: list[float] = []
    columns: dict[str, list[Any]] = {name: [] for name in (*_PRICES, *_WHOLE)}
    for account, (one, own) in enumerate(zip(held, offsets, strict=True)):
        at = one.get("time")
        when = at.timestamp() if isinstance(at, datetime) else -math.inf
        of_name: dict[str, int] = {}
        for symbol in _list(one.get("symbols")):
            row = place.setdefault(_symbol_key(symbol), len(rows))
            if row == len(rows):
                rows.append(symbol)
                seen.append(when)
            elif when > seen[row]:
                rows[row], seen[row] = symbol, when
            of_name[str(symbol.get("name"))] = row
        shift = (offset or 0.0) - own if math.isfinite(own) else 0.0
        ordered = sorted(_list(one.get("positions")), key=lambda each: _whole(each.get("ticket")))
        for position in ordered:
            row = of_name.get(str(position.get("symbol")), -1)
            if row < 0:
                continue
            for name in _PRICES:
                columns[name].append(figure(position.get(name)))
            whole = (
                _whole(position.get("ticket")), account, row,
                1 if _whole(position.get("side")) > 0 else -1,
                _whole(position.get("opened")) + round(shift),
            )  # fmt: skip
            for name, value in zip(_WHOLE, whole, strict=True):
                columns[name].append(value)
    return build(Symbols, _symbol_columns(rows)), build(Positions, columns)


_WHOLE = ("ticket", "account", "symbol", "side", "opened")


def _symbol_key(symbol: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(str(symbol.get(name)) for name in ("name", "base", "quote", "contract"))


def _symbol_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    columns: dict[str, object] = {
        name: [str(one.get(name) or "") for one in rows] for name in ("name", "base", "quote")
    }
    columns["digits"] = [_count(one.get("digits"), "digits") for one in rows]
    return columns | {
        name: [figure(one.get(name)) for one in rows] for name in ("contract", "bid", "ask")
    }


def _list(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _whole(value: object) -> int:
    return value if isinstance(value, int) and abs(value) < 2**62 else 0


def _verdicts(
    judged: Sequence[Sequence[Judged]], undecided: Any, assessed: Assessment
) -> tuple[tuple[Applied, ...], tuple[Verdict, ...]]:
    """The workers' verdicts by profile and rule, each over the rows that have it."""
    grouped: dict[tuple[str, str], list[tuple[int, Judged]]] = {}
    for row, ones in enumerate(judged):
        for one in ones:
            grouped.setdefault((one.profile, one.rule.model_dump_json()), []).append((row, one))
    profiles = {profile.name: profile for profile in assessed.scope.plan.profiles}
    applied, verdicts = [], []
    for (name, body), found in grouped.items():
        rule = found[0][1].rule
        rows = np.array([row for row, _ in found], dtype=np.int64)
        old = undecided[rows]
        profile = profiles.get(name) or RiskProfile(name=name, rules=(rule,))
        applied.append(Applied(profile, rule, rows, f"{name}/{body}", (), ()))
        verdicts.append(_verdict(name, rule, rows, [one for _, one in found], old))
    return tuple(applied), tuple(verdicts)


def _verdict(name: str, rule: Rule, rows: Any, ones: Sequence[Judged], old: Any) -> Verdict:
    live = old == 0

    def column(field: str) -> Any:
        return np.array([getattr(one, field) for one in ones], dtype=np.float64)

    return Verdict(
        rule,
        name,
        rows,
        np.where(live, [int(one.state) for one in ones], int(State.UNKNOWN)).astype(np.int8),
        column("value"),
        column("limit"),
        np.where(live, 1.0 - column("used"), np.nan),
        (column("distance"), repeated(0.0, len(ones))),
        np.where(live, [int(one.reason) for one in ones], old).astype(np.int8),
    )
