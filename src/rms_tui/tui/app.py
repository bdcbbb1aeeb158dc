"""The console's App: takes frames from the mailbox, keys from the operator; does nothing slow.

It reads the monitor and gives it commands; it never starts or stops it. Whatever may wait for the
source runs in a daemon thread, so that `q` returns the terminal whatever hangs.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.events import DescendantFocus

from rms_tui.allocator import give_back_freed
from rms_tui.monitor import Monitor
from rms_tui.tui import notices, tape
from rms_tui.tui.announcer import TOAST_SECONDS, Announcer, ToastSeverity
from rms_tui.tui.bridge import Bridge
from rms_tui.tui.commands import Command
from rms_tui.tui.curves import Curves
from rms_tui.tui.display import FrugalApp
from rms_tui.tui.exporting import Exporting
from rms_tui.tui.fleet_side import FleetSide
from rms_tui.tui.heading import Moment
from rms_tui.tui.holder import Holder
from rms_tui.tui.messages import (
    AckAsked,
    CopyAsked,
    DetailsAsked,
    EntryAsked,
    ErrandDone,
    ExportAsked,
    FrameReady,
    HistoryAsked,
    LimitsAsked,
    RemoveAsked,
    SnoozeAsked,
    StressAsked,
)
from rms_tui.tui.opening import Opening
from rms_tui.tui.palette import OPEN, DeskCommands, Palette
from rms_tui.tui.requests import Requests
from rms_tui.tui.screens.desk import Desk, FleetBoard
from rms_tui.tui.screens.help import help_for
from rms_tui.tui.signals import exit_when_told
from rms_tui.tui.stylesheet import stylesheet
from rms_tui.tui.table.cursor import CursorTable
from rms_tui.tui.table.literal import literal
from rms_tui.tui.theme import next_theme
from rms_tui.tui.toasts import place_toasts
from rms_tui.tui.view import AskChanges, AskHistory, NotYet, StoreBox

TICK = 1.0
"""Seconds between two looks at the clock: ages change at most that often."""

NAMED_SECONDS = 2.0
"""How long the name of a theme stays."""

SETTLED = 3.0
"""Seconds after which everything that stays for good is there. What is there then is left out of
garbage collection: going through it again and again stops the console for 80 ms each time."""

BEGINNING = 3.0
"""Seconds before the screen in which alerts may have been raised already; older ones were read
back from the database and ring no more."""


class RmsApp(FrugalApp[None]):
    """The console over one monitor."""

    TITLE = "rms-tui"
    ENABLE_COMMAND_PALETTE = True

    COMMANDS: ClassVar[set[Any]] = {DeskCommands}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "theme", "Theme", show=False, tooltip="Next theme", id="app.theme"),
        Binding(
            "i",
            "interval",
            "Interval",
            show=False,
            tooltip="Seconds between polls",
            id="app.interval",
        ),
        Binding(
            "colon",
            "command_palette",
            "Commands",
            key_display=":",
            tooltip="Commands, and jump to a login or symbol",
            id="app.commands",
        ),
        Binding(
            "question_mark",
            "help",
            "Help",
            key_display="?",
            tooltip="Keys of this pane",
            id="app.help",
        ),
        *tape.BINDINGS,
        Binding("q", "quit", "Quit", tooltip="Leave rms-tui", id="app.quit"),
    ]

    def __init__(
        self,
        monitor: Monitor,
        *,
        operator: str,
        store: StoreBox | None = None,
        theme: str | None = None,
        clock: Callable[[], float] = time.time,
        history: AskHistory | None = None,
        changes: AskChanges | None = None,
        recording: tape.Recording | None = None,
        playback: tape.Playback | None = None,
        deliveries: notices.Deliveries = tuple,
        after_first_paint: Callable[[], None] = lambda: None,
        fleet: FleetSide | None = None,
        keymap: Mapping[str, str] | None = None,
        holder: Holder | None = None,
    ) -> None:
        """`holder` is given where another process may poll, `fleet` where the accounts are a
        fleet's elements; `keymap` is a checked one."""
        super().__init__(theme, css_path=stylesheet())
        # the palette's own key, always: Textual gives it only to an App that binds no other
        self.bind(self.COMMAND_PALETTE_BINDING, "command_palette", show=False)
        self.monitor = monitor
        self.operator = operator
        self.animation_level = "none"
        self._store = store
        self._clock = clock
        self._curves = Curves()
        self._deliveries = deliveries
        self._tape = tape.Tape(self, recording, playback, self._toast)
        self._exporting = Exporting(self, monitor, self.moment, self._toast)
        self._requests = Requests(self, monitor, operator, self.moment, self._toast, fleet)
        self._opening = Opening(
            self,
            monitor,
            operator,
            self.moment,
            self._curves,
            fleet,
            history=history,
            changes=changes,
        )
        self._keymap = dict(keymap or {})
        self._holder = holder or Holder()
        self._after_first_paint = after_first_paint
        self._paused: Moment | None = None
        self._announcer = Announcer(lambda: self.bell(), self._toast, clock() - BEGINNING)
        self._bridge = Bridge(monitor.frames, lambda: self.post_message(FrameReady()))
        self.desk = Desk(operator, None) if fleet is None else FleetBoard(operator, None, fleet)

    def get_default_screen(self) -> Desk:
        """The desk."""
        return self.desk

    def on_mount(self) -> None:
        """Begin to listen: to the mailbox, the clock and the system's requests to end."""
        self._tick()
        self._bridge.start()
        self.set_interval(TICK, self._tick)
        if not self.is_headless:
            self.set_timer(SETTLED, _settle)
        self.call_after_refresh(self._after_first_paint)
        exit_when_told(self)

    def on_unmount(self) -> None:
        """Listen no more."""
        self._bridge.stop()

    # What is shown

    @on(FrameReady)
    def _frame_ready(self) -> None:
        self._bridge.taken()
        frame = self.monitor.frames.value
        if frame is None:
            return
        self._tick()

    @on(ErrandDone)
    def _errand_done(self, done: ErrandDone) -> None:
        done.deliver()

    def moment(self) -> Moment | None:
        """What is to be shown now: the newest frame, or the paused one."""
        now = self._clock()
        if self._paused is not None:
            return Moment(self._paused.frame, now, self._paused.now)
        frame = self.monitor.frames.value
        return None if frame is None else Moment(frame, now)

    def _tick(self) -> None:
        newest = self.monitor.frames.value
        self._announcer.follow(newest)
        if newest is not None:
            self._curves.follow(newest)
        self.desk.store = None if self._store is None else self._store.value or NotYet()
        self.desk.tape = [
            *self._holder.pieces(),
            *self._tape.pieces(),
            *notices.pieces(self._deliveries()),
        ]
        self._hear_holder()
        if self._notifications:
            self._place_toasts()
        moment = self.moment()
        if moment is None:
            return
        for screen in reversed(self.screen_stack):
            show = getattr(screen, "show", None)
            if show is not None:
                show(moment)
            if not screen.is_modal:
                break

    def _place_toasts(self) -> None:
        if self.screen_stack:  # none is left while the app ends
            place_toasts(self.screen)

    def _hear_holder(self) -> None:
        refused = self._holder.refused()
        if refused is not None:
            self._toast(refused, "REFUSED by the process that polls", "error")
        if self._holder.changed():
            self.refresh_bindings()

    def _toast(
        self,
        text: str | Sequence[str],
        title: str = "",
        severity: ToastSeverity = "information",
    ) -> None:
        lines = [text] if isinstance(text, str) else text
        said = "\n".join(map(literal, lines))
        self.notify(said, title=title, severity=severity, timeout=TOAST_SECONDS, markup=False)
        self._place_toasts()

    @on(CursorTable.CursorMoved)
    @on(DescendantFocus)
    def _cursor_moved(self) -> None:
        self._place_toasts()

    # Keys

    def action_theme(self) -> None:
        """The next theme."""
        self.theme = next_theme(self.theme)
        self.notify(f"theme {self.theme}", timeout=NAMED_SECONDS, markup=False)
        self._place_toasts()

    def action_pause(self) -> None:
        """Hold the picture; polling and the alert bell go on. A replay stands still itself."""
        if not self._tape.pause():
            self._paused = None if self._paused is not None else self.moment()
        self._tick()

    def action_record(self) -> None:
        """Record what is seen, or end it."""
        self._tape.record(self._tick)

    def action_play_slower(self) -> None:
        """Replay slower."""
        self._tape.faster(-1)
        self._tick()

    def action_play_faster(self) -> None:
        """Replay faster."""
        self._tape.faster(1)
        self._tick()

    def action_play_move(self, minutes: int) -> None:
        """Replay from a minute before or after."""
        self._tape.move(minutes)
        self._tick()

    def allows(self, action: str) -> bool:
        """Whether an action makes sense: a replay cannot be changed, a live desk not moved."""
        return self._tape.allows(action) and self._holder.allows(action)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Keys that make no sense are not there."""
        return self.allows(action)

    def action_help(self) -> None:
        """The keys of the pane that has them."""
        shown = help_for(self.screen)
        if shown is not None:
            self.push_screen(shown)

    def action_interval(self) -> None:
        """Ask for the seconds between two polls."""
        self._requests.interval()

    # What the operator asks for

    def on_add_asked(self) -> None:
        """Add accounts."""
        self._opening.add()

    def on_details_asked(self, asked: DetailsAsked) -> None:
        """Open an account."""
        self._opening.details(asked.login)

    def on_history_asked(self, asked: HistoryAsked) -> None:
        """Open the alert history, of one account or of all."""
        self._opening.history(asked.login)

    def on_stress_asked(self, asked: StressAsked) -> None:
        """Open the stress view."""
        self._opening.stress(asked.move, asked.login)

    def on_remove_asked(self, asked: RemoveAsked) -> None:
        """Stop watching an account."""
        self._requests.remove(asked)

    def on_ack_asked(self, asked: AckAsked) -> None:
        """Mark alerts as handled."""
        self._requests.acknowledge(asked)

    def on_snooze_asked(self, asked: SnoozeAsked) -> None:
        """Silence alerts for a time."""
        self._requests.snooze(asked)

    def on_entry_asked(self, asked: EntryAsked) -> None:
        """Enter day bases and peaks."""
        self._requests.enter(asked)

    def on_limits_asked(self, asked: LimitsAsked) -> None:
        """Change an account's limits."""
        self._requests.limit(asked)

    def on_export_asked(self, asked: ExportAsked) -> None:
        """Write a table to a file, or everything."""
        self._exporting.ask(asked.what)

    def on_copy_asked(self, asked: CopyAsked) -> None:
        """Put a row into the clipboard, through the terminal (OSC 52): it works over SSH."""
        self.copy_to_clipboard(asked.line)
        self._toast("row copied, its cells separated by tabs")

    # The palette

    def action_command_palette(self) -> None:
        """Commands by their words, and a jump to any login, name or symbol."""
        if self.use_command_palette and self.screen.id != OPEN:
            self.push_screen(Palette())

    def commands(self) -> list[Command]:
        """Every command of the desk and the App that has words."""
        found: list[Command] = []
        for node in (self.desk, self):
            for _, binding in node._bindings:
                if binding.id and binding.tooltip and self.allows(binding.action):
                    run = partial(self._run, binding.action, node)
                    found.append(Command(binding.tooltip, self._key_of(binding), run))
        note = partial(self._run, "acknowledge(True)", self.desk)
        found.append(Command("Acknowledge with a note", "", note))
        return found

    def _key_of(self, binding: Binding) -> str:
        """The first key that a binding has, as the keymap gives it."""
        own = self._keymap.get(binding.id or "")
        if own is not None:
            binding = binding.with_key(own.split(",")[0])
        return self.get_key_display(binding)

    def _run(self, action: str, node: DOMNode) -> None:
        self.call_later(self.run_action, action, node)

    def go_to_account(self, login: int) -> None:
        """To its row on the desk."""
        self._to_desk()
        self.desk.find_account(login)

    def go_to_symbol(self, symbol: str) -> None:
        """To the accounts that hold it."""
        self._to_desk()
        self.desk.find_symbol(symbol)

    def _to_desk(self) -> None:
        while self.screen is not self.desk and len(self.screen_stack) > 1:
            self.pop_screen()


def _settle() -> None:
    """Everything was imported and made: what that freed goes back too."""
    gc.freeze()
    give_back_freed()
