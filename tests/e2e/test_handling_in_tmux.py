"""What a dealer does by keys in a real terminal, and what then stands in a real MongoDB."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database
from tests.e2e.mongod import client_of, mongod_of
from tests.e2e.tmux import Terminal, is_live

from rms_tui.alerts import AlertEvent, Stage
from rms_tui.store import alerts
from rms_tui.store.alert_query import alert_of

COMMAND = f"{sys.executable} -m rms_tui --demo --accounts 60"

LIMITS = """
default_profile = "funded"

[profile.funded]
initial_balance = 1000

[[profile.funded.rules]]
rule = "total_loss"
percent = 1

[[profile.funded.rules]]
rule = "trailing_drawdown"
peak = "equity"
amount = 2000

[[profile.funded.rules]]
rule = "max_loss"
amount = -5
"""


@dataclass
class Desk:
    """A console in a terminal and its database."""

    terminal: Terminal
    database: Database[dict[str, Any]]

    def audit(self, action: str) -> dict[str, Any]:
        """The newest audit row of an action, once there is one."""
        found: list[dict[str, Any]] = []

        def written(_: str) -> bool:
            found[:] = self.database.audit.find({"action": action}).sort("at", -1).limit(1)
            return bool(found)

        self.terminal.until(written, 20, f"audit row of {action}")
        return found[0]

    def sees(self, text: str, seconds: float = 8) -> str:
        return self.terminal.until(lambda screen: text in screen, seconds, repr(text))

    def waits(self, holds: Callable[[], object], what: str) -> None:
        self.terminal.until(lambda _: bool(holds()), 20, what)


@pytest.fixture
def desk(terminal: Terminal, tmp_path: Path) -> Iterator[Desk]:
    """A demo whose accounts' peaks nobody knows, with limits that many of them break."""
    (tmp_path / "home" / "rms.toml").write_text(LIMITS)
    terminal.type(f"export RMS_DATA_DIR={tmp_path / 'data'}; {COMMAND}; echo status $?", "Enter")
    terminal.until(lambda text: is_live(text) and "mongo ● ok" in text, 40, "live desk with mongo")
    client = client_of(mongod_of(tmp_path))
    yield Desk(terminal, client["rms"])
    client.close()
    terminal.type("q")
    terminal.until(lambda text: "status 0" in text, 8, "exit status 0")


def test_n_snoozes_an_alert_in_the_database(desk: Desk) -> None:
    desk.waits(lambda: desk.database.alerts.count_documents({"open": True}), "stored alerts")
    desk.terminal.type("4")
    desk.terminal.type("n")
    desk.sees("enter or 1-4 snoozes")
    desk.terminal.type("2")
    row = desk.audit("snooze")
    alert = desk.database.alerts.find_one({"_id": row["alert"]})
    assert alert is not None
    assert alert["stage"] == "snoozed"
    assert alert["snoozed_by"] == row["operator"]
    assert 1790 < (alert["snoozed_until"] - row["at"]).total_seconds() < 1810


def test_h_shows_what_the_database_has_and_asks_it(desk: Desk) -> None:
    desk.waits(lambda: desk.database.alerts.count_documents({"open": True}), "stored alerts")
    known = desk.database.alerts.find_one({"open": True})
    assert known is not None
    over = replace(
        alert_of(known), id="over-long-ago", login=424_242, key="old", name="[red]Old[/red]",
        rule="max_loss", stage=Stage.CLOSED, recovered_at=alert_of(known).raised_at,
        closed_at=alert_of(known).raised_at, operator="jane@desk-9",
    )  # fmt: skip
    alerts.apply(desk.database, [AlertEvent("raised", over, over.raised_at)])
    desk.terminal.type("h")
    desk.sees("Alert history")
    desk.terminal.type("r")
    screen = desk.sees("424242")
    assert "[red]Old[/red]" in screen
    assert "jane@desk-9" in screen
    desk.terminal.type("/")
    desk.sees("since:2h until:30m")
    desk.terminal.type("operator:nobody", "Enter")
    screen = desk.sees("No past alert matches what you asked for.")
    assert "424242" not in screen
    desk.terminal.type("/")
    desk.sees("esc Leave")
    desk.terminal.type("C-u")
    desk.sees("since:2h until:30m")
    desk.terminal.type("operator:jane rule:max_l since:1h", "Enter")
    desk.sees("424242")


def test_b_enters_a_peak_that_is_used_at_once_and_written_down(desk: Desk) -> None:
    desk.terminal.type("Enter")
    desk.sees("6 Day")
    desk.sees("peak unknown")
    desk.terminal.type("b")
    desk.sees("highest equity so far")
    desk.terminal.type("9876543", "Enter")
    row = desk.audit("peak")
    assert row["peak"]["source"] == "equity"
    assert row["peak"]["value"] == 9_876_543.0
    assert "@" in row["operator"]
    desk.sees("9 876 543.00 peak")
    desk.terminal.type("7", "z")
    desk.sees("equity peak 9 876 543.00")
    memory = desk.database.memory.find_one({"login": row["login"]})
    assert memory is not None
    assert memory["peak_entries"][0]["operator"] == row["operator"]


def test_l_gives_an_account_limits_of_its_own_and_takes_them_back(desk: Desk) -> None:
    desk.terminal.type("Enter")
    desk.sees("6 Day")
    desk.terminal.type("l")
    desk.sees("type to narrow the list")
    desk.terminal.type("its own", "Enter")
    desk.sees("risk of one position, at its stop")
    desk.terminal.type("1234", "Enter")
    row = desk.audit("profile")
    where = {"login": row["login"], "server": row["server"]}
    element = desk.database.elements.find_one(where)
    assert element is not None
    assert element["profile"] == {"max_daily_loss": 1234.0}
    desk.sees("this account's own")
    desk.terminal.type("l")
    desk.sees("Back to the group's profile")
    desk.terminal.type("back", "Enter")
    gone = {**where, "profile": {"$exists": False}}
    desk.waits(lambda: desk.database.elements.count_documents(gone), "no profile of its own")
    desk.sees("the default")
    assert desk.audit("profile")["profile"] is None
