"""The application under test of `benchmarks.table`: one table, one steady stream of changes.

Run as `python -m benchmarks.table_app KIND ROWS HZ`; KIND is `live` (our table), `whole-lines` (our
table in a plain Textual App) or `datatable` (Textual's own, one `update_cell` a changed cell).
Every tick changes three of the twelve columns in every row. Random figures are drawn before the
first tick, so that the tables and not the random numbers are measured.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
from textual.app import App, ComposeResult
from textual.widgets import DataTable

from rms_tui.tui.display import FrugalApp
from rms_tui.tui.table import Cell, Column, LiveTable

PICTURES = 16
"""Pictures prepared before the first tick, shown in turn."""

COLUMNS = (
    Column("state", "STATE", 9, frozen=True),
    Column("login", "Login", 9, "right", frozen=True),
    Column("name", "Name", 22),
    Column("group", "Group", 18),
    Column("currency", "Cur", 4),
    Column("leverage", "Lev", 5, "right"),
    Column("balance", "Balance", 14, "right"),
    Column("equity", "Equity", 14, "right"),
    Column("floating", "Floating", 14, "right"),
    Column("level", "Level%", 10, "right"),
    Column("margin", "Margin", 12, "right"),
    Column("positions", "Pos", 5, "right"),
)
CHANGING = ("equity", "floating", "level")

Figures = npt.NDArray[np.float64]


class Accounts:
    """`Rows` over columns, as a pane would write it."""

    def __init__(self, balance: Figures, floating: Figures) -> None:
        self._balance = balance
        self._floating = floating

    def __len__(self) -> int:
        return len(self._balance)

    def key(self, row: int) -> Hashable:
        return 70_000 + row

    def row_of(self, key: Hashable) -> int | None:
        row = key - 70_000 if isinstance(key, int) else -1
        return row if 0 <= row < len(self) else None

    def row_style(self, row: int) -> str:
        return "warning" if row % 17 == 3 else ""

    def cells(self, row: int) -> Sequence[Cell]:
        balance, floating = float(self._balance[row]), float(self._floating[row])
        return (
            Cell("WARNING" if row % 17 == 3 else "ok", "warning" if row % 17 == 3 else "dim"),
            Cell(str(70_000 + row)),
            Cell(f"Client {row}"),
            Cell(f"real\\group-{row % 7}"),
            Cell("USD"),
            Cell("1:100"),
            Cell(f"{balance:,.2f}"),
            Cell(f"{balance + floating:,.2f}"),
            Cell(f"{floating:+,.2f}", "good" if floating >= 0 else "bad"),
            Cell(f"{(balance + floating) / balance * 320:.1f}"),
            Cell(f"{balance / 3.2:,.2f}"),
            Cell(str(row % 12)),
        )


def pictures(rows: int) -> list[Accounts]:
    """Pictures in which every row's equity, floating and level differ from the one before."""
    draw = np.random.default_rng(7)
    balance = draw.uniform(1_000, 200_000, rows)
    return [Accounts(balance, draw.normal(0, 900, rows)) for _ in range(PICTURES)]


def live(base: type[App[None]], rows: int, hz: float) -> App[None]:
    """Our table in an App of the given class."""

    class Live(base):  # type: ignore[misc, valid-type]
        def compose(self) -> ComposeResult:
            yield LiveTable(COLUMNS)

        def on_mount(self) -> None:
            table = self.query_one(LiveTable)
            shown = pictures(rows)
            table.show(shown[0])
            table.focus()
            tick = 0

            def show_next() -> None:
                nonlocal tick
                tick += 1
                table.show(shown[tick % PICTURES])

            if hz:
                self.set_interval(1 / hz, show_next)

    return Live()


class Stock(App[None]):
    """Textual's DataTable, told of each changed cell."""

    def __init__(self, rows: int, hz: float) -> None:
        super().__init__()
        self._rows = rows
        self._hz = hz

    def compose(self) -> ComposeResult:
        yield DataTable[str](cursor_type="row")

    def on_mount(self) -> None:
        table: DataTable[str] = self.query_one(DataTable)
        shown = pictures(self._rows)
        for column in COLUMNS:
            table.add_column(column.title, width=column.width, key=column.id)
        for row in range(self._rows):
            table.add_row(*(cell.text for cell in shown[0].cells(row)), key=str(row))
        table.focus()
        changing = [i for i, column in enumerate(COLUMNS) if column.id in CHANGING]
        texts = [
            [(str(row), COLUMNS[i].id, cells[i].text) for i in changing]
            for accounts in shown[:4]
            for row in range(self._rows)
            for cells in [accounts.cells(row)]
        ]
        tick = 0

        def update() -> None:
            nonlocal tick
            tick = (tick + 1) % 4
            for changes in texts[tick * self._rows : (tick + 1) * self._rows]:
                for row, column, text in changes:
                    table.update_cell(row, column, text)

        if self._hz:
            self.set_interval(1 / self._hz, update)


def main(kind: str, rows: str, hz: str) -> None:
    """Run one kind until the terminal goes away."""
    if kind == "datatable":
        Stock(int(rows), float(hz)).run()
    else:
        live(FrugalApp if kind == "live" else App, int(rows), float(hz)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
