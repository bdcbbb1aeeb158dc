"""`doctor`: what this installation has and lacks, line by line, with the way to mend it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from rms_tui import __version__
from rms_tui.cli.exits import FAILED, OK
from rms_tui.cli.log import data_folder
from rms_tui.cli.oneshot import plain, print_json
from rms_tui.feed import FeedError
from rms_tui.gateways import ManagerSpec
from rms_tui.gateways.process import GatewayProcess
from rms_tui.plural import counted
from rms_tui.settings import SECRETS, Loaded, SettingsError
from rms_tui.settings.exposed import exposed
from rms_tui.wiring.fleet import host_of
from rms_tui.wiring.given import Given
from rms_tui.wiring.sources import Desk, desk, loaded

if TYPE_CHECKING:
    from rms_tui.store.diagnosis import Terminals

PACKAGES = (
    "textual", "numpy", "pydantic", "pymongo", "pymongocrypt", "websockets", "apprise",
    "prometheus-client", "typer", "orjson", "psutil",
)  # fmt: skip
VENDOR = {"manager": "MT5Manager", "terminal": "MetaTrader5"}
PATIENCE = 20.0
RENEWED_BEFORE = 30
"""Days before its end at which a certificate should have been renewed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One finding."""

    grade: Literal["OK", "WARN", "FAIL"]
    what: str
    found: str
    mend: str = ""


def examine(shared: Given, *, json: bool) -> None:
    """Print every finding; exit status 1 when one of them is FAIL."""
    lines = []
    for line in _findings(shared):
        lines.append(line)
        if not json:
            mend = f"\n      {line.mend}" if line.mend else ""
            print(f"{line.grade:4}  {line.what}: {line.found}{mend}", flush=True)
    if json:
        print_json([asdict(line) for line in lines])
    raise SystemExit(FAILED if any(line.grade == "FAIL" for line in lines) else OK)


def _findings(shared: Given) -> Iterator[Line]:
    yield Line("OK", "rms-tui", __version__)
    yield Line("OK", "Python", f"{platform.python_version()} on {platform.platform()}")
    yield from _packages()
    try:
        layers = loaded(shared)
        is_fleet = layers.settings.rms_source == "fleet"
        made = None if is_fleet else desk(shared)
    except SettingsError as error:
        yield Line("FAIL", "settings", str(error), "correct the value where it comes from")
        return
    yield from _settings(layers)
    yield from _readable_by_others(shared)
    terminals = yield from _mongodb(layers)
    if made is not None:
        yield from _source(made)
    elif is_fleet:
        yield Line("OK", "source", "a fleet, in MongoDB")
    else:
        yield no_source(layers, terminals)
    yield from _serving(layers)
    yield _notifications(layers)
    yield _terminal()
    yield _data(layers)


def _packages() -> Iterator[Line]:
    for name in PACKAGES:
        try:
            yield Line("OK", f"package {name}", version(name))
        except PackageNotFoundError:
            yield Line("FAIL", f"package {name}", "not installed", "pip install rms-tui")


def _settings(layers: Loaded) -> Iterator[Line]:
    for name, origin in sorted(layers.origins.items()):
        value = getattr(layers.settings, name.lower())
        secret = name in SECRETS or isinstance(value, SecretStr)
        yield Line("OK", name, f"{'(hidden)' if secret else value} from {origin}")


def _readable_by_others(shared: Given) -> Iterator[Line]:
    for one in exposed(shared.env_file):
        found = f"{one.path}: other users can read {', '.join(one.names)} (mode {one.mode:04o})"
        mend = f"chmod 600 {shlex.quote(str(one.path))}; change them if others may have read them"
        yield Line("WARN", "secrets", plain(found), plain(mend))


def no_source(layers: Loaded, terminals: Terminals | None) -> Line:
    """A host without a source of its own: it may be one of a fleet's.

    `terminals` are those that MongoDB has, None where it could not be asked.
    """
    host = plain(host_of(layers.settings))
    named = any(name.startswith("RMS_FLEET_") for name in layers.origins)
    here, others = (0, 0) if terminals is None else (terminals.here, terminals.elsewhere)
    adds = "rms-tui instance add PATH, for each MT5 terminal of this host"
    if here:
        run = f"{counted(here, 'terminal')} of this host ({host}), run by `rms-tui supervise`"
        return Line("OK", "source", f"none needed: the fleet has {run}")
    if named and terminals is None:
        unknown = f"a fleet's host ({host}); its terminals are not known without MongoDB"
        return Line("WARN", "source", unknown, "see MongoDB above")
    if named:
        return Line("WARN", "source", f"a fleet's host ({host}) without a terminal yet", adds)
    if others:
        fleet = f"none here; the fleet has {counted(others, 'terminal')}, all on other hosts"
        return Line("OK", "source", fleet, f"RMS_SOURCE=fleet shows it; or {adds}")
    choose = "rms-tui --demo, or set RMS_SOURCE; on a fleet's host: rms-tui instance add PATH"
    return Line("WARN", "source", "none configured", choose)


def _source(made: Desk) -> Iterator[Line]:
    package = VENDOR.get(made.source)
    if package is not None:
        if importlib.util.find_spec(package) is None:
            mend = f"on Windows: pip install {package}"
            if sys.platform != "win32":
                mend = f"{package} exists for Windows only: run rms-tui there"
            yield Line("FAIL", f"package {package}", "not installed", mend)
            return
        yield Line("OK", f"package {package}", "found")
    yield _connection(made)


def _connection(made: Desk) -> Line:
    feed = GatewayProcess(made.spec)
    began = time.monotonic()
    feed.start()
    try:
        book = feed.read(PATIENCE)
    except FeedError as error:
        if feed.status.phase == "down":
            return Line("FAIL", feed.title, error.text, "see the source's settings above")
        found = f"no accounts within {PATIENCE:g} s: {feed.status.doing}"
        return Line("WARN", feed.title, found, "a big server may sync for minutes: try the console")
    finally:
        feed.close()
    offset = book.server_offset
    clock = "server time unknown" if offset is None else f"server UTC{offset / 3600:+g}"
    found = f"{counted(len(book.accounts), 'account')} in {time.monotonic() - began:.1f} s, {clock}"
    if isinstance(made.spec, ManagerSpec) and not len(book.accounts):
        masks = ",".join(made.spec.groups)
        mend = f"see that RMS_GROUPS ({masks}) names groups, and that this login may read them"
        return Line("WARN", feed.title, found, mend)
    return Line("OK" if book.connected else "WARN", feed.title, found)


def _mongodb(layers: Loaded) -> Generator[Line, None, Terminals | None]:
    """Its lines; returns the fleet's terminals, None where it cannot be asked."""
    import threading

    from rms_tui.store.diagnosis import of_keys, of_server, terminals_of
    from rms_tui.store.errors import StoreError
    from rms_tui.wiring.storing import database_name, master_key_file, server

    settings = layers.settings
    place = server(settings)
    what = "MongoDB" if settings.rms_mongodb_uri is not None else "MongoDB (embedded)"
    mend = "set RMS_MONGODB_URI, or install rms-tui[embedded]"
    if settings.rms_mongodb_uri is not None:
        mend = "correct RMS_MONGODB_URI, or start that server; without it an embedded one is used"
    name = database_name(settings)
    try:
        uri = place.uri(threading.Event())
        for found in (
            *of_server(uri, name, what, mend),
            *of_keys(uri, name, master_key_file(settings)),
        ):
            yield Line(found.grade, found.what, found.found, found.mend)
        return terminals_of(uri, name, host_of(settings))
    except (StoreError, OSError) as error:
        yield Line("FAIL", what, str(error), mend)
        return None
    finally:
        place.release(1.0)


