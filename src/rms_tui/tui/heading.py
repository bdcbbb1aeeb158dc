"""The two lines on top: state in words first, then the book's sums. Pure: frames in, pieces out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rms_tui.book import Accounts, Floats, Ints, rows_of
from rms_tui.feed import FeedStatus
from rms_tui.frame import FeedState, Frame, Health
from rms_tui.plural import noun
from rms_tui.risk.lacking import lacking
from rms_tui.risk.verdict import Reason, State
from rms_tui.tui import figures, rollover
from rms_tui.tui.status_line import Piece
from rms_tui.tui.view import StoreView
from rms_tui.tui.words import rule_words

STATE_STYLES: dict[FeedState, tuple[str, str]] = {
    FeedState.LIVE: ("●", "bold $text-success"),
    FeedState.DEMO: ("◆", "bold $text-accent"),
    FeedState.REPLAY: ("◆", "bold $text-accent"),
    FeedState.FOLLOWING: ("●", "bold $text-accent"),
    FeedState.STARTING: ("○", "bold"),
    FeedState.STALE: ("▲", "bold reverse $text-warning"),
    FeedState.DISCONNECTED: ("■", "bold reverse $text-error"),
}
"""Sign and style of each state word: readable without colour."""

MUTED = "$text-muted"


@dataclass(frozen=True, slots=True)
class Moment:
    """What is shown: a frame, at an instant (UTC seconds), paused since then or not."""

    frame: Frame
    now: float
    paused_at: float | None = None


def state_pieces(moment: Moment) -> list[Piece]:
    """The state word with its age, and what a source that gives nothing is doing."""
    health = moment.frame.health
    sign, style = STATE_STYLES[health.state]
    pieces: list[Piece] = []
    if moment.paused_at is not None:
        paused = figures.age(moment.now - moment.paused_at)
        pieces.append(Piece(f"PAUSED {paused}", "bold reverse $text-warning"))
    age = health.age(moment.now)
    word = f"{sign} {health.state}"
    pieces.append(Piece(word if age is None else f"{word} {figures.age(age)}", style))
    if health.state in (FeedState.STARTING, FeedState.DISCONNECTED):
        pieces.append(Piece(doing(health.feed, moment.now), "bold", rank=2))
    return pieces


def doing(feed: FeedStatus, now: float) -> str:
    """What a source that gives no Book does now, or when it tries again."""
    if feed.next_attempt is not None and feed.phase == "down":
        left = feed.next_attempt - now
        return "trying again now" if left <= 0 else f"next attempt in {math.ceil(left)} s"
    return feed.doing or feed.phase


def heading(
    moment: Moment, store: StoreView | None, operator: str, tape: Sequence[Piece] = ()
) -> tuple[list[Piece], list[Piece]]:
    """The header line's left and right pieces."""
    frame, health = moment.frame, moment.frame.health
    left = [
        Piece("RMS", "bold", rank=9),
        *state_pieces(moment),
        *tape,
        Piece(health.source, rank=5),
        Piece(server_time(health), rank=6),
        Piece(*store_words(store), rank=3),
        Piece(operator, MUTED, rank=8),
    ]
    if frame.book is not None:
        number = len(frame.book.accounts)
        left.append(Piece(f"{figures.count(number)} {noun(number, 'account')}", MUTED, rank=7))
    return left, worst_pieces(frame)


def server_time(health: Health) -> str:
    """The server's wall clock at the newest good Book."""
    if health.server_offset is None:
        return "server time unknown"
    zone = figures.zone(health.server_offset)
    if health.polled_at is None:
        return f"server ({zone})"
    return f"server {figures.clock(health.polled_at, health.server_offset)} ({zone})"


def store_words(store: StoreView | None) -> tuple[str, str]:
    """MongoDB's state as words, sign and style."""
    if store is None:
        return "mongo ○ off", MUTED
    match store.state:
        case "connected":
            waiting = f", {figures.count(store.waiting)} waiting" if store.waiting > 999 else ""
            return f"mongo ● ok{waiting}", "$text-success"
        case "starting":
            return "mongo ○ starting", MUTED
        case "unknown":
            return "mongo ○ unknown", MUTED
        case _:
            return f"mongo ■ DOWN, {figures.count(store.waiting)} waiting", "bold $text-error"


