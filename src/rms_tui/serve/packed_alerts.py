"""Alerts exactly as they are in memory, over the wire and back, for a console that follows.

Every field, to the last bit of its times; what JSON cannot carry stands as text. Pending states
come back as the tracks they are read from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

import numpy as np

from rms_tui.alerts import Alert, Desk, Pending, Severity, Track
from rms_tui.alerts.plain import Unreadable, plain, shaped
from rms_tui.risk.profile import Confirm
from rms_tui.serve.packed import Unpackable
from rms_tui.serve.packed_book import exact

Shape = dict[str, Any]


def alert_exactly(alert: Alert) -> Shape:
    """Every field of an alert."""
    return {column.name: exact(plain(getattr(alert, column.name))) for column in fields(Alert)}


def alert_from(data: Mapping[str, Any]) -> Alert:
    """The alert of those fields. Raises Unpackable."""
    try:
        alert: Alert = shaped(Alert, data)
    except Unreadable as error:
        raise Unpackable(f"alert: {error}") from None
    return alert


def pending_exactly(pending: Pending) -> Shape:
    """Every field of a pending state."""
    return {
        "login": pending.login,
        "rule": pending.rule,
        "key": pending.key,
        "severity": int(pending.severity),
        "polls": pending.polls,
        "confirm": pending.confirm.model_dump(mode="json"),
        "first_seen": pending.first_seen,
    }


def desk_from(
    open_ones: Iterable[Alert], recovered: Iterable[Alert], pending: Iterable[Mapping[str, Any]]
) -> Desk:
    """A desk that shows these; it is there to be read, not to be stepped. Raises Unpackable."""
    try:
        tracks = _tracks(list(pending))
    except (KeyError, TypeError, ValueError) as error:
        raise Unpackable(f"pending: {error}") from None
    return Desk(
        MappingProxyType({alert.episode: alert for alert in open_ones}),
        MappingProxyType(tracks),
        MappingProxyType({alert.id: alert for alert in recovered}),
    )


def _tracks(pending: list[Mapping[str, Any]]) -> dict[str, Track]:
    by_key: dict[str, list[Mapping[str, Any]]] = {}
    for one in pending:
        by_key.setdefault(str(one["key"]), []).append(one)
    return {key: _track(key, sorted(ones, key=_login)) for key, ones in by_key.items()}


def _login(one: Mapping[str, Any]) -> int:
    return int(one["login"])


def _track(key: str, ones: list[Mapping[str, Any]]) -> Track:
    levels = max(Severity) + 1
    streak = np.zeros((len(ones), levels), dtype=np.int32)
    since = np.full((len(ones), levels), np.nan)
    for row, one in enumerate(ones):
        level = Severity(one["severity"])
        streak[row, level] = int(one["polls"])
        since[row, level] = float(one["first_seen"])
    return Track(
        key,
        str(ones[0]["rule"]),
        Confirm.model_validate(ones[0]["confirm"]),
        np.array([_login(one) for one in ones], dtype=np.int64),
        streak,
        since,
        np.zeros(len(ones), dtype=np.int8),
    )
