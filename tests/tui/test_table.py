"""The table: literal text in exact cells, a cursor that stays on its key, no needless repaint."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Coroutine, Hashable, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.pilot import Pilot

from rms_tui.tui.table import Cell, Column, ListedRows, LiveTable
from rms_tui.tui.table.literal import REPLACED, UNPLACED, cropped, cut, fitted, literal

COLUMNS = (
    Column("login", "Login", 8, "right", frozen=True),
    Column("name", "Name", 12),
    Column("equity", "Equity", 10, "right"),
    Column("note", "Note", 6, sortable=False),
)


class Shown(App[None]):
    """One table; remembers its messages and how often something went to the terminal."""

    def __init__(self, columns: Sequence[Column] = COLUMNS) -> None:
        super().__init__()
        self.table = LiveTable(columns)
        self.said: list[Message] = []
        self.paints: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def _display(self, screen: object, renderable: object) -> None:
        if renderable is not None:
            self.paints.append(renderable)
        super()._display(screen, renderable)  # type: ignore[arg-type]

    def on_live_table_cursor_moved(self, message: LiveTable.CursorMoved) -> None:
        self.said.append(message)

    def on_live_table_row_selected(self, message: LiveTable.RowSelected) -> None:
        self.said.append(message)

    def on_live_table_header_selected(self, message: LiveTable.HeaderSelected) -> None:
        self.said.append(message)

    @property
    def lines(self) -> list[str]:
        """What the table's lines show."""
        return [self.table.render_line(y).text for y in range(self.table.size.height)]

    def keys_told(self) -> list[Hashable]:
        return [said.key for said in self.said if isinstance(said, LiveTable.CursorMoved)]


def accounts(keys: Sequence[Hashable], note: str = "") -> ListedRows:
    """A row for each key."""
    return ListedRows(
        list(keys),
        [(Cell(str(key)), Cell(f"Client {key}"), Cell("1.00"), Cell(note)) for key in keys],
    )


def run(
    check: Callable[[Shown, Pilot[None]], Coroutine[None, None, None]],
    size: tuple[int, int] = (60, 12),
    columns: Sequence[Column] = COLUMNS,
) -> None:
    """Run a check inside an app, from synchronous (hypothesis) tests too."""

    async def inside() -> None:
        app = Shown(columns)
        async with app.run_test(size=size) as pilot:
            await check(app, pilot)

    asyncio.run(inside())


def style_at(table: LiveTable, x: int, y: int) -> Style:
    """The style of a cell as drawn."""
    for text, style, _ in table.render_line(y):
        x -= cell_len(text)
        if x < 0:
            assert style is not None
            return style
    raise AssertionError("no such cell")


# Text


def is_harmless(text: str) -> bool:
    return all(
        character == " " or unicodedata.category(character)[0] not in "CZ" for character in text
    )


HOSTILE = st.one_of(
    st.text(),
    st.text(st.characters(categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Mn", "Mc", "Me"))),
    st.text(
        st.sampled_from("a\t\n\x1b\x9b\u202e\u2066\u200b\u200d\ufe0f日👍👨🇬🇧é\u0301\ud800[]/\u3000")
    ),
)


@given(HOSTILE, st.integers(0, 30), st.booleans())
@settings(max_examples=600, deadline=None)
@example("\u0301\u0301\u0301", 2, False)
@example("👨\u200d👩\u200d👧", 3, True)
@example("日本語", 2, False)
def test_any_text_fits_its_width_exactly_and_carries_no_control(
    text: str, width: int, right: bool
) -> None:
    shown = fitted(text, width, right=right)
    assert cell_len(shown) == width
    assert is_harmless(shown)


@given(HOSTILE, st.integers(1, 20), st.data())
@settings(max_examples=300, deadline=None)
def test_any_part_of_a_fitted_text_has_its_own_width(
    text: str, width: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, width))
    end = data.draw(st.integers(start, width))
    part = cropped(fitted(text, width), start, end)
    assert cell_len(part) == end - start
    assert is_harmless(part)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bob[/red]", "Bob[/red]"),
        ("\x1b[31mred", f"{REPLACED}[31mred"),
        ("two\nlines\ttab", f"two{REPLACED}lines{REPLACED}tab"),
        ("abc\u202ecba", f"abc{REPLACED}cba"),
        ("zero\u200bwidth", f"zero{REPLACED}width"),
        ("\ud800", REPLACED),
        ("no\u00a0break", "no break"),
        ("🇬🇧", "GB"),
        ("e\u0301", "é"),
        ("ที่", "ที่"),
        ("\u0301a", f"{UNPLACED}a"),
        ("q\u0323\u0307\u0302\u0303", f"q\u0323\u0307{UNPLACED * 2}"),
        ("❤\ufe0f", "❤"),
    ],
)
def test_an_unsafe_character_shows_as_a_visible_sign(text: str, shown: str) -> None:
    assert literal(text) == shown


