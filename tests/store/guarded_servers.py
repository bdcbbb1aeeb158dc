"""mongod servers as firms run them: with users, with TLS by an authority of their own, alone."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from rms_tui.store import mongod

ADMIN, ADMIN_PASSWORD = "admin", "s3same/öffne:dich"


@dataclass(frozen=True)
class Server:
    """A running mongod; `more` are URI options that every client needs."""

    port: int
    more: str = ""

    def uri(self, user: str | None = None, password: str = "", more: str | None = None) -> str:
        person = "" if user is None else f"{quote_plus(user)}:{quote_plus(password)}@"
        options = self.more if more is None else more
        return (
            f"mongodb://{person}127.0.0.1:{self.port}/?directConnection=true"
            f"&serverSelectionTimeoutMS=1500{options}"
        )

    def admin(self) -> MongoClient[Any]:
        return MongoClient(self.uri(ADMIN, ADMIN_PASSWORD))

    def user(self, name: str, roles: Sequence[Any]) -> str:
        """The URI of a new user with these roles."""
        password = secrets.token_urlsafe(12)
        with self.admin() as client:
            client.admin.command("createUser", name, pwd=password, roles=list(roles))
        return self.uri(name, password)

    def role(self, name: str, privileges: Sequence[Any]) -> str:
        with self.admin() as client:
            client.admin.command("createRole", name, privileges=list(privileges), roles=[])
        return name


@contextmanager
def running(program: Path, folder: Path, *options: str, more: str = "") -> Iterator[Server]:
    """A mongod with these options, until it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    port = mongod.free_port(None, threading.Event())
    child = subprocess.Popen(
        [str(program), "--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1",
         "--nounixsocket", "--oplogSize", "64", "--wiredTigerCacheSizeGB", "0.25",
         "--logpath", str(folder / "log"),
         "--setParameter", "diagnosticDataCollectionEnabled=false", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("RMS_")},
    )  # fmt: skip
    made = Server(port, more)
    try:
        _until_it_answers(made.uri(), child, folder / "log")
        yield made
    finally:
        child.kill()
        child.wait()


@contextmanager
def with_users(program: Path, folder: Path) -> Iterator[Server]:
    """A one-node replica set with --auth (by its key file) and an administrator."""
    folder.mkdir(parents=True)
    key = folder / "cluster.key"
    key.touch(0o600)
    key.write_text(base64.b64encode(secrets.token_bytes(48)).decode())
    with running(program, folder, "--replSet", "rs", "--auth", "--keyFile", str(key)) as server:
        _initiated(server)
        with MongoClient[Any](server.uri()) as client:
            client.admin.command(
                "createUser", ADMIN, pwd=ADMIN_PASSWORD, roles=["root"]
            )  # the one thing that a stranger on this host may do
        yield server


@contextmanager
def with_tls(program: Path, folder: Path) -> Iterator[tuple[Server, Path]]:
    """A one-node replica set that speaks TLS only, and the file of who signed its certificate."""
    folder.mkdir(parents=True)
    authority, pem = certificates(folder)
    options = ["--replSet", "rs", "--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(pem)]
    options += ["--tlsCAFile", str(authority), "--tlsAllowConnectionsWithoutCertificates"]
    more = f"&tls=true&tlsCAFile={quote_plus(str(authority))}"
    with running(program, folder, *options, more=more) as server:
        _initiated(server)
        yield server, authority


def certificates(folder: Path) -> tuple[Path, Path]:
    """A made-up authority's certificate, and a server's key and certificate for 127.0.0.1."""
    now = dt.datetime.now(dt.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Firm CA", "mongod")
    ]

    def made(of: int, *, signs: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(names[of])
            .issuer_name(names[0])
            .public_key(keys[of].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=signs, path_length=None), critical=True)
        )
        if not signs:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        return builder.sign(keys[0], hashes.SHA256())

    authority, pem = folder / "ca.pem", folder / "server.pem"
    pem_form = serialization.Encoding.PEM
    authority.write_bytes(made(0, signs=True).public_bytes(pem_form))
    pem.touch(0o600)
    pem.write_bytes(
        keys[1].private_bytes(
            pem_form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made(1, signs=False).public_bytes(pem_form)
    )
    return authority, pem


def _until_it_answers(uri: str, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with MongoClient[Any](uri) as client:
                client.admin.command("hello")
            return
        except PyMongoError:
            if child.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"mongod does not run:\n{log.read_text()[-3000:]}") from None


def _initiated(server: Server) -> None:
    members = [{"_id": 0, "host": f"127.0.0.1:{server.port}"}]
    deadline = time.monotonic() + 30
    with MongoClient[Any](server.uri()) as client:
        client.admin.command("replSetInitiate", {"_id": "rs", "members": members})
        pause = threading.Event()
        while not client.admin.command("hello").get("isWritablePrimary"):
            assert time.monotonic() < deadline
            pause.wait(0.05)
