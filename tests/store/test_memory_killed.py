"""kill -9 around midnight: a desk that starts again says what one that never stopped says, or that
it does not know."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from desk import until
from memory_process import Given
from tests.risk.desk import utc

from rms_tui.store.database import Rms

PROGRAM = Path(__file__).with_name("memory_process.py")
MIDNIGHT = utc("2026-03-03 00:00")

Books = list[tuple[float, float, float]]

LEARNT: Books = [(MIDNIGHT - 5, 5000, 5000), (MIDNIGHT - 4, 5000, 5400)]
"""The start of the cycle: its base and peaks are known."""

EVENING: Books = [
    (MIDNIGHT - 3, 5000, 6100),
    (MIDNIGHT - 2, 5000, 4900),
    (MIDNIGHT - 1, 5000, 4900),
]
NIGHT: Books = [(MIDNIGHT + after, 5000, equity) for after, equity in (
    (1, 4800), (2, 4300), (3, 4090), (4, 3900), (5, 3850), (6, 4200),
)]  # fmt: skip


class Process:
    """One such process; `see` waits for its answer."""

    def __init__(self, uri: str, database: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), uri, database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def see(self, book: tuple[float, float, float]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(" ".join(map(repr, book)) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def begin(server_uri: str, database: Rms) -> Iterator[Callable[[], Process]]:
    begun: list[Process] = []

    def start() -> Process:
        begun.append(Process(server_uri, database.name))
        return begun[-1]

    yield start
    for one in begun:
        one.kill()


def written(database: Rms, at: float) -> None:
    """Wait until all that is known at that instant stands in MongoDB."""
    moment = datetime.fromtimestamp(at, UTC)
    until(lambda: (database.watches.find_one() or {}).get("until") == moment)


@pytest.mark.parametrize(("seen", "known"), [(len(EVENING), True), (len(EVENING) - 2, False)])
def test_a_killed_desk_judges_the_night_as_if_it_had_never_stopped_or_not_at_all(
    begin: Callable[[], Process], database: Rms, seen: int, known: bool
) -> None:
    whole = Given()
    told = {book[0]: whole.see(*book) for book in (*LEARNT, *EVENING, *NIGHT)}
    first = begin()
    for book in LEARNT:
        first.see(book)
    written(database, LEARNT[-1][0])
    before = [*LEARNT, *(*EVENING, *NIGHT)[:seen]]
    for book in before[len(LEARNT) :]:
        assert first.see(book)["states"] == told[book[0]]
        written(database, book[0])
    first.kill()

    second = begin()
    rest = [book for book in NIGHT if book[0] > before[-1][0]]
    until(lambda: second.see(rest[0])["recalls"] == 1)
    for book in rest:
        now = second.see(book)["states"]
        for ours, theirs in zip(now, told[book[0]], strict=True):
            assert ours == theirs or ours.endswith(" unknown")
        assert (now[0] == told[book[0]][0]) == known