def test_too_long_a_text_is_cut_by_cells_with_an_ellipsis() -> None:
    assert fitted("Alexander", 6) == "Alexa…"
    assert fitted("日本語テキスト", 6) == "日本 …"
    assert fitted("12", 6, right=True) == "    12"


@given(st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE, HOSTILE), max_size=8), st.integers(1, 70))
@settings(max_examples=25, deadline=None)
def test_every_line_of_hostile_cells_is_as_wide_as_the_table(
    texts: list[tuple[str, str, str, str]], width: int
) -> None:
    rows = ListedRows(range(len(texts)), [[Cell(text) for text in row] for row in texts])

    async def check(app: Shown, pilot: Pilot[None]) -> None:
        app.table.say(texts[0][0] if texts else "\x1b]0;gotcha\x07")
        app.table.show(rows)
        await pilot.pause()
        await pilot.press("right")
        await pilot.pause()
        for line in app.lines:
            assert cell_len(line) == width
            assert is_harmless(line)

    run(check, size=(width, 12))


def test_markup_in_a_name_is_text() -> None:
    async def check(app: Shown, pilot: Pilot[None]) -> None:
        app.table.show(
            ListedRows([1], [(Cell("1"), Cell("[b]Bo[/b]"), Cell("$x"), Cell("\\[@click]"))])
        )
        await pilot.pause()
        assert app.lines[1].rstrip() == "       1 [b]Bo[/b]            $x \\[@cl…"

    run(check)


# Cursor


@given(
    st.lists(st.lists(st.integers(0, 39), unique=True, max_size=40), min_size=1, max_size=8),
    st.integers(0, 39),
)
@example([[], list(range(12))], 11)
@example([[*range(4), 34, *range(4, 15)]], 34)
@settings(max_examples=40, deadline=None)
def test_the_cursor_stays_on_its_key_through_any_reorder(
    orders: list[list[int]], start: int
) -> None:
    async def check(app: Shown, pilot: Pilot[None]) -> None:
        table = app.table
        table.show(accounts(range(40)))
        await pilot.pause()
        assert table.move_to(start)
        key, row = start, start
        for order in orders:
            table.show(accounts(order))
            await pilot.pause()
            if not order:
                assert table.cursor_key is None
                continue
            row = order.index(key) if key in order else min(row, len(order) - 1)
            key = order[row]
            assert (table.cursor_key, table.cursor_row) == (key, row)
            assert table.scroll_offset.y <= row < table.scroll_offset.y + 11
            told = app.keys_told()
            assert told[-1] == key
            assert all(one != next_ for one, next_ in pairwise(told))

    run(check)


async def test_a_filter_typed_to_nothing_and_back_keeps_the_account() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        app.table.show(accounts(range(10)))
        app.table.move_to(7)
        app.table.show(accounts([]))
        await pilot.pause()
        assert app.table.cursor_key is None
        app.table.show(accounts(range(5, 10)))
        await pilot.pause()
        assert app.table.cursor_key == 7
        assert app.keys_told() == [0, 7, None, 7]


