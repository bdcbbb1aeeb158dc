"""`supervise`: the fleet's part that runs on each trading host."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from rms_tui.cli.elements import element_shape, in_json, print_elements
from rms_tui.cli.exits import NO_DATABASE, end
from rms_tui.cli.log import begin_log
from rms_tui.cli.oneshot import plain, print_json
from rms_tui.fleet.launch import launcher
from rms_tui.fleet.supervisor import PRINTED, Say, Supervisor
from rms_tui.plural import counted
from rms_tui.settings import SECRETS, Loaded
from rms_tui.stopping import hear
from rms_tui.store.errors import StoreError
from rms_tui.store.named import id_text
from rms_tui.store.schema import Status
from rms_tui.wiring.fleet import host_of, tempo
from rms_tui.wiring.given import Given
from rms_tui.wiring.sources import loaded
from rms_tui.wiring.storing import database_name, server

_log = logging.getLogger("rms_tui.fleet")


def supervise(shared: Given, host: str | None, *, json: bool) -> None:
    """Claim, launch and watch until SIGTERM, SIGHUP or Ctrl-C; then the workers release."""
    stopping = threading.Event()
    hear(stopping.set)
    layers = loaded(shared)
    settings = layers.settings
    begin_log(settings, on_console=not json, printed=PRINTED)
    name = host_of(settings, host)
    made = Supervisor(
        server(settings),
        database_name(settings),
        name,
        launcher(worker_options(shared), worker_settings(shared, layers), SECRETS),
        tempo=tempo(settings),
        say=_json if json else in_words(),
    )
    logging.getLogger(PRINTED).info("supervising the instances of host %s", name)
    try:
        made.run(stopping)
    except StoreError as error:
        end(error.text, NO_DATABASE)
    counts = made.counts
    _log.info(
        "stopped: %s, %s, %d fenced, %d swept, %d recovered",
        counted(counts.claims, "claim"), counted(counts.restarts, "restart"),
        counts.fenced, counts.swept, counts.recovered,
    )  # fmt: skip
    if json:
        print_json(
            {"event": "stopped", "claims": counts.claims, "restarts": counts.restarts,
             "fenced": counts.fenced, "swept": counts.swept, "recovered": counts.recovered,
             "exits": counts.exits}
        )  # fmt: skip


def worker_options(shared: Given) -> list[str]:
    """Options that every worker gets as they were given here; none of them may hold a secret."""
    found: list[str] = []
    if shared.env_file is not None and shared.env_file.is_file():
        found += ["--env-file", str(shared.env_file.absolute())]
    if shared.interval is not None:
        found += ["--interval", str(shared.interval)]
    return found


def worker_settings(shared: Given, layers: Loaded) -> dict[str, Any]:
    """Settings that may hold a secret, or that stood in a pipe which nobody can read again: they
    go through the worker's pipe."""
    uri = layers.settings.rms_mongodb_uri
    found: dict[str, Any] = {}
    if shared.env_file is not None and not shared.env_file.is_file():
        for name, origin in layers.origins.items():
            if origin == str(shared.env_file):
                value = getattr(layers.settings, name.lower())
                secret = isinstance(value, SecretStr)
                found[name] = value.get_secret_value() if secret else _plain(value)
    return {**found, "RMS_MONGODB_URI": "embedded" if uri is None else uri.get_secret_value()}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _json(what: str, particulars: Mapping[str, Any]) -> None:
    made: dict[str, Any] = {"event": what}
    for name, value in particulars.items():
        if name == "elements":
            made[name] = [element_shape(one) for one in value]
        elif name == "element" and isinstance(value, Mapping | None):
            made[name] = None if value is None else element_shape(dict(value))
        else:
            made[name] = in_json(value)
    print_json(made)
    sys.stdout.flush()


def in_words() -> Say:
    """Prints each event; of an element only what is not known from the line before.

    A claim says which instance an element is on; an error is said when it is another one, or final.
    """
    said: dict[str, str] = {}
    errors: dict[str, str] = {}

    def say(what: str, particulars: Mapping[str, Any]) -> None:
        if what == "elements":
            print_elements(particulars["elements"])
            for one in particulars["elements"]:
                said[id_text(one["_id"])] = element_line(one)
                errors[id_text(one["_id"])] = _error(one)
        elif what == "element":
            if particulars["element"] is not None:
                changed(particulars["element"])
        else:
            told = ", ".join(f"{name} {plain(str(value))}" for name, value in particulars.items())
            print(f"{what}: {told}")
        if what == "claimed":
            began = {**particulars, "status": Status.PENDING.value}
            said[particulars["element"]] = element_line(began)
        sys.stdout.flush()

    def changed(one: Mapping[str, Any]) -> None:
        id_, line, error = id_text(one["_id"]), element_line(one), _error(one)
        another = error not in ("", errors.get(id_))
        if line == said.get(id_) and not another:
            return
        final = one.get("status") == Status.ERROR
        print(f"{line}, {error}" if another or (final and error) else line)
        said[id_], errors[id_] = line, error

    return say


def element_line(one: Mapping[str, Any]) -> str:
    """An element: whose, what it is now, on which instance, and its worst rule."""
    parts = [
        f"{one.get('login')} on {one.get('server')}: {one.get('status')}",
        f"on instance {id_text(one['instance'])}" if one.get("instance") is not None else "",
        _risk(one.get("risk") or {}),
    ]
    return plain(", ".join(part for part in parts if part))


def _error(one: Mapping[str, Any]) -> str:
    return plain(one.get("error") or "")


def _risk(risk: Mapping[str, Any]) -> str:
    """The worst rule with its figures, or why it decides nothing."""
    rule = risk.get("rule")
    if not rule:
        return ""
    if risk.get("state") == "unknown":
        return f"{rule} unknown: {risk.get('reason') or 'no reason is given'}"
    return f"{rule} {plain(risk.get('value'))} of {plain(risk.get('limit'))}"
