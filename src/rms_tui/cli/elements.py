"""`element`: the fleet's accounts, added and edited by operators, listed as adm.py listed them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from rms_tui.cli.exits import USAGE, end
from rms_tui.cli.limits import Limits, given_profile, in_words
from rms_tui.cli.oneshot import plain, print_json, print_table
from rms_tui.cli.password import ask
from rms_tui.cli.secrets import in_words as secrets_in_words
from rms_tui.cli.storing import database
from rms_tui.store.named import id_text
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import loaded
from rms_tui.wiring.storing import master_key_file

if TYPE_CHECKING:
    from rms_tui.settings import Loaded, Source
    from rms_tui.store.database import Rms

SOURCES = ("terminal", "manager")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was given for an element; None where nothing was."""

    source: str | None = None
    investor: bool | None = None
    password: bool | None = None
    limits: Limits = field(default_factory=Limits)


def add(shared: Given, login: str, server: str, asked: Asked, *, json: bool) -> None:
    """Add an account; its password is asked for, encrypted here and written so."""
    from rms_tui.store import element_edits

    number = _login(login)
    if not server.strip():
        end("expected the name of the trade server, such as Broker-Live", USAGE)
    source: Source = _source(asked.source) or "terminal"
    layers = loaded(shared)
    profile = given_profile(asked.limits, None, layers.plan, number)
    sets: dict[str, Any] = {} if profile is None else {"profile": profile}
    if asked.investor is not None:
        sets["investor"] = asked.investor
    with _writing(layers) as found:
        if source == "terminal" and asked.password is not False:
            sets["password"] = _password(layers, found, f"{number} on {plain(server)}")
        edit = element_edits.Edit(sets)
        id_ = element_edits.create(found, number, server, source, operator(), edit)
        _said(found, id_, "added", json=json)


def edit(shared: Given, element: str, server: str | None, asked: Asked, *, json: bool) -> None:
    """Change what was given of an element; one with ERROR is tried again."""
    from rms_tui.store import element_edits

    source = _source(asked.source)
    layers = loaded(shared)
    with _writing(layers) as found:
        known = element_edits.named(found, element, server)
        before = known.get("profile")
        profile = given_profile(asked.limits, before, layers.plan, int(known["login"]))
        sets: dict[str, Any] = {}
        drops: set[str] = set()
        if profile != before:
            drops |= {"profile"} if profile is None else set()
            sets |= {} if profile is None else {"profile": profile}
        if source is not None:
            sets["source"] = source
        if asked.investor is not None:
            sets["investor"] = asked.investor
        if asked.password:
            whose = f"{known['login']} on {plain(known['server'])}"
            sets["password"] = _password(layers, found, whose)
        elif asked.password is False:
            drops.add("password")
        if not sets and not drops and known.get("status") != "ERROR":
            end("nothing to change: give --password, --profile or another option", USAGE)
        made = element_edits.Edit(sets, frozenset(drops))
        again = element_edits.change(found, known["_id"], operator(), made)
        _said(found, known["_id"], "edited, tried again" if again else "edited", json=json)


def remove(shared: Given, element: str, server: str | None, *, json: bool) -> None:
    """Stop watching an account: its element stays, REMOVED."""
    from rms_tui.store import element_edits
    from rms_tui.wiring.elements import removed

    layers = loaded(shared)
    with _writing(layers) as found:
        known = element_edits.named(found, element, server)
        was = removed(found, known, operator())
        _said(found, known["_id"], "removed" if was else "already removed", json=json)


def show(shared: Given, element: str, server: str | None, *, json: bool) -> None:
    """Print one element with everything but its password."""
    from rms_tui.store import element_edits, listing
    from rms_tui.store.secrets import key_of

    with _writing(loaded(shared)) as found:
        known = element_edits.named(found, element, server)
        one = listing.element(found, known["_id"]) or known
        password = known.get("password")
    key = key_of(password) if isinstance(password, bytes) else None
    held = "none" if password is None else f"set, encrypted with key {key or '?'}"
    shape = {name: in_json(value) for name, value in one.items() if name != "password"}
    shape["password"] = held
    if json:
        print_json(shape)
        return
    lines = list(flat(shape))
    widest = max(len(name) for name, _ in lines)
    for name, said in lines:
        print(f"{plain(name):>{widest}}  {said}")


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """A document for a person, a line a value: what is nested has its path (`risk.state`)."""
    inner: Any = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        inner = enumerate(value, 1)
    if isinstance(value, dict | list) and value:
        for key, one in inner:
            yield from flat(one, f"{name}.{key}" if name else str(key))
    elif isinstance(value, bool):
        yield name, "yes" if value else "no"
    else:
        yield name, "none" if isinstance(value, dict | list) else plain(value)


