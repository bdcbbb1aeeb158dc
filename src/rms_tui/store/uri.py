"""Whether a URI can be one of MongoDB, before anybody connects. Asks no name server.

What is said of a wrong one repeats nothing of it but the names of its options and of files: where
a password was not escaped, any other part may hold a piece of it.
"""

from __future__ import annotations

import os
import warnings
from urllib.parse import unquote_plus

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri, parse_userinfo, split_hosts, split_options

from rms_tui.store.errors import is_secret

PLAIN, SRV = "mongodb://", "mongodb+srv://"
SHAPE = "expected mongodb://HOST:PORT/…, mongodb+srv://…, or embedded"

_ESCAPES = "in a user's name or password write : / ? # [ ] @ % as %3A %2F %3F %23 %5B %5D %40 %25"


def refusal(uri: str) -> str | None:
    """What is allowed where this URI is wrong; None where it can be one."""
    scheme = next((one for one in (PLAIN, SRV) if uri.startswith(one)), None)
    if scheme is None:
        return SHAPE
    place, _, options = uri.removeprefix(scheme).partition("?")
    address, _, below = place.partition("/")
    person, at, hosts = address.rpartition("@")
    if "@" in below or ("@" in options and not at):
        return f"expected the @ before the host, and no other: {_ESCAPES}"
    return (
        (_of_person(person) if at else None)
        or _of_hosts(hosts, srv=scheme == SRV)
        or _of_options(options)
        or (_of_all(uri) if scheme == PLAIN else None)
    )


def _of_person(person: str) -> str | None:
    try:
        parse_userinfo(person)
    except PyMongoError:
        return f"expected USER:PASSWORD before the @: {_ESCAPES}"
    return None


def _of_hosts(hosts: str, *, srv: bool) -> str | None:
    if not hosts:
        return f"no host: {SHAPE}"
    try:
        nodes = split_hosts(hosts, default_port=None)
    except (PyMongoError, ValueError):
        return "expected HOST or HOST:PORT, commas between several; PORT is 1 to 65535, IPv6 in [ ]"
    if srv and (len(nodes) != 1 or nodes[0][1] is not None):
        return "expected one host without a port after mongodb+srv://: its ports are in DNS"
    return None


def _of_options(options: str) -> str | None:
    """The first option that is wrong, by its name."""
    for one in filter(None, options.replace(";", "&").split("&")):
        name, mark, value = one.partition("=")
        if not mark:
            return "expected options as NAME=VALUE with & between them, after a ?"
        try:
            with _strict():
                split_options(one)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else "cannot be read"
            return f"{name}: {unquote_plus(value)}: {why}"
        except (PyMongoError, ValueError, UserWarning) as error:
            why = "not a value it can have" if is_secret(name) else str(error)
            return f"{name}: {why.partition(' or maybe')[0]}"  # what is for programmers is left off
    return None


def _of_all(uri: str) -> str | None:
    """Parts that are right alone and wrong together. A plain URI is looked up nowhere."""
    try:
        with _strict():
            parse_uri(uri, warn=False)
    except (PyMongoError, ValueError, UserWarning) as error:
        return str(error)
    return None


def _strict() -> warnings.catch_warnings[None]:
    """The driver would do without what it does not know, and say so on the screen."""
    return warnings.catch_warnings(action="error", category=UserWarning)