async def test_a_reader_scrolled_away_is_not_pulled_back_to_the_cursor() -> None:
    app = Shown()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.show(accounts(range(100)))
        await pilot.pause()
        app.table.set_scroll(None, 50)
        app.table.show(accounts(range(99, -1, -1)))
        await pilot.pause()
        assert app.table.scroll_offset.y == 50
        assert app.table.cursor_key == 0


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        (["j", "j", "k"], 1),
        (["down", "down", "up"], 1),
        (["G"], 99),
        (["end", "home"], 0),
        (["G", "g"], 0),
        (["pagedown"], 10),
        (["pagedown", "pagedown", "pageup"], 10),
        (["up"], 0),
        (["G", "down"], 99),
    ],
)
async def test_keys_move_the_cursor_and_keep_it_in_view(keys: list[str], row: int) -> None:
    app = Shown()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.show(accounts(range(100)))
        await pilot.press(*keys)
        assert app.table.cursor_row == row
        assert app.table.cursor_key == row
        assert any(line.startswith(f"{row:>8} Client {row} ") for line in app.lines)


async def test_the_cursor_moving_is_told_once_for_each_other_key() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        app.table.show(accounts(["a", "b"]))
        app.table.show(accounts(["b", "a"]))
        await pilot.press("up", "up", "home")
        assert app.keys_told() == ["a", "b"]
        assert not app.table.move_to("nobody")


async def test_rows_shown_before_mounting_are_told_after_it() -> None:
    app = Shown()
    app.table.show(accounts([5]))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.keys_told() == [5]
        assert "Client 5" in app.lines[1]


async def test_enter_and_a_double_click_select_the_row() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        app.table.show(accounts(range(5)))
        await pilot.press("j", "enter")
        await pilot.click(LiveTable, offset=(3, 4), times=2)
        selected = [said.key for said in app.said if isinstance(said, LiveTable.RowSelected)]
        assert selected == [1, 3]


async def test_enter_on_an_empty_table_selects_nothing() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        await pilot.press("enter", "j", "G", "pageup")
        assert app.said == []


async def test_a_header_click_asks_for_a_sortable_column_only() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        app.table.show(accounts(range(5)))
        await pilot.click(LiveTable, offset=(10, 0))
        await pilot.click(LiveTable, offset=(33, 0))
        await pilot.click(LiveTable, offset=(70, 0))
        asked = [s.column_id for s in app.said if isinstance(s, LiveTable.HeaderSelected)]
        assert asked == ["name"]


def test_every_binding_has_an_id_of_the_table() -> None:
    ids = [each.id for each in LiveTable.BINDINGS if isinstance(each, Binding)]
    assert len(ids) == len(LiveTable.BINDINGS) == len(set(ids))
    assert all(each is not None and each.startswith("table.") for each in ids)


# Columns


async def test_frozen_columns_stay_while_the_others_scroll_by_whole_columns() -> None:
    app = Shown()
    async with app.run_test(size=(24, 6)) as pilot:
        app.table.show(accounts([70123], note="vip"))
        await pilot.pause()
        assert app.lines[1] == "   70123 Client 70123  …"
        await pilot.press("right")
        assert app.lines[0] == "   Login     Equity Note"
        assert app.lines[1] == "   70123       1.00 vip "
        await pilot.press("left")
        assert app.lines[1] == "   70123 Client 70123  …"
        await pilot.press("shift+right")
        assert app.lines[1].startswith("   70123")
        assert app.lines[1].endswith("vip   ")


async def test_a_part_of_a_figure_is_never_shown_as_a_figure() -> None:
    app = Shown()
    row = (Cell("70123"), Cell("Client 70123"), Cell("93 555.25"), Cell("vip"))
    async with app.run_test(size=(30, 6)) as pilot:
        app.table.show(ListedRows([70123], [row]))
        await pilot.pause()
        assert app.lines[0] == "   Login Name                …"
        assert app.lines[1] == "   70123 Client 70123        …"
        await pilot.press("shift+right")
        assert app.lines[1].split() == ["70123", "…23", "93", "555.25", "vip"]