def list_(shared: Given, server: str | None, *, watch: bool, json: bool) -> None:
    """Print the table of elements, with `watch` again whenever it is another."""
    from rms_tui.store import listing

    layers = loaded(shared)
    with database(layers.settings) as found:

        def read() -> list[dict[str, Any]]:
            return listing.elements(found, server)

        if watch:
            from rms_tui.cli.watching import repaint

            repaint(found, "elements", read, print_elements, element_shape, json=json)
        elif json:
            print_json([element_shape(one) for one in read()])
        else:
            print_elements(read())


TITLES = ("Element", "Server", "Account", "Status", "Limits", "Risk", "Ping", "Instance", "Error")


def print_elements(found: list[dict[str, Any]]) -> None:
    """The table of adm.py: a line an element."""
    if not found:
        print("no elements: `rms-tui element add LOGIN SERVER` adds one")
        return
    rows = [
        (
            id_text(one["_id"]),
            one.get("server"),
            str(one.get("login")),
            one.get("status") or "PENDING",
            in_words(one.get("profile")),
            _risk(one.get("risk")),
            age(one.get("ping_age")),
            id_text(one["instance"]) if one.get("instance") is not None else "",
            one.get("error") or "",
        )
        for one in found
    ]
    print_table(TITLES, rows)


def element_shape(one: dict[str, Any]) -> dict[str, Any]:
    """An element for programs: null where unknown, no password."""
    names = (
        "login", "server", "source", "status", "investor", "profile", "risk", "instance", "term",
        "has_password", "last_ping", "ping_age", "created_by", "updated_at", "error",
    )  # fmt: skip
    return {"id": id_text(one["_id"]), **{name: in_json(one.get(name)) for name in names}}


def age(seconds: object) -> str:
    """Seconds since a ping in a coarse word: a live worker's stays the same."""
    if not isinstance(seconds, int | float) or not isfinite(seconds):
        return "never"
    if seconds < 60:
        return "< 1 min"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    return f"{int(seconds // 3600)} h" if seconds < 172_800 else f"{int(seconds // 86_400)} d"


def _risk(risk: object) -> str:
    if not isinstance(risk, dict):
        return ""
    rule = risk.get("rule")
    return str(risk.get("state") or "") + (f" {rule}" if rule else "")


def in_json(value: Any) -> Any:
    """A value of MongoDB for JSON and for a person: ids and times as text, NaN as null."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, dict):
        return {str(name): in_json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [in_json(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return "(binary)" if isinstance(value, bytes) else str(value)


def _said(found: Rms, id_: Any, outcome: str, *, json: bool) -> None:
    from rms_tui.store import listing

    one = listing.element(found, id_) or {"_id": id_}
    if json:
        print_json({"outcome": outcome, **element_shape(one)})
    else:
        limits = in_words(one.get("profile"))
        tail = f"  {limits}" if limits else ""
        print(
            f"{id_text(one['_id'])}  {one.get('login')} on {plain(one.get('server'))}  {outcome}: "
            f"{one.get('status')}{plain(tail)}"
        )


def _password(layers: Loaded, found: Rms, whose: str) -> Any:
    """Asked for once it is known that it can be encrypted."""
    from rms_tui.wiring.elements import encrypted

    return encrypted(found, master_key_file(layers.settings), lambda: ask(whose))


@contextmanager
def _writing(layers: Loaded) -> Iterator[Rms]:
    """The database; what cannot be ends the verb with one line."""
    from rms_tui.store.element_edits import ElementError

    with database(layers.settings) as found, secrets_in_words():
        try:
            yield found
        except ElementError as error:
            end(plain(str(error)), USAGE)
        except ValueError as error:
            end(str(error), USAGE)


def _login(given: str) -> int:
    if not (given.isascii() and given.isdecimal() and 0 < int(given) < 2**63):
        end(f"{plain(given)}: expected an account's login, a number such as 5001", USAGE)
    return int(given)


def _source(given: str | None) -> Any:
    if given is not None and given not in SOURCES:
        end(f"--source {plain(given)}: expected terminal or manager", USAGE)
    return given
