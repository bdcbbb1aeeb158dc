"""Who acts."""

from __future__ import annotations

import getpass
import socket


def operator() -> str:
    """Who acts: user@host, as audit rows and acknowledgements name them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
