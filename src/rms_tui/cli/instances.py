"""`instance`: the installed terminals of each host, which supervisors give to elements."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from rms_tui.cli.elements import age, in_json
from rms_tui.cli.exits import USAGE, end
from rms_tui.cli.oneshot import plain, print_json, print_table
from rms_tui.cli.storing import database
from rms_tui.store.named import id_text
from rms_tui.wiring.fleet import host_of
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import loaded

if TYPE_CHECKING:
    from rms_tui.store.database import Rms


def add(shared: Given, path: str, host: str | None, *, portable: bool, json: bool) -> None:
    """Add a terminal of a host."""
    from rms_tui.store import instances

    layers = loaded(shared)
    name, here = host_of(layers.settings, host), host_of(layers.settings)
    if not (PureWindowsPath(path).is_absolute() or PurePosixPath(path).is_absolute()):
        end(f"{plain(path)}: expected the full path of terminal64.exe", USAGE)
    if name == here and not Path(path).is_file():
        print(f"rms-tui: there is no file {plain(path)} on this host yet", file=sys.stderr)
    with _writing(shared) as found:
        id_ = instances.add(found, name, path, operator(), portable=portable)
        _said(found, id_, "added", json=json)


def remove(shared: Given, instance: str, host: str | None, *, force: bool, json: bool) -> None:
    """Take a terminal away; with `force` one in use too, whose element is PENDING then."""
    from rms_tui.store import instances

    with _writing(shared) as found:
        known = instances.named(found, instance, host)
        element = instances.remove(found, known["_id"], operator(), force=force)
    if json:
        shape = {"outcome": "removed", **instance_shape(known)}
        print_json({**shape, "status": None, "pending": None if element is None else str(element)})
        return
    tail = "" if element is None else f"; element {element} is PENDING again"
    print(f"{known['_id']}  {plain(known['path'])} on {plain(known['host'])}  removed{tail}")


def reset(shared: Given, instance: str, host: str | None, *, force: bool, json: bool) -> None:
    """Have a FAULTY terminal be FREE again, its failures forgotten."""
    from rms_tui.store import instances

    with _writing(shared) as found:
        known = instances.named(found, instance, host)
        was = instances.reset(found, known["_id"], operator(), force=force)
        _said(found, known["_id"], f"reset, was {was}", json=json)


def list_(shared: Given, host: str | None, *, watch: bool, json: bool) -> None:
    """Print the table of instances, with `watch` again whenever it is another."""
    from rms_tui.store import listing

    with database(loaded(shared).settings) as found:

        def read() -> list[dict[str, Any]]:
            return listing.instances(found, host)

        if watch:
            from rms_tui.cli.watching import repaint

            repaint(found, "instances", read, print_instances, instance_shape, json=json)
        elif json:
            print_json([instance_shape(one) for one in read()])
        else:
            print_instances(read())


def print_instances(found: list[dict[str, Any]]) -> None:
    """A line an instance."""
    if not found:
        print("no instances: `rms-tui instance add PATH` on each trading host adds one")
        return
    rows = [
        (
            id_text(one["_id"]),
            one.get("host"),
            one.get("path"),
            "yes" if one.get("portable") else "",
            one.get("status"),
            id_text(one["element"]) if one.get("element") is not None else "",
            str(one["pid"]) if one.get("pid") is not None else "",
            age(one.get("ping_age")),
            str(one.get("restarts") or 0),
            one.get("error") or "",
        )
        for one in found
    ]
    print_table(
        ("Instance", "Host", "Path", "Portable", "Status", "Element", "Pid", "Ping", "Restarts",
         "Error"),
        rows,
    )  # fmt: skip


def instance_shape(one: dict[str, Any]) -> dict[str, Any]:
    """An instance for programs: null where unknown."""
    names = (
        "host", "path", "portable", "status", "element", "pid", "term", "last_ping", "ping_age",
        "restarts", "failures", "error",
    )  # fmt: skip
    return {"id": id_text(one["_id"]), **{name: in_json(one.get(name)) for name in names}}


def _said(found: Rms, id_: Any, outcome: str, *, json: bool) -> None:
    one = found.instances.find_one({"_id": id_}) or {"_id": id_}
    if json:
        print_json({"outcome": outcome, **instance_shape(one)})
    else:
        where = f"{plain(one.get('path'))} on {plain(one.get('host'))}"
        print(f"{id_text(one['_id'])}  {where}  {outcome}: {one.get('status')}")


@contextmanager
def _writing(shared: Given) -> Iterator[Rms]:
    """The database; what cannot be ends the verb with one line."""
    from rms_tui.store.instances import InstanceError

    with database(loaded(shared).settings) as found:
        try:
            yield found
        except (InstanceError, ValueError) as error:
            end(plain(str(error)), USAGE)
