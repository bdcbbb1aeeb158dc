"""Which keys an operator gives to which commands, by the ids of their bindings. Pure.

Textual ignores an unknown id and gives a key that is taken to whoever comes last, both in silence:
a dealer would find out at the worst moment. So all of it is checked before there is a screen.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import Keys, _character_to_key, format_key, key_to_character
from textual.widgets import Input

from rms_tui.tui.app import RmsApp
from rms_tui.tui.asked_bar import AskedBar
from rms_tui.tui.filter_bar import FilterBar
from rms_tui.tui.screens.add import AddAccounts
from rms_tui.tui.screens.add_element import AddToFleet
from rms_tui.tui.screens.ask import Ask
from rms_tui.tui.screens.by_hand import EnterByHand
from rms_tui.tui.screens.confirm import Confirm
from rms_tui.tui.screens.desk import FleetBoard
from rms_tui.tui.screens.details import Details
from rms_tui.tui.screens.help import Help
from rms_tui.tui.screens.history import AlertHistory
from rms_tui.tui.screens.limits import ChooseLimits, OwnLimits
from rms_tui.tui.screens.snooze import SnoozeMenu
from rms_tui.tui.screens.sort import SortMenu
from rms_tui.tui.screens.stress import Stress
from rms_tui.tui.table import LiveTable


@dataclass(frozen=True, slots=True)
class Place:
    """Where keys are pressed: whose bindings hear them, and whether a line is typed there."""

    name: str
    listeners: tuple[type[DOMNode], ...]
    types: bool = False


PLACES = (
    Place("the desk", (FleetBoard, RmsApp, LiveTable)),
    Place("account details", (Details, RmsApp, LiveTable)),
    Place("alert history", (AlertHistory, RmsApp, LiveTable)),
    Place("the stress view", (Stress, RmsApp, LiveTable)),
    Place("the filter line", (FilterBar,), types=True),
    Place("the history's line", (AskedBar,), types=True),
    Place("Add accounts", (AddAccounts,), types=True),
    Place("Add to the fleet", (AddToFleet,), types=True),
    Place("a question", (Ask,), types=True),
    Place("a yes or no", (Confirm,)),
    Place("Limits", (ChooseLimits,), types=True),
    Place("Limits of its own", (OwnLimits,), types=True),
    Place("Enter by hand", (EnterByHand,), types=True),
    Place("Sort", (SortMenu,)),
    Place("Snooze", (SnoozeMenu,)),
    Place("Help", (Help,)),
)

RESERVED = {
    "ctrl+c": "the terminal's interrupt",
    "ctrl+q": "quits always",
    "ctrl+p": "the palette, always",
}
"""Keys that keep their meaning whatever is bound."""

ALIASES = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_brace": "escape"}
"""Keys that a terminal sends as another one."""

NAMED = frozenset(key.value for key in Keys if "<" not in key.value and "scroll" not in key.value)

ASCII_NAMES = frozenset(_character_to_key(chr(code)) for code in range(32, 127))

OTHER = "choose a key that types nothing, such as f5"


class KeysError(ValueError):
    """A keymap that cannot be used; each of `problems` names id, key and what is allowed."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Bound:
    """A command: its binding's id, its keys as Textual names them, and what it does."""

    id: str
    keys: tuple[str, ...]
    words: str


def bound(keymap: Mapping[str, str] | None = None) -> tuple[Bound, ...]:
    """Every command that can be rebound, in the order of places, with the keys it has."""
    found = {one.id: one for place in PLACES for one in _at(place)}
    given = keymap or {}
    return tuple(
        Bound(one.id, tuple(given[one.id].split(",")), one.words) if one.id in given else one
        for one in found.values()
    )


def shown(key: str) -> str:
    """A key as help and footer write it: `/` for `slash`."""
    modifiers, _, last = key.rpartition("+")
    return f"{modifiers}+{format_key(last)}" if modifiers else format_key(last)


