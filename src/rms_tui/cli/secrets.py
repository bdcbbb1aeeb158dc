"""`secrets`: the keys that passwords are encrypted with. Never a password, never a key."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rms_tui.cli.exits import FAILED, NO_DATABASE, USAGE, end
from rms_tui.cli.oneshot import plain, print_json, print_table
from rms_tui.cli.storing import database
from rms_tui.plural import counted
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import loaded
from rms_tui.wiring.storing import master_key_file

if TYPE_CHECKING:  # pymongo is imported when a verb really asks
    from rms_tui.store.rotation import State

KEEP = """\
Back up this file now, apart from the database: without it no password can be read.
Copy it, mode 0600, to every host that runs `rms-tui supervise` or `element add`."""

ELSEWHERE = """\
Every other host needs the new key file now: copy it over the former one, mode 0600.
(Without a gap: `secrets rotate --master --prepare` first, copy the .new file, then rotate.)"""

COPY_NEXT = """\
Copy the .new file, mode 0600, to the same place on every other host; then run
`rms-tui secrets rotate --master` here, and after it on each of them."""


@contextmanager
def in_words() -> Iterator[None]:
    """End the verb with one line where a key or a password cannot be used."""
    from rms_tui.store.errors import SecretsError

    try:
        yield
    except SecretsError as error:
        end(error.text, NO_DATABASE if error.transient else USAGE)


def make(shared: Given, *, json: bool) -> None:
    """Make the first master key and the first data key."""
    from rms_tui.store import rotation

    settings = loaded(shared).settings
    file = master_key_file(settings)
    with database(settings) as found, in_words():
        _tell(rotation.init(found, file), json=json)
    if json:
        print_json({"master_key_file": str(file)})
    else:
        print(KEEP)


def rotate(shared: Given, *, master: bool, data: bool, prepare: bool, json: bool) -> None:
    """Make a new data key, a new master key or both, and have them used."""
    from rms_tui.store import rotation

    if prepare and (data or not master):
        end("--prepare goes with --master alone: it makes the next master key's file", USAGE)
    settings = loaded(shared).settings
    file = master_key_file(settings)
    with database(settings) as found, in_words():
        if prepare:
            _tell(rotation.prepare_master(found, file), json=json)
        if master and not prepare:
            _tell(rotation.change_master(found, file, operator()), json=json)
        if data or not master:
            _tell(rotation.change_data_key(found, file), json=json)
        if json:
            print_json(_shape(rotation.state(found, file)))
    if not json and master:
        print(COPY_NEXT if prepare else ELSEWHERE)


def show(shared: Given, *, json: bool) -> None:
    """Print which keys there are and whether every password can be read; status 1 if not."""
    from rms_tui.store import rotation

    settings = loaded(shared).settings
    with database(settings) as found, in_words():
        state = rotation.state(found, master_key_file(settings))
    if json:
        print_json(_shape(state))
    else:
        _print(state)
    if state.unreadable or not state.uses or not all(use.opens for use in state.uses):
        raise SystemExit(FAILED)


def _tell(steps: Iterator[str], *, json: bool) -> None:
    for said in steps:
        print(plain(said), file=sys.stderr if json else sys.stdout, flush=True)


def _shape(state: State) -> dict[str, Any]:
    return {
        "master_keys": [
            {"name": key.name, "file": str(key.file), "written_at": _iso(_written(key.file))}
            for key in state.masters
        ],
        "taking_over": state.taking_over,
        "data_keys": [
            {
                "id": str(use.key.id),
                "generation": use.key.generation,
                "current": use.current,
                "master_key": use.key.master,
                "opens": use.opens,
                "created_at": _iso(use.key.document.get("creationDate")),
                "passwords": use.passwords,
            }
            for use in state.uses
        ],
        "readable": state.readable,
        "without_password": state.without,
        "unreadable": [
            {"login": login, "server": server, "why": why}
            for login, server, why in state.unreadable
        ],
    }


def _print(state: State) -> None:
    for key in state.masters:
        print(f"master key {key.name}  {key.file}  {_age(_written(key.file))} old")
    if state.taking_over is not None:
        print(
            f"master key {state.taking_over} is taking over: `rms-tui secrets rotate --master` on "
            "the host that has it finishes this"
        )
    if not state.uses:
        print("no data key: run `rms-tui secrets init`")
        return
    rows = [
        (
            str(use.key.id),
            use.key.generation,
            "current" if use.current else "former",
            use.key.master,
            "yes" if use.opens else "NO",
            _age(use.key.document.get("creationDate")),
            use.passwords,
        )
        for use in state.uses
    ]
    print_table(("Data key", "Number", "", "Master key", "Opens", "Age", "Passwords"), rows)
    readable, without = counted(state.readable, "password"), counted(state.without, "element")
    print(f"{readable} can be read, {without} without one")
    for login, server, why in state.unreadable:
        print(f"CANNOT BE READ  {login} on {plain(server)}: {plain(why)}")


def _written(file: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        return None


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat(timespec="seconds")


def _age(when: datetime | None) -> str:
    if when is None:
        return "n/a"
    minutes = int((datetime.now(UTC) - when).total_seconds() // 60)
    if minutes < 60:
        return f"{max(minutes, 0)} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"
