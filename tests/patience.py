"""The tests' own hand in a database waits for a slow disk; what is tested keeps its time-outs."""

from __future__ import annotations


def patient(uri: str) -> str:
    """The server of that URI, with a minute for each answer: a drop waits for a checkpoint."""
    return f"{uri}&socketTimeoutMS=60000"
