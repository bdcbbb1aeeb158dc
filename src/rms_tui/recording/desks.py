"""A desk of alerts as what differs from the desk before it, and back.

Alerts and tracks that are the same objects are not written. Reading checks that every track's
columns fit each other: they are computed with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from rms_tui.alerts import EMPTY, Alert, Desk, Severity, Track
from rms_tui.alerts.feed import FeedTrack
from rms_tui.recording.body import Array, Columns, Tree
from rms_tui.recording.shapes import even, tree_of, value_of


@dataclass(frozen=True, slots=True)
class DeskChange:
    """From one desk to the next: what is new in it, by object, and what is no longer there.

    `whole` starts from an empty desk. `missing` are ids of all alerts whose account is in no Book,
    and since when; older files have none.
    """

    whole: bool
    alerts: tuple[Alert, ...]
    gone: tuple[Alert, ...]
    recovered: tuple[Alert, ...]
    over: tuple[str, ...]
    tracks: tuple[Track, ...]
    dropped: tuple[str, ...]
    feed: FeedTrack
    due: float
    missing: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def onto(self, desk: Desk) -> Desk:
        """The next desk."""
        base = EMPTY if self.whole else desk
        alerts = dict(base.alerts)
        for alert in self.gone:
            alerts.pop(alert.episode, None)
        alerts |= {alert.episode: alert for alert in self.alerts}
        recovered = {key: one for key, one in base.recovered.items() if key not in self.over}
        recovered |= {alert.id: alert for alert in self.recovered}
        tracks = {key: one for key, one in base.tracks.items() if key not in self.dropped}
        tracks |= {track.key: track for track in self.tracks}
        missing = {
            alert.episode: self.missing[alert.id]
            for alert in alerts.values()
            if alert.id in self.missing
        }
        return replace(
            base,
            alerts=MappingProxyType(alerts),
            recovered=MappingProxyType(recovered),
            tracks=MappingProxyType(tracks),
            feed=self.feed,
            due=self.due,
            missing=MappingProxyType(missing),
        )


def desk_change(desk: Desk, before: Desk | None) -> DeskChange:
    """What differs from the desk before; None: everything."""
    base = EMPTY if before is None else before
    return DeskChange(
        before is None,
        tuple(a for key, a in desk.alerts.items() if base.alerts.get(key) is not a),
        tuple(a for key, a in base.alerts.items() if key not in desk.alerts),
        tuple(a for key, a in desk.recovered.items() if base.recovered.get(key) is not a),
        tuple(key for key in base.recovered if key not in desk.recovered),
        tuple(t for key, t in desk.tracks.items() if base.tracks.get(key) is not t),
        tuple(key for key in base.tracks if key not in desk.tracks),
        desk.feed,
        desk.due,
        {desk.alerts[key].id: since for key, since in desk.missing.items() if key in desk.alerts},
    )


def desk_tree(change: DeskChange, columns: Columns) -> Tree:
    """The change as a tree."""
    return tree_of(change, columns)


def desk_from(tree: Tree, arrays: list[Array]) -> DeskChange:
    """The change out of a file. Raises ValueError for one that cannot be."""
    change: DeskChange = value_of(DeskChange, tree, arrays, "desk")
    for track in change.tracks:
        _check(track)
    return change


def _check(track: Track) -> None:
    rows = len(track.login)
    even(track, rows, f"track {track.key}")
    wide = (rows, len(Severity) + 1)
    if track.login.ndim != 1 or track.raised.ndim != 1 or not (np.diff(track.login) > 0).all():
        raise ValueError(f"track {track.key}: accounts are not in order of login")
    if track.streak.shape != wide or track.since.shape != wide:
        raise ValueError(f"track {track.key}: a column for each severity is wanted")
