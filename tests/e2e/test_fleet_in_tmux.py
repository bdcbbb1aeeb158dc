"""A fleet end to end: console in a terminal, supervisor and workers as processes, a real mongod.

Only the vendor's package is a fake; its world file pushes the figures.
"""

from __future__ import annotations

import shlex
import sys

import pytest
from tests.e2e.tmux import Terminal
from tests.faults.conftest import fleet, fleet_uri, mongod_path  # noqa: F401  (fixtures)
from tests.faults.fleet import FIRST, SERVER, Fleet, until

from rms_tui.store import rotation

PASSWORD = "typed-hunter2"


def begin(terminal: Terminal, fleet: Fleet) -> None:  # noqa: F811  (a fixture's name)
    """A console over the fleet, in the terminal."""
    names = ("RMS_", "PYTHONPATH")
    settings = {k: v for k, v in fleet.environment().items() if k.startswith(names)}
    words = " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
    script = fleet.folder / "console.sh"
    script.write_text(f"{words} exec {sys.executable} -m rms_tui --source fleet\n", "utf-8")
    terminal.type(f"sh {script}; echo status $?", "Enter")
    terminal.until(lambda text: "5 Instances" in text and "LIVE" in text, 40, "live fleet")


@pytest.mark.parametrize("terminal", [(160, 48)], indirect=True)
def test_an_element_added_by_keyboard_is_watched_breached_and_survives_its_worker(
    terminal: Terminal,
    fleet: Fleet,  # noqa: F811
) -> None:
    for _said in rotation.init(fleet.database, fleet.folder / "data" / "master.key"):
        continue
    fleet.instances(1)
    fleet.world.account(FIRST, name="B[/b]")
    fleet.world.terminal["accounts"][str(FIRST)]["password"] = PASSWORD
    fleet.world.push()
    fleet.supervise()
    begin(terminal, fleet)
    terminal.until(lambda text: "FREE" in text and "1 free" in text, 20, "a free terminal")

    terminal.type("a")
    terminal.until(lambda text: "Add an account to the fleet" in text, 20, "the dialog")
    for line in (str(FIRST), SERVER, PASSWORD):
        terminal.type(line, "Enter")
    assert PASSWORD not in terminal.screen
    terminal.type("Enter")
    terminal.until(lambda text: "PENDING until a terminal takes it" in text, 20, "added")
    terminal.type("Escape")
    terminal.until(
        lambda text: f"{FIRST} on {SERVER}" in text and "OCCUPIED" in text and "1 ACTIVE" in text,
        40,
        "an occupied terminal",
    )
    terminal.until(
        lambda text: "B[/b]" in text and "10 000.00" in plain(text),
        20,
        "figures",
    )

    terminal.type("l")
    terminal.until(lambda text: "Limits of its own" in text, 20, "the list of limits")
    terminal.type("its own")
    terminal.until(lambda text: "1 of " in text, 20, "one line of the list")
    terminal.type("Enter")
    terminal.until(lambda text: "one at least" in text, 20, "the dialog of limits")
    terminal.type("500")
    terminal.until(lambda text: "enter takes them" in text, 20, "an amount")
    terminal.type("Enter")
    until(lambda: fleet.read().get("profile") == {"max_daily_loss": 500.0}, 20, "limits written")
    until(lambda: _rules(fleet) == ["daily_loss"], 20, "the worker judges by its new limits")
    fleet.world.equity(FIRST, 9_400.0)
    until(lambda: fleet.read()["status"] == "BREACHED", 20, "BREACHED in MongoDB")
    risk = fleet.read()["risk"]
    assert (risk["rule"], risk["value"], risk["limit"]) == ("daily_loss", 9_400.0, 9_500.0)
    terminal.until(
        lambda text: "BREACHED" in text and "daily loss" in text and "1 BREACHED" in text,
        20,
        "the breach in the console",
    )
    terminal.type("Enter")
    terminal.until(
        lambda text: "9 400.00" in plain(text) and "9 500.00" in plain(text), 20, "value and limit"
    )
    terminal.type("Escape")
    terminal.until(lambda text: "5 Instances" in text, 20, "the desk")
    terminal.type("space")
    until(
        lambda: fleet.database.alerts.count_documents({"stage": "acknowledged", "login": FIRST}),
        20,
        "the acknowledgement in MongoDB",
    )
    terminal.until(lambda text: "ack " in text, 20, "the acknowledgement in the console")

    worker = fleet.worker_of()
    worker.kill()
    terminal.type("5", "z")
    terminal.until(
        lambda text: "Restarts" in text and _restarts(text) >= 1, 40, "the restart in Instances"
    )
    until(lambda: fleet.worker_of().pid != worker.pid, 40, "another worker")

    terminal.type("d")
    terminal.until(lambda text: f"Stop watching {FIRST} on {SERVER}" in text, 20, "the question")
    terminal.type("y")
    until(lambda: fleet.read()["status"] == "REMOVED", 20, "REMOVED in MongoDB")
    terminal.until(lambda text: "FREE" in text and "OCCUPIED" not in text, 30, "a free terminal")
    terminal.type("q")
    terminal.until(lambda text: "status 0" in text, 10, "exit status 0")


def plain(screen: str) -> str:
    """With ordinary spaces between thousands."""
    return screen.replace("\u202f", " ").replace("\u00a0", " ")


def _rules(fleet: Fleet) -> list[str]:  # noqa: F811
    risk = fleet.read().get("risk") or {}
    return [one["rule"]["rule"] for one in risk.get("rules") or ()]


def _restarts(screen: str) -> int:
    """The figure in the row of the one terminal."""
    row = next((line for line in screen.splitlines() if "C:\\MT5" in line), "")
    numbers = [word for word in row.split() if word.isdigit()]
    return int(numbers[-1]) if numbers else 0
