"""What went wrong with MongoDB, in words that may be shown: never with a password in them."""

from __future__ import annotations

import re
from urllib.parse import unquote

_SECRET_OPTIONS = re.compile(
    r"(?P<name>(?:password|secret|token|authMechanismProperties)[^=&]*=)[^&]*"
    r"|(?P<other>[a-zA-Z]*(?:password|secret|token)=)[^&]*",
    re.IGNORECASE,
)
_HIDDEN = "***"


class StoreError(Exception):
    """Why MongoDB cannot be used now: what was expected, what came, what to do.

    `final` is True when trying again cannot help until someone changes something.
    """

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.final = final


class SecretsError(Exception):
    """Why a password cannot be encrypted or read: what was expected, what came, what to do.

    Its text holds no secret. `transient` is True when only the database was not there, `of_host`
    when this host has not the key that others may have.
    """

    def __init__(self, text: str, *, transient: bool = False, of_host: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.transient = transient
        self.of_host = of_host


def redacted(uri: str) -> str:
    """The URI without its password and other secrets, also when it is not a valid URI."""
    scheme, mark, rest = uri.partition("://")
    if not mark:
        scheme, rest = "", uri
    person, at, place = rest.rpartition("@")
    if at:
        user, colon, _ = person.partition(":")
        place = f"{user}{colon}{_HIDDEN if colon else ''}@{place}"
    address, query, options = place.partition("?")
    hidden = _SECRET_OPTIONS.sub(lambda m: f"{m['name'] or m['other']}{_HIDDEN}", options)
    return f"{scheme}{mark}{address}{query}{hidden}"


def is_secret(option: str) -> bool:
    """Whether an option of a URI by that name holds what nobody may see."""
    return _SECRET_OPTIONS.fullmatch(f"{option}=") is not None


def cleaned(text: str, uri: str) -> str:
    """The text of an error without the secrets of the URI it is about."""
    clean = text.replace(uri, redacted(uri))
    for secret in _secrets(uri):
        clean = clean.replace(secret, _HIDDEN)
    return clean


ADVICE: tuple[tuple[str, str], ...] = (
    (
        "hostname mismatch",
        "its certificate is not for this name: use a host name that stands in it",
    ),
    (
        "ip address mismatch",
        "its certificate is not for this address: use a name that stands in it",
    ),
    ("certificate has expired", "its certificate has expired: have it renewed"),
    ("certificate required", "it wants a certificate of ours: add tlsCertificateKeyFile=FILE"),
    (
        "certificate_verify_failed",
        "nobody known here signed its certificate: add tlsCAFile=FILE, its authority's certificate",
    ),
    ("wrong_version_number", "it does not speak TLS: leave out tls=true"),
    ("unexpected_eof", "it does not speak TLS, or not with us: leave out tls=true"),
    ("ssl handshake failed", "it does not speak TLS, or not with us: see tls… in the URI"),
    ("name or service not known", "no such host name"),
    ("getaddrinfo failed", "no such host name"),
    ("connection refused", "nothing listens there: is mongod running, is the port right"),
)
"""What of the driver's text, in lower case, means what."""


def advice(text: str, uri: str) -> str:
    """What to do about a server that does not answer, from the driver's text; empty if unknown."""
    said = text.lower()
    for sign, meaning in ADVICE:
        if sign in said:
            return meaning
    options = uri.partition("?")[2].lower()
    if "connection closed" in said and "tls=" not in options and "ssl=" not in options:
        return "it may accept TLS only: add tls=true"
    return ""


def _secrets(uri: str) -> list[str]:
    person, at, place = uri.partition("://")[2].rpartition("@")
    found = {person.partition(":")[2]} if at else set()
    for option in _SECRET_OPTIONS.finditer(place.partition("?")[2]):
        found.add(option[0].partition("=")[2])
    found |= {unquote(secret) for secret in found}
    return sorted((secret for secret in found if secret), key=len, reverse=True)
