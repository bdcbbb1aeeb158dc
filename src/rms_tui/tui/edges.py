"""Which alerts are news: raised, risen, escalated or woken since the frame before."""

from __future__ import annotations

from rms_tui.alerts import Alert, Stage
from rms_tui.frame import Frame


class Edges:
    """Follows frames; a frame that was skipped loses no edge, for alerts stay in every frame.

    What wanted the bell before `since` (UTC seconds) was read back from the database: no news.
    """

    def __init__(self, since: float = 0.0) -> None:
        self._since = since
        self._rung: dict[tuple[int, str], float] = {}

    def news(self, frame: Frame) -> list[Alert]:
        """Alerts that wanted the bell since the last call, worst first."""
        rung, since = self._rung, self._since
        fresh = [
            alert
            for alert in frame.alerts
            if alert.stage is Stage.RAISED
            and _wanted_at(alert) >= since
            and _wanted_at(alert) > rung.get(alert.episode, float("-inf"))
        ]
        self._rung = {
            alert.episode: max(_wanted_at(alert), rung.get(alert.episode, float("-inf")))
            for alert in frame.alerts
        }
        return fresh


def _wanted_at(alert: Alert) -> float:
    return alert.changed_at if alert.rung_at is None else alert.rung_at