def keymap(wanted: Mapping[str, object]) -> dict[str, str]:
    """The keymap for Textual of what a file says, `{id: key or list of keys}`. Raises KeysError."""
    known = {one.id for one in bound()}
    problems: list[str] = []
    made: dict[str, str] = {}
    for id_, value in wanted.items():
        if id_ not in known:
            near = difflib.get_close_matches(id_, known, 1)
            meant = f"did you mean {near[0]}? " if near else ""
            problems.append(f"{id_}: no such id; {meant}`rms-tui keys` lists them all")
            continue
        try:
            made[id_] = ",".join(_keys(value))
        except ValueError as error:
            problems.append(f"{id_}: {error}")
    problems += _clashes(made)
    if problems:
        raise KeysError(problems)
    return made


def _at(place: Place) -> Iterator[Bound]:
    """The commands of a place; several bindings of one id are one command."""
    keys: dict[str, list[str]] = {}
    words: dict[str, str] = {}
    for listener in place.listeners:
        for kind in reversed(listener.__mro__):
            for binding in Binding.make_bindings(vars(kind).get("BINDINGS", ())):
                if binding.id:
                    keys.setdefault(binding.id, []).append(binding.key)
                    words.setdefault(binding.id, binding.tooltip or binding.description)
    for id_, own in keys.items():
        yield Bound(id_, tuple(dict.fromkeys(own)), words[id_])


def _keys(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if not values:
        raise ValueError('expected a key such as "f5", or a list of keys; got an empty list')
    return [_key(one) for one in values]


def _key(value: object) -> str:
    """One key as Textual names it."""
    if not isinstance(value, str):
        raise ValueError(f'expected a key in quotes, such as "f5"; got {value!r}')
    if len(value) == 1:
        if not value.isprintable():
            raise ValueError(f"expected a printable character, got {value!r}")
        return _character_to_key(value)
    name = value.strip().lower()
    key = ALIASES.get(name, name)
    if key in RESERVED:
        raise ValueError(f"{key} cannot be bound: {RESERVED[key]}")
    modifier, _, last = key.rpartition("+")
    combined = modifier == "alt" and len(last) == 1 and last.isalnum()
    if key not in NAMED and not combined and not _names_a_character(key):
        raise ValueError(
            f"no key is called {value!r}; expected a character such as A or ?, or a name such as "
            "f5, ctrl+e, alt+e, pageup, space, tab, enter, escape, shift+left"
        )
    return key


def _names_a_character(name: str) -> bool:
    """Whether Textual calls a printable character so: `question_mark`, `slash`."""
    character = key_to_character(name)
    if character is None:
        return name in ASCII_NAMES
    return character.isprintable()


def _clashes(keymap: Mapping[str, str]) -> Iterator[str]:
    """What two commands of one place would share and did not before, or a line would swallow."""
    told: set[tuple[str, str, str]] = set()
    for place in PLACES:
        before = {one.id: one.keys for one in _at(place)}
        now = {**before, **{id_: tuple(keymap[id_].split(",")) for id_ in before if id_ in keymap}}
        for id_, key in [(one, key) for one in before if one in keymap for key in now[one]]:
            if place.types and key not in before[id_] and _is_typed(key):
                yield f"{id_}: {shown(key)} is typed into the line of {place.name}; {OTHER}"
            for other in _others(id_, key, before, now):
                pair = (key, min(id_, other), max(id_, other))
                if pair not in told:
                    told.add(pair)
                    yield (
                        f"{id_}: {shown(key)} is taken by {other} in {place.name}; choose "
                        f"another key, or give {other} one of its own"
                    )


def _others(
    id_: str, key: str, before: Mapping[str, tuple[str, ...]], now: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    for other, keys in now.items():
        shared = key in before[id_] and key in before[other]
        if other != id_ and key in keys and not shared:
            yield other


def _is_typed(key: str) -> bool:
    """Whether a line of text takes the key for itself."""
    own = {binding.key for binding in Binding.make_bindings(Input.BINDINGS)}
    return _names_a_character(key) or key in own
