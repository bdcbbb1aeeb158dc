"""Who may connect, from where, and as what. Pure; tokens are compared in constant time.

A token never stands in a URL, a log line, a reply or an exception: whoever needs to say something
about one says "wrong token". Binding beyond this machine without a token and without TLS is
refused before anything listens.
"""

from __future__ import annotations

import binascii
import hmac
import ipaddress
import socket
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Role = Literal["operator", "reader"]

SUBPROTOCOL = "rms"
HIDDEN = "rms-token."
"""Subprotocol by which a browser, which cannot set headers, sends its token (base64url)."""

SHORTEST_TOKEN = 16


class Unsafe(Exception):
    """A server that must not be started as it was asked for; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the server listens and whom it lets in. The tokens redact themselves."""

    host: str = "127.0.0.1"
    port: int = 8765
    operator_token: str | None = field(default=None, repr=False)
    reader_token: str | None = field(default=None, repr=False)
    certificate: Path | None = None
    key: Path | None = None
    insecure: bool = False
    origins: tuple[str, ...] = ()

    @property
    def loopback(self) -> bool:
        """Whether only programs of this machine can reach it."""
        return is_loopback(self.host)

    @property
    def secure(self) -> bool:
        return self.certificate is not None

    def url(self, port: int) -> str:
        """Where clients find a server that listens so on this port."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'wss' if self.secure else 'ws'}://{name}:{port}"


def checked(access: Access) -> Access:
    """The same, if it is safe to listen so. Raises Unsafe."""
    if (access.certificate is None) != (access.key is None):
        raise Unsafe("--cert and --key go together: a certificate and its private key")
    for name, path in (("--cert", access.certificate), ("--key", access.key)):
        if path is not None and not path.is_file():
            raise Unsafe(f"{name} {path}: no such file")
    for name, token in (
        ("RMS_WS_TOKEN", access.operator_token),
        ("RMS_WS_TOKEN_READ", access.reader_token),
    ):
        if token is not None and len(token) < SHORTEST_TOKEN:
            raise Unsafe(f"{name}: expected {SHORTEST_TOKEN} characters or more, got {len(token)}")
    if access.operator_token is not None and access.operator_token == access.reader_token:
        raise Unsafe("RMS_WS_TOKEN and RMS_WS_TOKEN_READ are equal: readers would be operators")
    for origin in access.origins:
        if not _is_origin(origin):
            raise Unsafe(f"--origin {origin}: expected scheme://host[:port]")
    if access.loopback:
        return access
    if access.operator_token is None and access.reader_token is None:
        raise Unsafe(
            f"listening on {access.host} needs a token: set RMS_WS_TOKEN (operator) or "
            "RMS_WS_TOKEN_READ (reader), or listen on 127.0.0.1"
        )
    if not access.secure and not access.insecure:
        raise Unsafe(
            f"listening on {access.host} without TLS sends tokens and accounts in the clear: give "
            "--cert FILE --key FILE, or --insecure if something in front of it encrypts"
        )
    return access


def role(access: Access, authorization: str | None, offered: Sequence[str]) -> Role | None:
    """What a client is by its token, None for a wrong one or one that is missing.

    `authorization` is that header, `offered` are its subprotocols. Without any token set everyone
    on this machine is the operator; with an operator's token only, everyone on it may read.
    """
    given = _given(authorization, offered)
    if given is not None:
        is_operator = _equal(given, access.operator_token)
        is_reader = _equal(given, access.reader_token)
        return "operator" if is_operator else "reader" if is_reader else None
    if not access.loopback or access.reader_token is not None:
        return None
    return "operator" if access.operator_token is None else "reader"


def origin_allowed(access: Access, origin: str | None, host: str | None) -> bool:
    """Whether a page of that origin may talk to this server; programs send none.

    Its own pages may: those whose origin is the Host they were asked for by. A name that is not
    this machine's is not its own, wherever it points (DNS rebinding).
    """
    if origin is None:
        return True
    if origin in access.origins:
        return True
    if not _is_origin(origin) or host is None:
        return False
    return urlsplit(origin).netloc.lower() == host.lower() and own_name(access, host)


def own_name(access: Access, host: str) -> bool:
    """Whether a Host header names this machine: an address, localhost, its name, or allowed."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if name is None:
        return False
    if _address(name) is not None:
        return True
    known = {"localhost", access.host.lower(), socket.gethostname().lower()}
    known.update((urlsplit(origin).hostname or "").lower() for origin in access.origins)
    return name.lower() in known


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is this machine's own; a name must mean nothing else."""
    address = _address(host)
    if address is not None:
        return address.is_loopback
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    addresses = [_address(one.partition("%")[0]) for one in found]
    return bool(addresses) and all(one is not None and one.is_loopback for one in addresses)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and bare


def _given(authorization: str | None, offered: Sequence[str]) -> str | None:
    """The token a client sent, None when it sent none; one that cannot be read is a wrong one."""
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    hidden = [name for name in offered if name.startswith(HIDDEN)]
    if not hidden:
        return None
    text = hidden[0].removeprefix(HIDDEN)
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def _equal(given: str, token: str | None) -> bool:
    expected = "" if token is None else token
    same = hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8"))
    return same and token is not None
