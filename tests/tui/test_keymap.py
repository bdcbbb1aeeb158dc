"""The operator's own keys: checked before the screen, and named by it as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.consoles import Bench
from tests.feeds import PLAN, FakeFeed, book

import rms_tui.tui
from rms_tui.monitor import Monitor
from rms_tui.tui.app import RmsApp
from rms_tui.tui.keymap import KeysError, bound, keymap
from rms_tui.tui.screens.add import AddAccounts
from rms_tui.tui.screens.confirm import Confirm
from rms_tui.tui.screens.help import Help

OWN = {"desk.add": "f5", "desk.remove": "X", "desk.zoom": ["Z", "f6"], "app.help": ["f1", "?"]}


def own_bench(**keys: object) -> Bench:
    bench = Bench(FakeFeed(book()))
    bench.app = RmsApp(
        bench.monitor,
        operator="dealer@desk-2",
        store=bench.store,  # type: ignore[arg-type]
        theme="desk-dark",
        clock=lambda: bench.now,
        keymap=keymap(keys or OWN),
    )
    bench.step()
    return bench


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"desk.ad": "x"}, "desk.ad: no such id; did you mean desk.add?"),
        ({"colour": "x"}, "colour: no such id; `rms-tui keys` lists them all"),
        ({"desk.add": "contrl+x"}, "desk.add: no key is called 'contrl+x'; expected a character"),
        ({"desk.add": 5}, 'expected a key in quotes, such as "f5"; got 5'),
        ({"desk.add": []}, "got an empty list"),
        ({"desk.add": ""}, "no key is called ''"),
        ({"desk.add": "\x1b"}, "expected a printable character, got '\\x1b'"),
        ({"desk.add": "ctrl+c"}, "ctrl+c cannot be bound: the terminal's interrupt"),
        ({"desk.add": "d"}, "desk.add: d is taken by desk.remove in the desk"),
        ({"desk.add": ","}, "desk.add: , is taken by app.back in the desk"),
        ({"desk.add": "ctrl+i"}, "desk.add: tab is taken by desk.next in the desk"),
        ({"app.theme": "r"}, "app.theme: r is taken by details.read in account details"),
        ({"table.up": "a"}, "table.up: a is taken by desk.add in the desk"),
        ({"add.close": "x"}, "add.close: x is typed into the line of Add accounts"),
        ({"filter.keep": "left"}, "filter.keep: ← is typed into the line of the filter line"),
    ],
)
def test_what_cannot_be_bound_is_said_with_its_id_and_what_is_allowed(wanted, said):
    with pytest.raises(KeysError) as refused:
        keymap(wanted)
    assert said in str(refused.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(KeysError) as refused:
        keymap({"desk.ad": "x", "desk.add": "d", "app.quit": "f5", "app.theme": "f5"})
    assert len(refused.value.problems) == 3


def test_two_commands_may_change_places():
    assert keymap({"desk.add": "d", "desk.remove": "a"}) == {"desk.add": "d", "desk.remove": "a"}


def test_as_it_comes_no_key_means_two_things_but_enter():
    with pytest.raises(KeysError) as refused:
        keymap({one.id: list(one.keys) for one in bound()} | {"desk.add": "d"})
    assert [problem.partition(":")[0] for problem in refused.value.problems] == ["desk.add"]


def test_every_binding_with_an_id_can_be_rebound():
    """A screen that is missing from the places would have keys that nobody can rebind."""
    here = Path(rms_tui.tui.__file__).parent
    source = "".join(path.read_text("utf-8") for path in here.rglob("*.py"))
    groups = set(re.findall(r'id="([a-z_]+)\.[a-z_0-9]+"', source)) - {"first"}
    assert groups <= {one.id.partition(".")[0] for one in bound()}


@given(st.dictionaries(st.sampled_from([one.id for one in bound()]), st.text(max_size=8)))
def test_whatever_a_file_says_it_is_a_keymap_or_refused(wanted):
    try:
        made = keymap(wanted)
    except KeysError as error:
        made, problems = None, error.problems
    assert problems if made is None else set(made) == set(wanted)


async def test_rebound_keys_do_what_the_old_ones_did_and_the_old_ones_nothing():
    bench = own_bench()
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("a")
        assert bench.app.screen is bench.app.desk
        await pilot.press("f5")
        assert isinstance(bench.app.screen, AddAccounts)
        await pilot.press("escape", "X")
        assert isinstance(bench.app.screen, Confirm)
        assert any("itself; f5 brings it back" in line for line in bench.screen_lines())


async def test_the_footer_the_help_the_tabs_and_the_palette_name_rebound_keys():
    bench = own_bench()
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.pause()
        keys = bench.text("#keys")
        assert "f5 Add" in keys
        assert "X Remove" in keys
        assert "a Add" not in keys
        await pilot.press("f6")
        assert "zoomed, Z shows all" in bench.text("#tabs")
        titles = {command.title: command.key for command in bench.app.commands()}
        assert titles["Add accounts"] == "f5"
        assert titles["Keys of this pane"] == "f1"
        await pilot.press("f1")
        assert isinstance(bench.app.screen, Help)
        lines = "\n".join(bench.screen_lines())
        assert "f5             Add accounts" in lines
        assert "Z f6           This pane alone, or all" in lines


async def test_a_rebound_letter_is_still_typed_into_lines():
    bench = own_bench(**{"desk.clear": "v", "desk.add": "A"})
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("slash", "v", "A")
        assert bench.app.screen.query_one("#filter").value == "vA"


def test_a_console_without_a_file_has_the_keys_as_they_come():
    app = RmsApp(Monitor(FakeFeed(book()), PLAN), operator="dealer@desk-2")
    assert app._keymap == {}
