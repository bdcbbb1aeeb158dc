"""The certificate that the server shows: whose it is, and how long it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID


class Unreadable(Exception):
    """A file that holds no certificate; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`names` are what clients may call the server; UTC seconds of its first and last moment.

    The last moment is that of the first of its chain to end: clients refuse it from then on.
    """

    names: tuple[str, ...]
    begins: float
    ends: float


def certificate_of(path: Path) -> Certificate:
    """The server's own certificate, the first of the file. Raises Unreadable."""
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    except ValueError:
        raise Unreadable(f"{path}: expected a certificate in PEM") from None
    return Certificate(
        _names(chain[0]),
        max(one.not_valid_before_utc.timestamp() for one in chain),
        min(one.not_valid_after_utc.timestamp() for one in chain),
    )


def _names(own: x509.Certificate) -> tuple[str, ...]:
    """The alternative names; only where it has none does its common name count."""
    try:
        found = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        common = own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return tuple(str(one.value) for one in common)
    addresses = found.get_values_for_type(x509.IPAddress)
    return (*found.get_values_for_type(x509.DNSName), *map(str, addresses))
