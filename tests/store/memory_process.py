"""A process with a monitor and a writer whose clock is given to it, line by line on stdin.

Takes `AT BALANCE EQUITY` (UTC seconds), polls once, and prints the states of its rules and how many
memories were read back.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.feeds import FakeFeed
from tests.risk.desk import book, plan

from rms_tui.monitor import Monitor
from rms_tui.risk.verdict import State
from rms_tui.store.embedded import Remote
from rms_tui.store.writer import Writer

PLAN = plan(
    {"rule": "daily_loss", "base": "equity", "amount": 1000},
    {"rule": "trailing_drawdown", "peak": "equity", "amount": 2000},
    {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 1500},
    initial_balance=5000,
)


class Given:
    """A monitor that is told the time and the figures."""

    def __init__(self) -> None:
        self.now = 0.0
        self.feed = FakeFeed()
        self.monitor = Monitor(self.feed, PLAN, interval=1.0, clock=lambda: self.now)

    def see(self, at: float, balance: float, equity: float) -> list[str]:
        """The state of each rule after a poll."""
        self.now = at
        self.feed.newest = book([{"balance": balance, "equity": equity}], at=at)
        assessed = self.monitor.step().assessment
        assert assessed is not None
        return [f"{one.rule.rule} {State(int(one.state[0])).word}" for one in assessed.verdicts]


if __name__ == "__main__":
    uri, name = sys.argv[1:3]
    given = Given()
    writer = Writer(
        given.monitor.frames,
        given.monitor.outbox,
        Remote(uri),
        source="manager",
        database=name,
        on_memory=given.monitor.recall,
        on_entries=given.monitor.enter,
        period=0.05,
        clock=lambda: given.now,
    )
    writer.start()
    for line in sys.stdin:
        states = given.see(*map(float, line.split()))
        frame = given.monitor.frames.value
        print(json.dumps({"states": states, "recalls": frame.recalls}), flush=True)
    writer.stop()
