"""`replay` and `assess --recording`: what a recording shows, and what would have breached in it.

Neither connects to a source or to MongoDB: a replay can change nothing that is live.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from rms_tui import snapshot
from rms_tui.cli.exits import USAGE, end, leave
from rms_tui.cli.keys import console_keys
from rms_tui.cli.oneshot import plain, print_json
from rms_tui.cli.profiles import profile_named
from rms_tui.cli.progress import Progress, iso
from rms_tui.cli.screen import need_screen, shown
from rms_tui.frame import Frame
from rms_tui.moments import duration
from rms_tui.monitor import Monitor
from rms_tui.plural import counted
from rms_tui.recording.judged import Breach, Summary, Turn, Turns
from rms_tui.recording.player import FASTEST, SLOWEST, Player
from rms_tui.recording.reader import Recording, open_recording
from rms_tui.recording.replayed import Replayed
from rms_tui.risk.profile import Plan
from rms_tui.risk.verdict import State
from rms_tui.timeline import Refused
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import loaded


def replay(shared: Given, file: Path, speed: float, begin: str | None, *, mouse: bool) -> None:
    """Show a recording in the console. Raises FeedError for one that cannot be read."""
    if not SLOWEST <= speed <= FASTEST:
        end(f"--speed {speed:g}: expected {SLOWEST:g} to {FASTEST:g}", USAGE)
    recording = open_recording(file)
    at = None if begin is None else _moment(recording, begin)
    need_screen("without one use `rms-tui replay FILE --snapshot`")
    keymap = console_keys(loaded(shared).settings)
    player = Player(recording, start=at, speed=speed)
    try:
        from rms_tui.tui.app import RmsApp

        app = RmsApp(
            player.monitor,
            operator=operator(),
            clock=player.now,
            playback=player,
            after_first_paint=player.start,
            keymap=keymap,
        )
        status = shown(app, mouse=mouse)
    finally:
        player.stop()
    leave(status)


def replay_snapshot(file: Path, begin: str | None) -> None:
    """Print every account as it was at a time, or at the end, as JSON in RMS's shape."""
    recording = open_recording(file)
    at = recording.ended if begin is None else _moment(recording, begin)
    replayed = Replayed(recording, start=at)
    shown: Frame | None = None
    for frame in replayed.frames():
        if frame.at > at and shown is not None:
            break
        shown = frame
    if shown is None or shown.book is None:
        end(f"{file}: no accounts at that time", USAGE)
    logins = shown.book.accounts.login.tolist()
    print_json(
        {
            "time": iso(shown.at),
            "accounts": snapshot.accounts_snapshot(shown, _deals(replayed.monitor), logins),
        }
    )


def assess_recording(shared: Given, file: Path, profile: str | None, *, json: bool) -> None:
    """Print every change of a verdict, and what breached. Raises FeedError, SettingsError."""
    recording = open_recording(file)
    replayed = Replayed(recording, plan=_plan(shared, profile, recording))
    turns, summary = Turns(), Summary()
    progress = Progress(recording.began, recording.ended)
    try:
        for frame in replayed.frames():
            summary.see(frame)
            for turn in turns.of(frame):
                summary.turn(turn)
                _say(turn, json=json)
            progress.at(frame.at)
    finally:
        progress.done()
        sys.stdout.flush()
    gist = _gist(recording, summary, profile)
    if json:
        print_json({"summary": gist})
    else:
        _print_gist(gist, summary)


def _plan(shared: Given, profile: str | None, recording: Recording) -> Plan | None:
    """The plan to judge by; None: the recorded one, which may change on the way."""
    if profile is None:
        return None
    try:
        chosen = profile_named(shared, profile)
    except Refused as error:
        end(str(error), USAGE)
    plan = Plan(profiles=(chosen,), default=chosen.name)
    return None if recording.plans() == [plan] else plan


def _moment(recording: Recording, text: str) -> float:
    """UTC seconds of an ISO time (UTC where it names no zone), or of that long after the start."""
    try:
        at = recording.began + duration(text)
    except ValueError:
        at = _instant(recording, text)
    if not recording.began <= at <= recording.ended:
        end(
            f"--from {text}: the recording is from {iso(recording.began)} to "
            f"{iso(recording.ended)}",
            USAGE,
        )
    return at


def _instant(recording: Recording, text: str) -> float:
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()
    except (ValueError, OverflowError):
        end(
            f"--from {text}: expected how long after the beginning (90s, 10m, 2h) or an ISO time "
            f"such as {iso(recording.began)}",
            USAGE,
        )


def _deals(monitor: Monitor) -> Any:
    return monitor.history(None)


def _say(turn: Turn, *, json: bool) -> None:
    if json:
        sys.stdout.buffer.write(orjson.dumps(_shape(turn), option=orjson.OPT_APPEND_NEWLINE))
    elif State.BREACHED in (turn.state, turn.was):
        word = "BREACHED" if turn.state is State.BREACHED else f"now {turn.state.word}"
        print(
            f"{iso(turn.at)}  {turn.login}  {plain(turn.name)}  {turn.rule}  {word}  "
            f"value {plain(turn.value)}  limit {plain(turn.limit)}  {plain(turn.currency)}"
        )


def _shape(turn: Turn) -> dict[str, Any]:
    """A change of a verdict for programs; unknown figures are null (orjson makes NaN so)."""
    return {
        "time": iso(turn.at),
        "login": turn.login,
        "name": turn.name,
        "profile": turn.profile,
        "rule": turn.rule,
        "key": turn.key,
        "was": None if turn.was is None else turn.was.word,
        "state": turn.state.word,
        "value": turn.value,
        "limit": turn.limit,
        "used": turn.used,
        "distance": turn.distance,
        "currency": turn.currency,
        "reason": turn.reason.name.lower(),
    }


def _gist(recording: Recording, summary: Summary, profile: str | None) -> dict[str, Any]:
    breaches = sorted(summary.breaches.values(), key=lambda one: (one.first.at, one.login))
    torn = recording.torn
    return {
        "recording": str(recording.path),
        "profile": profile,
        "from": iso(recording.began),
        "until": iso(recording.ended),
        "polls": summary.polls,
        "accounts": summary.accounts,
        "changes": summary.turns,
        "undecided": {reason.name.lower(): n for reason, n in summary.undecided.items()},
        "torn": None if torn is None else torn.reason,
        "breached": [_breach(one) for one in breaches],
    }


def _breach(one: Breach) -> dict[str, Any]:
    return {
        "login": one.login,
        "name": one.name,
        "profile": one.profile,
        "rule": one.rule,
        "first": iso(one.first.at),
        "value": one.first.value,
        "limit": one.first.limit,
        "times": one.times,
        "worst_used": one.worst_used,
        "until": None if one.until is None else iso(one.until),
    }


def _print_gist(gist: dict[str, Any], summary: Summary) -> None:
    accounts = len({login for login, _ in summary.breaches})
    judged = gist["profile"] or "the limits that were in force"
    print(
        f"\n{gist['recording']}: {gist['from']} to {gist['until']}, "
        f"{counted(gist['polls'], 'poll')} of {counted(gist['accounts'], 'account')}, judged by "
        f"{judged}"
    )
    print(
        f"{counted(len(summary.breaches), 'breach', 'breaches')} of "
        f"{counted(accounts, 'account')}, {counted(summary.turns, 'change')} of state"
    )
    for reason, number in summary.undecided.items():
        print(f"no decision at the end for {counted(number, 'verdict')}: {reason.words}")
    if gist["torn"]:
        print(f"the recording ends torn: {gist['torn']}")
