"""Which alerts are news: one raised, or one risen, since the frame before."""

from __future__ import annotations

from rms_tui.alerts import Alert, Severity, Stage
from rms_tui.frame import Frame


class Edges:
    """Follows frames; a frame that was skipped loses no edge, for alerts stay in every frame."""

    def __init__(self) -> None:
        self._known: dict[str, Severity] = {}

    def news(self, frame: Frame) -> list[Alert]:
        """Alerts raised or risen since the last call, worst first."""
        known = self._known
        fresh = [
            alert
            for alert in frame.alerts
            if alert.stage is Stage.RAISED and alert.severity > known.get(alert.id, 0)
        ]
        self._known = {alert.id: alert.severity for alert in frame.alerts}
        return fresh