def test_words_that_are_cut_end_with_an_ellipsis() -> None:
    assert cut("Maria da Silva", 0, 8) == "Maria d…"
    assert cut("Maria da Silva", 6, 14) == "…a Silva"
    assert cut("Maria     ", 0, 7) == "Maria  "
    assert cut("     12.50", 3, 10, right=True) == "  12.50"
    assert cut("     12.50", 0, 8, right=True) == "       …"
    assert cut("     12.50", 0, 4, right=True) == "   …"
    assert cut("          ", 0, 4, right=True) == "    "
    assert cut("李小龙  ", 0, 3) == "李…"


async def test_other_columns_are_laid_out_at_once() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        app.table.show(accounts([1]))
        await pilot.pause()
        app.table.set_columns([Column("login", "No", 4), Column("name", "Who", 10, "right")])
        await pilot.pause()
        assert app.lines[0].rstrip() == "No          Who"
        assert app.lines[1].rstrip() == "1      Client 1"


async def test_the_header_shows_what_the_rows_are_sorted_by() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        app.table.set_sort_shown(("equity", True))
        await pilot.pause()
        assert app.lines[0].split() == ["Login", "Name", "Equity▼", "Note"]
        app.table.set_sort_shown(("name", False))
        assert app.lines[0].split() == ["Login", "Name▲", "Equity", "Note"]
        assert app.table.sort_shown == ("name", False)


# Empty


async def test_an_empty_table_says_why_in_its_middle() -> None:
    app = Shown()
    async with app.run_test(size=(40, 9)) as pilot:
        app.table.say("No [accounts] yet\na adds one")
        await pilot.pause()
        assert [line.strip() for line in app.lines[3:6]] == ["", "No [accounts] yet", "a adds one"]
        assert app.lines[4].index("No") == 11
        app.table.show(accounts([1]))
        await pilot.pause()
        assert not any("accounts" in line for line in app.lines)


# Repaints


async def test_nothing_is_painted_when_nothing_changed() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        app.table.show(accounts(range(50)))
        await pilot.pause()
        app.paints.clear()
        for _ in range(5):
            app.table.show(accounts(range(50)))
            await pilot.pause()
        app.table.set_sort_shown(None)
        app.table.say("not now")
        app.table.set_columns(COLUMNS)
        await pilot.pause()
        assert app.paints == []


async def test_only_the_lines_that_differ_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Shown()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.show(accounts(range(50)))
        await pilot.pause()
        asked: list[int] = []
        monkeypatch.setattr(
            app.table, "refresh", lambda *regions, **_: asked.extend(each.y for each in regions)
        )
        app.table.show(accounts([0, 1, 2, 99, *range(4, 50)]))
        assert asked == [4]
        asked.clear()
        app.table.show(accounts([0, 1, 2, 99, *range(4, 49)]))
        assert asked == []


async def test_a_row_more_or_less_never_lays_the_screen_out_again() -> None:
    app = Shown()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.show(accounts(range(50)))
        await pilot.pause()
        app.paints.clear()
        app.table.show(accounts(range(51)))
        app.table.show(accounts(range(1, 51)))
        await pilot.pause()
        assert app.paints
        assert not any(isinstance(paint, LayoutUpdate) for paint in app.paints)
        await pilot.press("G")
        assert "Client 50" in app.lines[-1]


async def test_rows_gone_from_the_end_leave_no_ghosts() -> None:
    app = Shown()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.show(accounts(range(50)))
        await pilot.press("G")
        app.table.show(accounts(range(20)))
        await pilot.pause()
        assert app.table.cursor_row == 19
        assert "Client 19" in app.lines[-1]
        app.table.show(accounts(range(3)))
        await pilot.pause()
        assert [line.strip() != "" for line in app.lines] == [True] * 4 + [False] * 8


async def test_a_smaller_terminal_keeps_the_cursor_in_view() -> None:
    app = Shown()
    async with app.run_test(size=(160, 50)) as pilot:
        app.table.show(accounts(range(100)))
        await pilot.pause()
        app.table.move_to(45)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert any("Client 45" in line for line in app.lines)
        assert {cell_len(line) for line in app.lines} == {79}


