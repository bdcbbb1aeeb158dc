"""`profiles assign` against a real mongod: validated first, written once, told truthfully."""

from __future__ import annotations

from pathlib import Path

import pytest
from shell import Run

from rms_tui.store import elements
from rms_tui.store.database import Rms

RULES = '[profile.strict]\n[[profile.strict.rules]]\nrule = "max_loss"\namount = -100\n'


@pytest.fixture(autouse=True)
def _known(rms: Run, database: Rms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Accounts 1001 to 1003 of Test-Server, and a profile in rms.toml."""
    del rms
    monkeypatch.setenv("RMS_SOURCE", "terminal")
    monkeypatch.setenv("MT5_PATH", "terminal64.exe")
    monkeypatch.setenv("MT5_SERVER", "Test-Server")
    (tmp_path / "rms.toml").write_text(RULES)
    for login in (1001, 1002, 1003):
        elements.add(database, login, "Test-Server", "terminal", "eva@desk")


def profiles_of(database: Rms) -> dict[int, object]:
    return dict(elements.own_profiles(database, "Test-Server"))


def test_a_name_of_rms_toml_or_a_preset_is_written_with_its_audit_row(
    rms: Run, database: Rms
) -> None:
    assert rms("profiles", "assign", "1001-1002", "strict").out == "1001  strict\n1002  strict\n"
    done = rms("profiles", "assign", "1003", "ftmo-2step")
    assert done.status == 0
    assert "no initial balance, without which daily_loss, total_loss" in done.err
    assert profiles_of(database) == {1001: "strict", 1002: "strict", 1003: "ftmo-2step"}
    assert database.audit.count_documents({"action": "profile"}) == 3
    assert rms("profiles", "assign", "1001", "strict").out == "1001  already strict\n"
    assert database.audit.count_documents({"action": "profile"}) == 3


def test_limits_can_be_given_inline_and_taken_back(rms: Run, database: Rms) -> None:
    told = rms("profiles", "assign", "1001", "--max-daily-loss", "500", "--max-profit", "900",
               "--json").json  # fmt: skip
    limits = {"max_daily_loss": 500, "max_profit": 900}
    assert told == {"profile": limits, "outcomes": {"1001": "max_daily_loss 500, max_profit 900"}}
    assert profiles_of(database) == {1001: limits}
    assert rms("profiles", "assign", "1001", "none").out == "1001  its group's limits\n"
    assert profiles_of(database) == {}


def test_a_preset_takes_an_initial_balance(rms: Run, database: Rms) -> None:
    done = rms("profiles", "assign", "1001", "ftmo-2step", "--initial-balance", "50000")
    assert done.out == "1001  ftmo-2step, initial_balance 50000\n"
    assert profiles_of(database) == {1001: {"preset": "ftmo-2step", "initial_balance": 50_000}}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["1001", "nope"], "no profile 'nope', and no such preset"),
        (["1001"], "expected LOGIN... and NAME"),
        (["1001", "7", "strict"], "not known on Test-Server: 7; watch them first"),
        (["1001", "--max-daily-loss", "-5"], "amount"),
        (["1001", "--max-daily-loss", "nan"], "amount"),
        (["x", "strict"], "'x'"),
        (["1001", "nope", "--initial-balance", "5"], "no preset 'nope'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_and_nothing_is_written(
    rms: Run, database: Rms, words: list[str], why: str
) -> None:
    done = rms("profiles", "assign", *words)
    assert (done.status, done.out) == (2, "")
    assert why in done.err
    assert done.err.count("\n") == 1
    assert profiles_of(database) == {}
