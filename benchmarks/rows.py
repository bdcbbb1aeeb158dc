"""One measured claim."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with its baseline from the same run, its target and whether it is met."""

    name: str
    value: float
    unit: str
    baseline: float | None
    against: str
    target: str
    ok: bool