class Counted:
    """100 000 rows that count who is asked for cells."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return 100_000

    def key(self, row: int) -> Hashable:
        return row

    def row_of(self, key: Hashable) -> int | None:
        return key if isinstance(key, int) else None

    def cells(self, row: int) -> Sequence[Cell]:
        self.asked.append(row)
        return (Cell(str(row)), Cell(""), Cell(""), Cell(""))

    def row_style(self, row: int) -> str:
        return "" if row >= 0 else "unknown"


async def test_of_100_000_rows_only_the_visible_are_asked_for() -> None:
    app, rows = Shown(), Counted()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.show(rows)
        await pilot.press("G")
        assert app.lines[-1].split() == ["99999"]
        assert set(rows.asked) <= {*range(11), *range(99_989, 100_000)}
        rows.asked.clear()
        app.table.show(rows)
        await pilot.pause()
        assert sorted(rows.asked) == list(range(99_989, 100_000))


async def test_a_hidden_table_asks_for_nothing_and_is_current_when_it_returns() -> None:
    app, rows = Shown(), Counted()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.show(accounts(range(20)))
        await pilot.pause()
        app.table.display = False
        await pilot.pause()
        app.table.show(rows)
        await pilot.pause()
        assert rows.asked == []
        app.table.display = True
        await pilot.pause()
        assert app.lines[2].split() == ["1"]


# Styles


def styled(*styles: str) -> ListedRows:
    cells = [Cell("x", style) for style in (*styles, "", "", "", "")[:4]]
    return ListedRows([0, 1], [cells, cells])


async def test_states_are_told_apart_without_colour() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        app.table.show(styled("breached", "critical", "warning", ""))
        await pilot.pause()
        breached, critical, warning = (style_at(app.table, x, 2) for x in (7, 9, 31))
        assert breached.reverse
        assert critical.underline
        assert warning.bold
        assert not style_at(app.table, 34, 2).bold


async def test_the_cursor_shows_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Shown()
    async with app.run_test() as pilot:
        app.table.show(styled("bad"))
        await pilot.pause()
        assert app.table.has_focus
        assert style_at(app.table, 7, 1).reverse
        assert not style_at(app.table, 7, 2).reverse
        app.table.blur()
        await pilot.pause()
        assert style_at(app.table, 7, 1).bold
        assert not style_at(app.table, 7, 1).reverse


async def test_the_cursor_is_strong_with_focus_and_subtle_without() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        app.table.show(styled("bad"))
        await pilot.pause()
        plain, focused = style_at(app.table, 40, 2), style_at(app.table, 40, 1)
        app.table.blur()
        await pilot.pause()
        blurred = style_at(app.table, 40, 1)
        assert len({plain.bgcolor, focused.bgcolor, blurred.bgcolor}) == 3
        assert style_at(app.table, 7, 1).color == style_at(app.table, 7, 2).color


async def test_a_row_style_lies_under_the_cells_own() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        cells = [Cell("x"), Cell("x", "good"), Cell("x"), Cell("x")]
        app.table.show(ListedRows([0, 1, 2], [cells] * 3, ["", "marked", ""]))
        await pilot.pause()
        assert style_at(app.table, 7, 2).bold
        assert style_at(app.table, 9, 2).color == style_at(app.table, 9, 3).color
        assert style_at(app.table, 7, 2).color != style_at(app.table, 7, 3).color


async def test_another_theme_repaints_in_its_colours() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        app.table.show(accounts(range(3)))
        await pilot.pause()
        before = style_at(app.table, 1, 2)
        app.theme = "textual-light"
        await pilot.pause()
        await pilot.pause()
        assert style_at(app.table, 1, 2).bgcolor != before.bgcolor


async def test_an_unknown_style_name_is_refused_with_the_known_ones() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        await pilot.pause()
        with pytest.raises(ValueError, match=r"no style 'rosy' in LiveTable; known: .*breached"):
            app.table._inks.of("", False)["rosy"]


def test_rows_and_keys_must_match_in_number() -> None:
    with pytest.raises(ValueError, match="1 keys, 0 cells, 0 styles"):
        ListedRows([1])
