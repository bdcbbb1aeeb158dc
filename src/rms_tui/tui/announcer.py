"""Tells the operator what is news: the bell for each frame with some, and toasts in rounds.

Toasts are widgets. A storm of alerts told one by one would cost more than the desk itself and
cover it, so what comes within a round waits for the next and is told in one line.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, Protocol

from rms_tui.account_keys import login_of
from rms_tui.alerts import Alert, Severity
from rms_tui.frame import Frame
from rms_tui.tui.edges import Edges
from rms_tui.tui.words import SEVERITY_CELLS, is_escalated, rule_words

ToastSeverity = Literal["information", "warning", "error"]

TOAST_SECONDS = 5.0
"""How long a toast stays, and the pause between two rounds of them."""

TOASTS = 3
"""More alerts than this at once share one toast."""


class Toast(Protocol):
    """Shows a literal text for some seconds."""

    def __call__(self, text: str, title: str, severity: ToastSeverity) -> None: ...


class Announcer:
    """Follows frames; each edge rings once and is told once."""

    def __init__(
        self,
        ring: Callable[[], None],
        toast: Toast,
        since: float = 0.0,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ring = ring
        self._toast = toast
        self._elapsed = elapsed
        self._edges = Edges(since)
        self._untold: list[Alert] = []
        self._told_at = -TOAST_SECONDS

    def follow(self, frame: Frame | None) -> None:
        """Ring for what is new in this frame; tell it now or in the next round."""
        news = [] if frame is None else self._edges.news(frame)
        if news:
            self._ring()
            self._untold += news
        now = self._elapsed()
        if not self._untold or now - self._told_at < TOAST_SECONDS:
            return
        self._told_at, untold = now, self._untold
        self._untold = []
        for alert in untold[: TOASTS if len(untold) <= TOASTS else 1]:
            self._toast(
                f"{login_of(alert.login)} {alert.name}: {rule_words(alert.rule)}, {_why(alert)}",
                SEVERITY_CELLS[alert.severity].text,
                "error" if alert.severity >= Severity.CRITICAL else "warning",
            )
        if len(untold) > TOASTS:
            self._toast(f"and {len(untold) - 1} more alerts", "", "warning")


def _why(alert: Alert) -> str:
    return "ESCALATED: nobody answered" if is_escalated(alert) else alert.reason.words
