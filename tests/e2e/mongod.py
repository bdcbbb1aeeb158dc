"""The mongod that a console of a test started, and what stands in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
from pymongo import MongoClient


def mongod_of(folder: Path) -> psutil.Process:
    return next(
        p
        for p in psutil.process_iter(["cmdline"])
        if p.info["cmdline"]
        and "mongod" in p.info["cmdline"][0]
        and any(str(folder) in word for word in p.info["cmdline"])
    )


def client_of(mongod: psutil.Process) -> MongoClient[dict[str, Any]]:
    """A client of its own; close it."""
    address = mongod.net_connections("tcp")[0].laddr
    return MongoClient(address.ip, address.port, directConnection=True)
