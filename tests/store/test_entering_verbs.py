"""`base` and `peak` against a real mongod: entered, not used, refused."""

from __future__ import annotations

import time

import numpy as np
import pytest
from pymongo import UpdateOne
from shell import Run
from tests.risk.desk import Chain, book, plan

from rms_tui.risk.clock import last_rollover
from rms_tui.risk.days import SERVER_DAY
from rms_tui.risk.memory_rows import memory_rows
from rms_tui.store.database import Rms

RULES = (
    {"rule": "daily_loss", "base": "equity", "amount": 500},
    {"rule": "trailing_drawdown", "peak": "equity", "amount": 500},
    {"rule": "trailing_drawdown", "peak": "balance", "amount": 500},
)


@pytest.fixture
def watched(database: Rms, monkeypatch: pytest.MonkeyPatch) -> str:
    """Account 1001 as a desk left it a second ago: its day base and peaks are unknown."""
    monkeypatch.setenv("RMS_SOURCE", "terminal")
    monkeypatch.setenv("MT5_PATH", "terminal64.exe")
    monkeypatch.setenv("MT5_SERVER", "Test-Server")
    now = time.time() - 1
    chain = Chain(plan(*RULES, initial_balance=10_000))
    chain.see(book([{"balance": 10_500, "equity": 10_400}], at=now, deals_known=False))
    assert chain.memory is not None
    row = memory_rows(chain.memory, np.arange(1))[0]
    database.memory.bulk_write(
        [UpdateOne({"_id": "Test-Server/1001"}, {"$set": {**row, "server": "Test-Server"}}, True)]
    )
    midnight = last_rollover(SERVER_DAY, now, 0.0)
    assert midnight is not None
    return time.strftime("%Y-%m-%dT%H:%M+00:00", time.gmtime(midnight))


def test_base_says_for_each_day_that_it_is_used(rms: Run, database: Rms, watched: str) -> None:
    done = rms("base", "1001", "--balance", "10000", "--equity", "9900", "--at", watched)
    assert (done.status, done.err) == (0, "")
    assert "day from 00:00 server: used\n" in done.out
    assert "nobody watches" not in done.out
    assert database.audit.find_one({"action": "base"})["base"]["equity"] == 9900


@pytest.mark.parametrize("base", [["--at", "yesterday"], ["--at", "2026-03-02T00:00"]])
@pytest.mark.usefixtures("watched")
def test_base_refuses_what_is_no_instant(rms: Run, base: list[str]) -> None:
    done = rms("base", "1001", "--balance", "1", "--equity", "1", *base)
    assert done.status == 2
    assert "expected a" in done.err


def test_base_names_the_days_there_are_and_accounts_there_are_not(rms: Run, watched: str) -> None:
    for at in ("2020-01-01T00:00Z", "2199-01-01T00:00Z", "0001-01-01T00:00+14:00"):
        wrong = rms("base", "1001", "--balance", "1", "--equity", "1", "--at", at)
        assert (wrong.status, watched[:16] in wrong.err) == (2, True)
    other = rms("base", "7", "--balance", "1", "--equity", "1", "--at", watched)
    assert (other.status, "account 7 has not been watched on Test-Server" in other.err) == (2, True)
    for figure in ("nan", "inf", "-1", "1e15"):
        odd = rms("base", "1001", "--balance", figure, "--equity", "1", "--at", watched)
        assert (odd.status, f"--balance {float(figure):g}: expected an amount" in odd.err) == (
            2, True,
        )  # fmt: skip


def test_a_base_the_server_vouches_for_is_not_written_and_the_status_says_so(
    rms: Run, database: Rms, watched: str
) -> None:
    database.memory.update_one(
        {"_id": "Test-Server/1001"},
        {"$set": {"days.0.origin": 4, "days.0.balance": 10_100.0, "days.0.equity": 10_050.0}},
    )
    words = ("base", "1001", "--balance", "10000", "--equity", "9900", "--at", watched)
    done = rms(*words)
    assert done.status == 1
    assert "not used, the server says balance 10 100.00, equity 10 050.00" in done.out
    told = rms(*words, "--json")
    assert (told.status, told.json["outcomes"][0]["used"]) == (1, False)
    assert database.audit.count_documents({}) == 0


@pytest.mark.usefixtures("watched")
def test_a_peak_is_entered_by_what_it_is_of(rms: Run, database: Rms) -> None:
    done = rms("peak", "1001", "--equity", "11000", "--balance", "10900", "--json")
    assert done.status == 0
    assert [(one["peak"], one["used"]) for one in done.json["outcomes"]] == [
        ("equity", True),
        ("balance", True),
    ]
    rows = {row["peak"]["source"]: row["peak"]["value"] for row in database.audit.find()}
    assert rows == {"equity": 11_000, "balance": 10_900}


@pytest.mark.usefixtures("watched")
def test_a_peak_that_cannot_be_is_refused_in_one_line(rms: Run, database: Rms) -> None:
    for words, why in (
        (["1001"], "which peak? expected one of --equity, --balance"),
        (["1001", "--equity", "inf"], "--equity inf: expected an amount"),
        (["1001", "--eod-balance", "1"], "--eod-balance: no rule of 1001 follows that peak"),
        (["7", "--equity", "1"], "account 7 has not been watched on Test-Server yet"),
    ):
        done = rms("peak", *words)
        assert (done.status, done.out) == (2, "")
        assert why in done.err
        assert done.err.count("\n") == 1
    assert database.audit.count_documents({}) == 0


@pytest.mark.usefixtures("watched")
def test_an_account_nobody_watches_now_is_said(rms: Run, database: Rms) -> None:
    database.memory.update_one(
        {"_id": "Test-Server/1001"}, {"$set": {"last.at": time.time() - 3600}}
    )
    assert "nobody watches it now" in rms("peak", "1001", "--equity", "11000").out
