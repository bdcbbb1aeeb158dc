"""What a shock would do, worked out in a thread: the newest question is answered, older ones not.

A shock judges the whole book twice, which on a large one is longer than a key may take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from textual.message_pump import MessagePump

from rms_tui.frame import Frame
from rms_tui.risk.profile import Plan
from rms_tui.risk.scope import scope_of
from rms_tui.risk.stop_out import Reach, reach_together
from rms_tui.risk.stress import Laid, Stressed, opposite, stress
from rms_tui.tui.errand import once, run_errand
from rms_tui.tui.move import Move


@dataclass(frozen=True, slots=True)
class Question:
    """A move by ± `percent`, or a scenario, over a frame, and whose stop-out is looked for.

    Without `judged` nobody is said to breach: a fleet's rules are its workers' to judge by, who
    have the memory they need.
    """

    frame: Frame
    move: Move
    percent: float
    login: int | None
    judged: bool = True

    def same_shock(self, other: Question) -> bool:
        """Whether both ask for the same move over the same frame."""
        mine = (self.move, self.percent)
        return self.frame is other.frame and mine == (other.move, other.percent)


@dataclass(frozen=True, slots=True)
class Answer:
    """Both ways of a move, and how much of it stops the account out; or why there are none.

    `over` is the move up, or the scenario as it is saved.
    """

    question: Question
    over: Laid | None = None
    up: Stressed | None = None
    down: Stressed | None = None
    reach: Reach | None = None
    wrong: str = ""


def answered(question: Question, before: Answer | None) -> Answer:
    """The answer; of one before that asked for the same shock, what it has."""
    frame, move, login = question.frame, question.move, question.login
    book, assessed = frame.book, frame.assessment
    if book is None or assessed is None or frame.memory is None or frame.exposure is None:
        return Answer(question, wrong="the accounts have not been judged yet")
    same = before is not None and before.question.same_shock(question)
    up, down = (before.up, before.down) if before is not None and same else (None, None)
    try:
        over = move.laid(question.percent, assessed.scope.plan, book)
        if up is None or down is None:
            if not question.judged:
                no_rules = scope_of(Plan(profiles=()), book.accounts)
                assessed = assessed._replace(scope=no_rules)
            given = (book, assessed, frame.memory, frame.exposure)
            up = stress(*given, *over.shocks)
            down = stress(*given, *opposite(over.shocks))
        there = login is not None and bool((book.accounts.login == login).any())
        by = over.shocks if move.is_scenario else [replace(over.shocks[0], percent=1.0)]
        found = reach_together(book, login, by) if login and there else None
    except ValueError as error:
        return Answer(question, wrong=str(error))
    return Answer(question, over, up, down, found)


class Shocks:
    """Asks one question at a time; `came` gets each answer on the UI's loop."""

    def __init__(self, app: MessagePump, came: Callable[[Answer], None]) -> None:
        self._app = app
        self._came = came
        self._asking: Question | None = None
        self._next: Question | None = None
        self._last: Answer | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._asking is not None

    def ask(self, question: Question) -> None:
        """Answer this next, and whatever waited no more."""
        self._next = question
        if self._asking is None:
            self._go_on()

    def _go_on(self) -> None:
        question, self._next = self._next, None
        self._asking, last = question, self._last
        if question is not None:
            work = once(lambda: answered(question, last))
            run_errand(self._app, "stress", work, self._answered, lambda _: None)

    def _answered(self, answer: Answer) -> None:
        self._last = answer
        self._go_on()
        self._came(answer)
