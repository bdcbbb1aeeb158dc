"""What the desk and the details have in common: panes on a board, a notice, keys about alerts.

Bindings are made here for both, so that the same key does the same on either; each keeps ids of its
own (`desk.snooze`, `details.snooze`), by which `keys.toml` rebinds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual import events
from textual.binding import Binding
from textual.screen import Screen

from rms_tui.tui.board import Board
from rms_tui.tui.messages import AckAsked, CopyAsked, HistoryAsked, LimitsAsked, SnoozeAsked
from rms_tui.tui.panes.pane import Pane
from rms_tui.tui.status_line import Piece, StatusLine
from rms_tui.tui.table.literal import literal


def handling_keys(screen: str, whose: str) -> Iterator[Binding]:
    """Keys about alerts and limits."""
    about = {
        "space": ("acknowledge", "Ack", f"Acknowledge {whose}"),
        "n": ("snooze", "Snooze", f"Snooze {whose}"),
        "h": ("history", "History", "Alert history"),
        "l": ("limits", "Limits", "Edit limits, or assign a profile"),
    }
    for key, (action, word, tooltip) in about.items():
        yield Binding(key, action, word, tooltip=tooltip, id=f"{screen}.{action}")


def taking_keys(screen: str) -> Iterator[Binding]:
    """Keys that take what is shown elsewhere."""
    yield Binding("y", "copy_row", "Copy", show=False, tooltip="Copy this row", id=f"{screen}.copy")


def pane_keys(screen: str, names: Sequence[str], *, next_shown: bool = False) -> Iterator[Binding]:
    """Keys that move between panes."""
    yield Binding("z", "zoom", "Zoom", tooltip="This pane alone, or all", id=f"{screen}.zoom")
    yield Binding(
        "p",
        "app.pause",
        "Pause",
        tooltip="Hold the picture; polling goes on",
        id=f"{screen}.pause",
    )
    yield Binding("tab", "pane(1)", "Next pane", show=next_shown, id=f"{screen}.next")
    yield Binding("shift+tab", "pane(-1)", "Pane before", show=False, id=f"{screen}.before")
    for n, name in enumerate(names, 1):
        yield Binding(
            str(n), f"go({n})", name, show=False, tooltip=f"To {name}", id=f"{screen}.pane_{n}"
        )


class BoardScreen(Screen[None]):
    """A board of panes; `alerts_pane` is the one whose rows are alerts.

    Lines are held, not looked for: frames still come while a screen is taken down piece by piece.
    """

    board: Board
    alerts_pane: Pane

    def __init__(self) -> None:
        super().__init__()
        self.heading_line = StatusLine(id="heading")
        self.notice_line = StatusLine(id="notice")

    @property
    def login(self) -> int | None:
        """The account that is meant."""
        raise NotImplementedError

    def note_seen(self) -> None:
        """The operator looks at the account that is meant."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key that makes no sense over this monitor is not there."""
        if action == "go" and parameters and int(str(parameters[0])) > len(self.board.panes):
            return False
        allows = getattr(self.app, "allows", None)
        return True if allows is None else bool(allows(action))

    def on_resize(self, event: events.Resize) -> None:
        """All panes or one at a time, as the new size allows."""
        self.board.fit(event.size.width, event.size.height)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A click may have chosen another pane."""
        for pane in self.board.panes:
            if pane.table is event.widget:
                self.board.note_focus(pane)

    def say_notice(self, words: Sequence[Piece]) -> None:
        """Show the line under the heading while there is something to say."""
        self.notice_line.say(words)
        if self.notice_line.display != bool(words):
            self.notice_line.display = bool(words)

    @property
    def alert_id(self) -> str | None:
        """The alert under the cursor of Alerts; "" for what is no alert, None elsewhere."""
        if self.board.current is not self.alerts_pane:
            return None
        key = self.alerts_pane.table.cursor_key
        return key if isinstance(key, str) else ""

    def action_acknowledge(self, with_note: bool = False) -> None:
        """The alert under the cursor of Alerts, else all of the account."""
        self.note_seen()
        self.post_message(AckAsked(self.login, self.alert_id, with_note))

    def action_snooze(self) -> None:
        """The alert under the cursor of Alerts, else all of the account, silent for a time."""
        self.post_message(SnoozeAsked(self.login, self.alert_id))

    def action_history(self) -> None:
        """Alerts that are over."""
        self.post_message(HistoryAsked())

    def action_limits(self) -> None:
        """By which limits the account that is meant is judged."""
        if self.login is not None:
            self.post_message(LimitsAsked(self.login))

    def action_copy_row(self) -> None:
        """The row under the cursor into the clipboard, its cells apart by tabs."""
        table = self.board.current.table
        if table.cursor_key is not None:
            cells = table.rows.cells(table.cursor_row)
            self.post_message(CopyAsked("\t".join(literal(cell.text) for cell in cells)))

    def action_go(self, number: int) -> None:
        """To a pane by its number, where there is one."""
        if number <= len(self.board.panes):
            self.board.go(self.board.panes[number - 1])

    def action_pane(self, by: int) -> None:
        """To the next pane."""
        self.board.step(by)

    def action_zoom(self) -> None:
        """One pane, or all."""
        self.board.zoom()