def worst_pieces(frame: Frame) -> list[Piece]:
    """How many accounts are breached, critical, warned about and undecided."""
    if frame.assessment is None:
        return []
    counts = np.bincount(frame.assessment.state, minlength=max(State) + 1)
    shown = (
        (State.BREACHED, "BREACHED", "bold reverse $text-error", 0),
        (State.CRITICAL, "CRITICAL", "bold underline $text-error", 0),
        (State.CAUTION, "WARNING", "bold $text-warning", 1),
        (State.UNKNOWN, "UNKNOWN", f"italic {MUTED}", 4),
    )
    pieces = [
        Piece(f"{figures.count(int(counts[state]))} {word}", style, rank)
        for state, word, style, rank in shown
        if counts[state]
    ]
    return pieces or [Piece("all within limits", "$text-success", rank=4)]


class Totals:
    """Sums over all accounts in the report currency."""

    def __init__(self) -> None:
        self._known: tuple[tuple[str, ...], tuple[str, ...], Ints] | None = None

    def pieces(self, frame: Frame) -> list[Piece]:
        """The summary line."""
        if frame.book is None or frame.exposure is None or frame.assessment is None:
            return []
        accounts, currency = frame.book.accounts, frame.exposure.report_currency
        equity = self._sum(frame, accounts.equity)
        margin = self._sum(frame, accounts.margin)
        floating = self._sum(frame, accounts.floating)
        today = self._sum(frame, frame.assessment.day_profit, skip_unknown=True)
        unknown = int(np.isnan(frame.assessment.day_profit).sum())
        used = figures.NA
        if isinstance(equity, float) and isinstance(margin, float) and equity > 0:
            used = f"{figures.percent(margin / equity, 1)} %"
        if unknown == len(accounts):
            today = float("nan")
        partly = f" ({figures.count(unknown)} unknown)" if 0 < unknown < len(accounts) else ""
        return [
            Piece(f"Equity {_text(equity)} {currency}", "bold"),
            _signed("Floating", floating, "", 1),
            Piece(f"Margin used {used}", rank=4),
            Piece(f"Net exposure {_net(frame.exposure.net_notional, currency)}", rank=3),
            _signed("Day P/L", today, partly, 2),
        ]

    def _sum(self, frame: Frame, amounts: Floats, *, skip_unknown: bool = False) -> float | str:
        """The sum in the report currency; `no rate` (with the currency) when one cannot convert."""
        assert frame.book is not None
        assert frame.exposure is not None
        names, code = self._codes(frame.book.accounts)
        if skip_unknown:
            amounts = np.where(np.isnan(amounts), 0.0, amounts)
        total = 0.0
        for name, amount in zip(
            names, np.bincount(code, weights=amounts, minlength=len(names)), strict=True
        ):
            rate = frame.exposure.rates.get(name, float("nan"))
            if amount == 0:
                continue
            if math.isnan(rate):
                return f"no rate {name}"
            total += float(amount) * rate
        return total

    def _codes(self, accounts: Accounts) -> tuple[tuple[str, ...], Ints]:
        known = self._known
        if known is not None and known[0] is accounts.currency:
            return known[1], known[2]
        names = tuple(sorted(set(accounts.currency)))
        index = {name: at for at, name in enumerate(names)}
        code = np.fromiter(
            (index[name] for name in accounts.currency), np.int64, len(accounts.currency)
        )
        self._known = (accounts.currency, names, code)
        return names, code


def _text(amount: float | str) -> str:
    return amount if isinstance(amount, str) else figures.money(amount, 0)


def _net(amount: float, currency: str) -> str:
    return "no rate" if math.isnan(amount) else f"{figures.compact(amount)} {currency}"


def _signed(label: str, amount: float | str, after: str, rank: int) -> Piece:
    if isinstance(amount, str):
        return Piece(f"{label} {amount}", rank=rank)
    text = figures.signed(amount, 0)
    style = {"+": "$text-success", figures.MINUS: "$text-error"}.get(text[0], "")
    return Piece(f"{label} {text}{after}", style, rank)


def notice(moment: Moment, store: StoreView | None = None) -> Sequence[Piece]:
    """What is wrong with feed and MongoDB and what the next rollover does, in a line of its own.

    Empty while there is nothing to say.
    """
    of_feed = feed_pieces(moment)
    return (*of_feed, *store_pieces(store, 3 if of_feed else 0))


