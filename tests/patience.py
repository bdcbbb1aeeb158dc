"""The tests' own hand in a database waits for a slow disk and for a busy processor; what is tested
keeps its time-outs, but for verbs that a test only needs to answer."""

from __future__ import annotations

import re


def patient(uri: str) -> str:
    """The server of that URI, with a minute for each answer and to be found: a drop waits for a
    checkpoint."""
    found = re.sub(r"serverSelectionTimeoutMS=\d+", "serverSelectionTimeoutMS=60000", uri)
    return f"{found}&socketTimeoutMS=60000"
