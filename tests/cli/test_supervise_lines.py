"""What `supervise` prints, and that it says nothing twice."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from rms_tui.cli.log import begin_log
from rms_tui.cli.supervise import element_line, in_words
from rms_tui.fleet.supervisor import PRINTED
from rms_tui.settings import load

ELEMENT = {"login": 70123, "server": "Broker-Live", "status": "ACTIVE", "instance": "i1"}
WHERE = "70123 on Broker-Live: ACTIVE, on instance i1"


@pytest.mark.parametrize(
    ("risk", "said"),
    [
        (None, ""),
        ({"state": "ok"}, ""),
        (
            {"state": "breached", "rule": "position_risk", "value": 110.5, "limit": 100.0},
            ", position_risk 110.50 of 100.00",
        ),
        (
            {
                "state": "unknown",
                "rule": "daily_loss",
                "value": 10_039.5,
                "limit": None,
                "reason": "initial_unknown",
            },
            ", daily_loss unknown: initial_unknown",
        ),
        ({"state": "ok", "rule": "daily_loss", "value": 1.0}, ", daily_loss 1.00 of n/a"),
    ],
)
def test_a_rule_is_said_with_its_figures_or_why_it_decides_nothing(
    risk: dict[str, Any] | None, said: str
) -> None:
    assert element_line({**ELEMENT, "risk": risk}) == WHERE + said


def printed(capsys: pytest.CaptureFixture[str], *told: dict[str, Any]) -> list[str]:
    say = in_words()
    for one in told:
        if "_id" in one:
            say("element", {"element": one})
        else:
            say("claimed", one)
    return capsys.readouterr().out.splitlines()


def test_an_element_is_said_once_until_it_is_another(capsys: pytest.CaptureFixture[str]) -> None:
    active = {"_id": "e1", **ELEMENT}
    breached = {**active, "status": "BREACHED"}
    lines = printed(capsys, active, active, breached, breached, active)
    assert lines == [WHERE, WHERE.replace("ACTIVE", "BREACHED"), WHERE]


def test_what_a_claim_said_is_not_said_of_its_element_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    claim = {"element": "e1", "login": 70123, "server": "Broker-Live", "instance": "i1", "term": 1}
    pending = {"_id": "e1", **ELEMENT, "status": "PENDING"}
    lines = printed(capsys, claim, pending, {"_id": "e1", **ELEMENT})
    assert lines[1:] == [WHERE]
    assert lines[0].startswith("claimed: element e1, login 70123")


def test_an_error_is_said_when_it_is_another_one_or_final(
    capsys: pytest.CaptureFixture[str],
) -> None:
    waits = {"_id": "e1", "login": 70123, "server": "Broker-Live", "status": "PENDING"}
    refused = {**waits, "error": "refused"}
    lines = printed(
        capsys, waits, refused, {**refused, "instance": "i1"}, refused,
        {**refused, "status": "ERROR"}, {**waits, "error": "gone"}, waits,
    )  # fmt: skip
    line = "70123 on Broker-Live: PENDING"
    assert lines == [
        line, f"{line}, refused", f"{line}, on instance i1", line,
        "70123 on Broker-Live: ERROR, refused", f"{line}, gone",
    ]  # fmt: skip


@pytest.mark.parametrize(("as_json", "on_stderr"), [("false", 0), ("true", 1)])
def test_what_is_printed_stands_in_the_log_and_in_words_not_on_the_console_again(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    as_json: str,
    on_stderr: int,
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    environ = {"RMS_DATA_DIR": str(tmp_path), "RMS_LOG_JSON": as_json}
    settings = load(environ=environ, folder=tmp_path).settings
    path = begin_log(settings, on_console=True, printed=PRINTED)
    logging.getLogger(PRINTED).warning("instance i1 fell silent")
    logging.getLogger("rms_tui.fleet").warning("a worker cannot be started")
    said = capsys.readouterr().err
    assert said.count("fell silent") == on_stderr
    assert said.count("cannot be started") == 1
    for handler in root.handlers:
        handler.close()
    assert path is not None
    assert path.read_text().count("fell silent") == 1
