"""Screens that open over the desk, each with what is shown now: it is there at the first paint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from rms_tui.monitor import Monitor
from rms_tui.tui.curves import Curves
from rms_tui.tui.fleet_side import FleetSide
from rms_tui.tui.heading import Moment
from rms_tui.tui.move import Move
from rms_tui.tui.screens.add import AddAccounts
from rms_tui.tui.screens.add_element import AddToFleet
from rms_tui.tui.screens.details import Details
from rms_tui.tui.screens.history import AlertHistory
from rms_tui.tui.screens.stress import FIRST, Stress
from rms_tui.tui.view import AskChanges, AskHistory


class Opening:
    """Opens screens of an App over its monitor."""

    def __init__(
        self,
        app: App[Any],
        monitor: Monitor,
        operator: str,
        moment: Callable[[], Moment | None],
        curves: Curves,
        fleet: FleetSide | None,
        *,
        history: AskHistory | None,
        changes: AskChanges | None,
    ) -> None:
        """`history` and `changes` ask a database, None where there is none."""
        self._app = app
        self._monitor = monitor
        self._operator = operator
        self._moment = moment
        self._curves = curves
        self._fleet = fleet
        self._history = history
        self._changes = changes
        self._percent = FIRST

    def add(self) -> None:
        """The question which accounts to add."""
        if self._fleet is not None:
            self._app.push_screen(AddToFleet(self._fleet))
        else:
            self._app.push_screen(AddAccounts(self._monitor, self._operator))

    def details(self, login: int) -> None:
        """One account."""
        self._curves.open(login)
        self._open(Details(self._monitor, login, self._curves, self._changes))

    def history(self, login: int | None) -> None:
        """Alerts that are over, of one account or of all."""
        clock = self._monitor.now
        self._open(AlertHistory(self._history, self.details, login=login, clock=clock))

    def stress(self, move: Move | None, login: int | None) -> None:
        """The stress view, by the percentage of the last time."""

        def keep(percent: float) -> None:
            self._percent = percent

        judged = self._fleet is None
        self._open(Stress(self._percent, keep, move=move, login=login, judged=judged))

    def _open(self, screen: Details | AlertHistory | Stress) -> None:
        moment = self._moment()
        if moment is not None:
            screen.show(moment)
        self._app.push_screen(screen)
