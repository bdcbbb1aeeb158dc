"""The command palette: every command, and a jump to any login, name or symbol."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from textual.app import ComposeResult
from textual.command import CommandInput, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from rms_tui.account_keys import login_of
from rms_tui.tui.commands import Command, Commanded
from rms_tui.tui.filter import starts_with
from rms_tui.tui.line_input import PaletteInput
from rms_tui.tui.table.literal import literal

OPEN = "--command-palette"
"""The id by which Textual knows that the palette is open."""

MOST = 12
"""Accounts offered for what was typed."""


class DeskCommands(Provider):
    """Commands by their words; accounts and symbols of the newest frame."""

    @property
    def _commanded(self) -> Commanded:
        app = self.app
        assert isinstance(app, Commanded)
        return app

    async def discover(self) -> Hits:
        """All commands, in order."""
        for command in self._commanded.commands():
            yield DiscoveryHit(_shown(command), command.run, text=command.title)

    async def search(self, query: str) -> Hits:
        """Commands that match, then where to jump."""
        matcher = self.matcher(query)
        for command in self._commanded.commands():
            score = matcher.match(command.title)
            if score > 0:
                yield Hit(score, _shown(command), command.run, text=command.title)
        for title, run in self._jumps(query.strip()):
            yield Hit(1.0, Content(literal(title)), run, text=literal(title))

    def _jumps(self, query: str) -> Iterator[tuple[str, partial[None]]]:
        app = self._commanded
        moment = app.moment()
        if not query or moment is None or moment.frame.book is None:
            return
        book, wanted = moment.frame.book, query.casefold()
        logins, names = book.accounts.login, book.accounts.name
        if query.isascii() and query.isdigit() and len(query) <= 18:
            rows = np.flatnonzero(starts_with(logins, query))[:MOST].tolist()
        else:
            rows = [row for row, name in enumerate(names) if wanted in name.casefold()][:MOST]
        for row in rows:
            login = int(logins[row])
            yield f"Account {login_of(login)}  {names[row]}", partial(app.go_to_account, login)
        for symbol in book.symbols.name:
            if wanted in symbol.casefold():
                yield f"Symbol {symbol}  who holds it", partial(app.go_to_symbol, symbol)


class Palette(CommandPalette):
    """Textual's palette; what is pasted into its line is shown and never obeyed."""

    def __init__(self) -> None:
        super().__init__(id=OPEN)

    def compose(self) -> ComposeResult:
        """The same widgets, with a line of ours."""
        for widget in super().compose():
            ours = isinstance(widget, CommandInput)
            yield PaletteInput(placeholder=self._placeholder) if ours else widget


def _shown(command: Command) -> Content:
    return Content.assemble(command.title, (f"   {command.key}", "dim"))