def store_pieces(store: StoreView | None, rank: int) -> Sequence[Piece]:
    """Why MongoDB is down; nothing while it is not."""
    if store is None or store.state != "down":
        return ()
    return (
        Piece("MongoDB down:", "bold $text-error", rank),
        Piece(store.text, "$text-error", rank),
    )


def feed_pieces(moment: Moment) -> Sequence[Piece]:
    """What is wrong with the feed, and what the next rollover does."""
    health = moment.frame.health
    book = moment.frame.book
    if book is None:
        return ()
    if health.state not in (FeedState.STALE, FeedState.DISCONNECTED):
        refused = health.limits_error
        limits = () if refused is None else (Piece(refused, "bold $text-error"),)
        return (
            *limits,
            *undecided_pieces(health),
            *lacking_pieces(moment.frame),
            *rollover_pieces(moment),
        )
    silent = "the source sends no new figures" if book.connected else Reason.DISCONNECTED.words
    why = health.error or silent
    as_of = "" if health.polled_at is None else _as_of(health)
    return (
        Piece(f"Old figures{as_of}, not judged:", "bold $text-warning"),
        Piece(why, "$text-warning"),
        Piece(doing(health.feed, moment.now), MUTED, rank=1),
    )


SHORT = {Reason.STALE: "stale", Reason.DISCONNECTED: "disconnected"}
"""Reasons whose words repeat what is counted."""


def undecided_pieces(health: Health) -> Sequence[Piece]:
    """How many rows gave no decision, and why: `12 rows undecided: 10 stale, 2 …`."""
    counts = sorted(health.undecided.items(), key=lambda each: -each[1])
    total = sum(number for _, number in counts)
    if not total:
        return ()
    why = ", ".join(f"{figures.count(n)} {SHORT.get(r, r.words)}" for r, n in counts)
    rows = f"{figures.count(total)} {noun(total, 'row')} undecided:"
    return Piece(rows, "bold $text-warning"), Piece(why, "$text-warning")


def lacking_pieces(frame: Frame) -> Sequence[Piece]:
    """How many accounts have rules that lack a base or a peak: `3 accounts: day base unknown`."""
    found = {} if frame.assessment is None else lacking(frame.assessment)
    if not found:
        return ()
    what = ", ".join(
        f"{figures.count(n)} {noun(n, 'account')}: {reason.words}" for reason, n in found.items()
    )
    enterable = found.keys() & {Reason.BASE_UNKNOWN, Reason.PEAK_UNKNOWN}
    return (
        Piece(what, "bold $text-warning", 1),
        *([Piece("to enter it: details (enter), then b", MUTED, 3)] if enterable else []),
    )


def rollover_pieces(moment: Moment) -> Sequence[Piece]:
    """How many accounts the next rollover would breach; nothing while it would breach none."""
    frame = moment.frame
    found = rollover.breaching(frame)
    if not found or frame.assessment is None:
        return ()
    at = min(one.at for one in frame.assessment.overnight if bool(one.would_breach.any()))
    clock = figures.clock(at, frame.health.server_offset, seconds=False)
    who = f"{figures.count(len(found))} {noun(len(found), 'account')}"
    left = figures.span(max(0.0, at - moment.now), seconds_shown=True)
    return (
        Piece(f"Rollover {clock} in {left}:", "bold $text-warning", rank=2),
        Piece(f"{who} would breach daily loss", "$text-warning", rank=2),
    )


def rollover_words(moment: Moment, login: int) -> str:
    """What the next rollover would do to an account: `next rollover in 12m: would breach …`."""
    frame = moment.frame
    if frame.book is None:
        return ""
    row = int(rows_of(frame.book.accounts.login, np.array([login]))[0])
    if row < 0:
        return ""
    digits = int(frame.book.accounts.digits[row])
    breaches = [one for one in rollover.notices(frame, row) if one.would_breach]
    return "; ".join(
        f"next rollover in {figures.span(one.at - moment.now, seconds_shown=True)}: would breach "
        f"{rule_words(one.rule)}, limit {figures.money(one.limit, digits)}"
        for one in breaches
    )


def _as_of(health: Health) -> str:
    assert health.polled_at is not None
    return f" of {figures.clock(health.polled_at, health.server_offset)}"
