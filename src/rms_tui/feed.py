"""What the monitor needs of a source of Books, whatever process or package it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from rms_tui.book import Book, Deals, Ints
from rms_tui.risk.profile import mask_matches

Phase = Literal["starting", "connecting", "live", "down"]

Cause = Literal[
    "missing-package",  # the vendor package cannot be imported here
    "configuration",  # the source cannot be asked with these settings
    "authorisation",  # refused: login, password, rights; not retried fast
    "connection",  # server or terminal not reachable; retried with back-off
    "wrong-account",  # the terminal holds another login or server than the one asked for
    "hung",  # no heartbeat or no answer in time; the process was killed
    "crashed",  # the process ended by itself
    "refused-data",  # the source answered with what cannot be a Book (file and line in the text)
]


class FeedError(Exception):
    """Why a source gave no Book, in words for a dealer. Never holds a secret."""

    def __init__(self, cause: Cause, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.cause: Cause = cause
        self.text = text
        self.final = final
        """True when trying again cannot help until someone changes the configuration."""

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self.cause, self.text, self.final)


def _restored(cause: Cause, text: str, final: bool) -> FeedError:
    return FeedError(cause, text, final=final)


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """Where a source stands: for the header, Health and `doctor`. Times are UTC seconds."""

    phase: Phase
    doing: str
    """What it does now, in words ("syncing accounts")."""
    since: float
    error: str | None = None
    cause: Cause | None = None
    next_attempt: float | None = None
    restarts: int = 0
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which accounts are watched: all the source shows less `without`, or only `added`."""

    everything: bool = True
    added: frozenset[int] = frozenset()
    without: frozenset[int] = frozenset()

    def watches(self, login: int) -> bool:
        return login not in self.without if self.everything else login in self.added


@dataclass(frozen=True, slots=True)
class Known:
    """Answer to a selection: which of the asked logins the source has."""

    found: frozenset[int] = field(default_factory=frozenset)
    absent: frozenset[int] = field(default_factory=frozenset)


Sought: TypeAlias = Sequence[int] | str
"""Logins, or MT5 group masks such as `real\\*,!real\\test*`: then all accounts in such groups."""


def known_of(logins: Ints, groups: Sequence[str], sought: Sought) -> Known:
    """The answer over columns of accounts."""
    if isinstance(sought, str):
        fits = {group: mask_matches(sought, group) for group in set(groups)}
        pairs = zip(logins.tolist(), groups, strict=True)
        return Known(frozenset(login for login, group in pairs if fits[group]))
    found = frozenset(sought) & frozenset(logins.tolist())
    return Known(found, frozenset(sought) - found)


class Feed(Protocol):
    """A source of Books as its reader sees it. Methods return or raise within their timeout."""

    @property
    def title(self) -> str:
        """Source in words for the header, such as `MT5 Manager prod-1:443`."""
        ...

    @property
    def status(self) -> FeedStatus: ...

    def start(self) -> None:
        """Begin connecting; returns at once."""
        ...

    def read(self, timeout: float) -> Book:
        """Ask for a Book and wait for it. Raises FeedError."""
        ...

    def select(self, selection: Selection) -> None:
        """Watch these accounts from the next Book on. Returns at once; survives a restart."""
        ...

    def known(self, sought: Sought, timeout: float) -> Known:
        """Which of these accounts the source has, watched or not. Raises FeedError."""
        ...

    def history(self, logins: Sequence[int] | None, timeout: float) -> Deals:
        """Deals of the history window of these accounts (None: all watched). Raises FeedError."""
        ...

    def close(self) -> None:
        """End the source within a second, whatever it does."""
        ...
