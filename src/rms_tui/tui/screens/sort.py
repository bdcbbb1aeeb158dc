"""The order of a pane: choose a column; the same key again turns the present order around."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from rms_tui.tui.table import Column


class SortMenu(ModalScreen[tuple[str, bool] | None]):
    """Answers a column id and whether descending, None for no change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="sort.back"),
        Binding("s", "reverse", "Reverse", id="sort.reverse"),
        Binding("j", "down", "Down", show=False, id="sort.down"),
        Binding("k", "up", "Up", show=False, id="sort.up"),
    ]

    def __init__(self, name: str, columns: Sequence[Column], sort: tuple[str, bool]) -> None:
        super().__init__()
        self._name = name
        self._columns = [column for column in columns if column.sortable]
        self._sort = sort

    def compose(self) -> ComposeResult:
        """The columns, the present one marked."""
        with Vertical(classes="dialog narrow") as box:
            box.border_title = f"Sort {self._name}"
            present, descending = self._sort
            yield OptionList(
                *(
                    Option(
                        Content(
                            f"{column.title}  {('▼' if descending else '▲')}"
                            if column.id == present
                            else column.title
                        ),
                        id=column.id,
                    )
                    for column in self._columns
                ),
                compact=True,
            )
            yield Static(Content("enter sorts, s reverses, escape leaves"), classes="hint")

    def on_mount(self) -> None:
        """Start at the present column."""
        ids = [column.id for column in self._columns]
        options = self.query_one(OptionList)
        options.highlighted = ids.index(self._sort[0]) if self._sort[0] in ids else 0
        options.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """That column: the present one turns around, figures start with the largest."""
        chosen = next(column for column in self._columns if column.id == event.option.id)
        if chosen.id == self._sort[0]:
            self.dismiss((chosen.id, not self._sort[1]))
        else:
            self.dismiss((chosen.id, chosen.align == "right" or chosen.id == "state"))

    def action_reverse(self) -> None:
        """The same column, the other way round."""
        self.dismiss((self._sort[0], not self._sort[1]))

    def action_down(self) -> None:
        """One line down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """One line up."""
        self.query_one(OptionList).action_cursor_up()
