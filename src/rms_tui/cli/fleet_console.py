"""The console over a fleet: what MongoDB has of all elements, and their terminals beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn, TypeVar

from rms_tui.cli.exits import USAGE, end, leave
from rms_tui.cli.keys import console_keys
from rms_tui.cli.log import begin_log
from rms_tui.cli.screen import need_screen, shown
from rms_tui.wiring.fleet_desk import add_element, fleet_desk, remove_element
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import loaded

if TYPE_CHECKING:
    from pydantic import SecretStr

    from rms_tui.alerts import Alert
    from rms_tui.alerts.asked import Asked
    from rms_tui.changes import Change
    from rms_tui.fleet.desk import FleetDesk
    from rms_tui.settings import Loaded

T = TypeVar("T")

MOST_HISTORY = 2_000


def open_fleet_console(shared: Given, *, mouse: bool, asked: bool) -> NoReturn:
    """Show the fleet until the dealer quits. Exit status 0, not 0 after a crash.

    `asked` says that a server or a recording was asked for, which a fleet's console has not.
    """
    if asked:
        end(
            "source fleet is shown, not recorded or served: its workers write to MongoDB, and any "
            "number of consoles read there",
            USAGE,
        )
    need_screen("without one use `rms-tui element list --watch`")
    layers = loaded(shared)
    keymap = console_keys(layers.settings)
    begin_log(layers.settings, on_console=False)
    desk = fleet_desk(layers)
    acts = Acts(layers, desk)
    try:
        from rms_tui.tui.app import RmsApp
        from rms_tui.tui.fleet_side import FleetSide

        app = RmsApp(
            desk.monitor,
            operator=operator(),
            store=desk.store,
            clock=desk.monitor.now,
            history=acts.history,
            changes=acts.changes,
            after_first_paint=desk.start,
            fleet=FleetSide(desk.state, acts.add, acts.remove),
            keymap=keymap,
        )
        code = shown(app, mouse=mouse)
    finally:
        desk.stop()
    leave(code)


class Acts:
    """What screens ask of the database and do to it, from threads; all raise HistoryError."""

    def __init__(self, layers: Loaded, desk: FleetDesk) -> None:
        self._layers = layers
        self._desk = desk

    def add(self, login: int, server: str, password: SecretStr | None, profile: str | None) -> str:
        """Add an account, its password encrypted here."""
        return _in_words(
            lambda: add_element(
                self._layers, self._desk, operator(), login, server, password, profile
            )
        )

    def remove(self, key: int) -> str:
        """Have an account watched no more."""
        return _in_words(lambda: remove_element(self._desk, operator(), key))

    def history(self, asked: Asked) -> Sequence[Alert]:
        """The newest such alerts."""
        return _in_words(lambda: self._desk.history(replace(asked, most=MOST_HISTORY)))

    def changes(self, key: int) -> Sequence[Change]:
        """Who changed what about an account."""
        return _in_words(lambda: self._desk.changes(key))


def _in_words(act: Callable[[], T]) -> T:
    """What it gives; whatever an operator can do something about is said on the screen."""
    from rms_tui.store.element_edits import ElementError
    from rms_tui.store.errors import SecretsError, StoreError
    from rms_tui.tui.view import HistoryError

    try:
        return act()
    except (StoreError, SecretsError) as error:
        raise HistoryError(error.text) from None
    except (ElementError, ValueError) as error:
        raise HistoryError(str(error)) from None
