"""One cycle as pure functions: from the Frame before and a Book to the next Frame.

A Frame is all that a cycle knows of those before it: what did not change since is taken over from
it and not made again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from rms_tui import alerts
from rms_tui.alerts import Desk
from rms_tui.book import Book
from rms_tui.frame import Frame, Health
from rms_tui.risk import exposure
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.exposure import Exposure
from rms_tui.risk.memory import Memory
from rms_tui.risk.profile import Plan
from rms_tui.risk.reading import Reading, judged, reading

LaidOver: TypeAlias = Callable[[Assessment], Assessment]
"""Puts verdicts of others over an assessment."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A Book and what was made of it; nothing before the first Book."""

    book: Book | None = None
    memory: Memory | None = None
    assessment: Assessment | None = None
    exposure: Exposure | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much came in from outside the Books so far; each as in Frame."""

    recalls: int
    edges: int
    outside: int


NOTHING = Shown()


def shown_by(frame: Frame) -> Shown:
    """What that Frame shows, to be shown once more."""
    return Shown(frame.book, frame.memory, frame.assessment, frame.exposure)


def read_after(before: Frame | None, book: Book, plan: Plan, *, stale: bool) -> Reading:
    """Lay the plan over the Book that came after that Frame."""
    past = None if before is None else before.assessment
    known = None if before is None else before.memory
    exposing = exposure.sums(book, None if before is None else before.exposure)
    return reading(book, plan, past, stale=stale, known=known, exposing=exposing)


def judged_after(
    before: Frame | None,
    read: Reading,
    memory: Memory,
    currency: str,
    laid_over: LaidOver | None = None,
) -> tuple[Assessment, Exposure]:
    """Judge the Book by what is remembered after it, and sum it up in that currency."""
    assessed = judged(read, memory, None if before is None else before.assessment)
    if laid_over is not None:
        assessed = laid_over(assessed)
    past = None if before is None else before.exposure
    return assessed, exposure.exposure(read.book, currency, past, read.exposed)


def following(
    before: Frame | None, now: float, health: Health, shown: Shown, desk: Desk, counts: Counts
) -> Frame:
    """The Frame after that one."""
    known = () if before is None else before.alerts
    same = before is not None and before.desk.alerts is desk.alerts
    return Frame(
        1 if before is None else before.seq + 1,
        now,
        health,
        shown.book,
        shown.memory,
        shown.assessment,
        shown.exposure,
        alerts=known if same else alerts.worst_first(desk.alerts, known),
        desk=desk,
        recalls=counts.recalls,
        edges=counts.edges,
        outside=counts.outside,
    )


def with_desk(before: Frame, desk: Desk, counts: Counts) -> Frame:
    """That Frame once more, with what was done about its alerts since."""
    return replace(
        before,
        seq=before.seq + 1,
        alerts=alerts.worst_first(desk.alerts, before.alerts),
        desk=desk,
        edges=counts.edges,
        outside=counts.outside,
    )
