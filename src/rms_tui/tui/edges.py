"""Which alerts are news: raised, risen, escalated or woken since the frame before."""

from __future__ import annotations

from rms_tui.alerts import Alert, Stage
from rms_tui.frame import Frame

NEVER = float("-inf")


class Edges:
    """Follows frames; a frame that was skipped loses no edge, for alerts stay in every frame.

    What wanted the bell before `since` (UTC seconds) was read back from the database: no news.
    """

    def __init__(self, since: float = 0.0) -> None:
        self._since = since
        self._seen: tuple[Alert, ...] = ()
        self._rung: dict[tuple[int, str], float] = {}
        """When each of them wanted the bell last."""

    def news(self, frame: Frame) -> list[Alert]:
        """Alerts that wanted the bell since the last call, worst first."""
        before, self._seen = self._seen, frame.alerts
        left, changed = _without(before, self._seen), _without(self._seen, before)
        rung = {alert.episode: self._rung.get(alert.episode, NEVER) for alert in left}
        for episode in rung:
            self._rung.pop(episode, None)
        fresh = []
        for alert in changed:
            wanted, then = _wanted_at(alert), rung.get(alert.episode, NEVER)
            if alert.stage is Stage.RAISED and wanted >= self._since and wanted > then:
                fresh.append(alert)
            self._rung[alert.episode] = max(wanted, then)
        return fresh


def _without(alerts: tuple[Alert, ...], others: tuple[Alert, ...]) -> list[Alert]:
    """Those that are not the very same in the others: of thousands few change at a time."""
    same = set(map(id, others))
    return [alert for alert in alerts if id(alert) not in same]


def _wanted_at(alert: Alert) -> float:
    return alert.changed_at if alert.rung_at is None else alert.rung_at