def _serving(layers: Loaded) -> Iterator[Line]:
    from rms_tui.serve.door import Unserved, tls
    from rms_tui.wiring.serving import Served, access_of

    try:
        access = access_of(layers.settings, Served())
        tls(access)
    except (SettingsError, Unserved) as error:
        yield Line(
            "FAIL",
            "WebSocket",
            str(error),
            "neither `websocket` nor `--websocket` starts until then",
        )
        return
    named = {"operators": access.operator_token, "readers": access.reader_token}
    tokens = " and ".join(who for who, token in named.items() if token is not None)
    reach = "this machine only" if access.loopback else "other machines too"
    who = f"tokens for {tokens}" if tokens else "no token"
    yield Line("OK", "WebSocket", f"{access.url(access.port)}, {reach}, {who}")
    if access.certificate is not None:
        yield certificate_line(access.certificate, time.time())


def certificate_line(path: Path, now: float) -> Line:
    """What clients will say of it: they refuse one whose time is not now."""
    from rms_tui.serve.certificate import Unreadable, certificate_of

    what = "certificate"
    try:
        found = certificate_of(path)
    except Unreadable as error:
        return Line(
            "FAIL",
            what,
            str(error),
            "set WS_CERT to a PEM file with the server's own certificate first",
        )
    names = ", ".join(plain(name) for name in found.names[:4]) or "no name"
    if now < found.begins:
        begins = f"{path}: for {names}, valid from {_day(found.begins)} on"
        return Line("FAIL", what, begins, "clients refuse it until then: is the clock right?")
    if now >= found.ends:
        ended = f"{path}: for {names}, expired on {_day(found.ends)}"
        return Line("FAIL", what, ended, "renew it: clients refuse it")
    days = int((found.ends - now) / 86_400)
    holds = f"{path}: for {names}, valid until {_day(found.ends)} ({counted(days, 'day')})"
    if days < RENEWED_BEFORE:
        return Line("WARN", what, holds, "renew it: clients refuse it from then on")
    return Line("OK", what, holds)


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def _notifications(layers: Loaded) -> Line:
    from rms_tui.serve.notify.apprise_post import sender

    try:
        for channel in layers.channels:
            sender(channel)
    except ValueError as error:
        return Line("FAIL", "notifications", str(error), "correct the URL in rms.toml")
    if not layers.channels:
        return Line("OK", "notifications", "none: no [[notify]] in rms.toml")
    names = ", ".join(channel.name for channel in layers.channels)
    return Line("OK", "notifications", f"{names}; `rms-tui notify --test` tries them")


def _terminal() -> Line:
    if not sys.stdout.isatty():
        return Line("OK", "terminal", "none (output is not a terminal)")
    size = os.get_terminal_size()
    found = f"{os.environ.get('TERM', 'unknown')}, {size.columns}x{size.lines}"
    if size.columns < 80 or size.lines < 24:
        return Line("WARN", "terminal", found, "the console needs at least 80x24")
    return Line("OK", "terminal", found)


def _data(layers: Loaded) -> Line:
    folder = data_folder(layers.settings)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Line("FAIL", "data folder", f"{folder}: {error}", "set RMS_DATA_DIR")
    return Line("OK", "data folder", str(folder))
