"""get_rms_instance as its users call it, against the simulated broker."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.scripts import DEMO, MANAGER, OURS, ran

from rms_tui import Rms

PATIENCE = 10.0


@pytest.fixture
def rms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rms]:
    import os

    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RMS_SOURCE", "simulator")
    monkeypatch.chdir(tmp_path)
    made = Rms(0.1)
    yield made
    made.stop()


def test_before_initialize_everything_says_what_to_do(rms: Rms) -> None:
    for call in (
        rms.start,
        rms.get_all_accounts_snapshot,
        rms.get_total_exposure_by_symbol,
        lambda: rms.add_account(1),
        lambda: rms.remove_account(1),
        lambda: rms.get_account_snapshot(1),
        lambda: rms.get_positions_by_symbol("EURUSD"),
        lambda: rms.export_data("x.json"),
    ):
        with pytest.raises(RuntimeError, match=r"call initialize\(\) first"):
            call()
    assert rms.stop() is True
    stats = rms.get_stats()
    assert (stats["running"], stats["total_updates"], stats["update_interval"]) == (False, 0, 0.1)


def test_the_first_added_account_narrows_the_desk_to_those_added(rms: Rms) -> None:
    assert rms.initialize() is True
    assert rms.initialize() is True
    everyone = list(rms.get_all_accounts_snapshot())
    assert len(everyone) == 250
    first, second = everyone[:2]
    assert rms.add_account(first) is True
    assert rms.add_account(second) is True
    assert rms.add_account(second) is True
    assert sorted(rms.get_all_accounts_snapshot()) == [first, second]
    assert rms.remove_account(first) is True
    assert rms.remove_account(second) is True
    assert rms.get_all_accounts_snapshot() == {}


def test_what_cannot_be_is_false_or_none_and_said(
    rms: Rms, caplog: pytest.LogCaptureFixture
) -> None:
    rms.initialize()
    assert rms.add_account(1) is False
    assert rms.last_error == "account 1 is not on the server"
    assert len(rms.get_all_accounts_snapshot()) == 250
    assert rms.remove_account(1) is False
    assert rms.get_account_snapshot(1) is None
    assert rms.export_data("no/such/folder.json") is False
    assert "there is no folder no/such" in str(rms.last_error)
    said = [record.getMessage() for record in caplog.records]
    assert any(text.startswith("get_account_snapshot: account 1 is not among") for text in said)


def test_a_callback_gets_the_list_of_an_update_after_each_poll(rms: Rms) -> None:
    came = threading.Event()
    lists: list[list[dict[str, Any]]] = []

    def on_update(accounts: list[dict[str, Any]]) -> None:
        lists.append(accounts)
        if len(lists) > 2:
            came.set()

    rms.add_callback(on_update)
    rms.initialize()
    rms.start()
    assert came.wait(PATIENCE)
    assert rms.get_stats()["running"] is True
    one = lists[0][0]
    assert one.keys() == {"account", "positions", "trades_summary"}
    assert one["trades_summary"].keys() == {"trade_count", "last_update"}
    levels = [a["account"]["margin_level"] for a in lists[0]]
    assert math.inf in levels
    assert all(isinstance(level, float) for level in levels)


def test_accounts_added_before_the_start_are_there_from_the_first_answer_on(rms: Rms) -> None:
    rms.initialize()
    logins = list(rms.get_all_accounts_snapshot())[:3]
    heard: list[int] = []
    came = threading.Event()

    def on_update(accounts: list[dict[str, Any]]) -> None:
        heard.append(len(accounts))
        came.set()

    for login in logins:
        assert rms.add_account(login)
    rms.start()
    rms.add_callback(on_update)
    assert rms.get_account_snapshot(logins[-1]) is not None
    assert len(rms.get_all_accounts_snapshot()) == 3
    assert came.wait(PATIENCE)
    assert set(heard) == {3}


def test_after_a_stop_it_can_be_initialized_again_and_calls_back_again(rms: Rms) -> None:
    came = threading.Semaphore(0)
    rms.add_callback(lambda _: came.release())
    for _ in range(2):
        assert rms.initialize()
        assert rms.start() is True
        assert came.acquire(timeout=PATIENCE)
        assert rms.stop() is True


def test_the_shapes_are_those_of_the_older_scripts(rms: Rms, tmp_path: Path) -> None:
    rms.initialize()
    login, snapshot = next(iter(rms.get_all_accounts_snapshot().items()))
    assert isinstance(login, int)
    assert snapshot.keys() == {"account", "positions", "trades"}
    assert {
        "login_id", "balance", "equity", "margin", "free_margin", "margin_level", "profit",
        "group", "leverage", "status", "last_update",
    } <= snapshot["account"].keys()  # fmt: skip
    assert snapshot["positions"].keys() == {
        "login_id", "positions", "position_count", "symbols", "last_update",
    }  # fmt: skip
    assert snapshot["trades"].keys() == {
        "login_id", "trade_count", "trades", "daily_stats", "last_update",
    }  # fmt: skip
    exposure = rms.get_total_exposure_by_symbol()
    symbol = next(iter(exposure))
    assert {"volume", "accounts", "positions"} <= exposure[symbol].keys()
    held = rms.get_positions_by_symbol(symbol)
    assert isinstance(held, list)
    assert {"login_id", "symbol", "type", "volume", "profit"} <= held[0].keys()
    assert rms.export_data(tmp_path / "any.name") is True


def test_the_instance_is_the_same_for_the_whole_process(tmp_path: Path) -> None:
    code = (
        "from rms_tui import get_rms_instance\n"
        "first = get_rms_instance(update_interval=3)\n"
        "assert get_rms_instance() is first\n"
        "assert first.get_stats()['update_interval'] == 3\n"
        "get_rms_instance(update_interval=7); first.initialize()\n"
        "print(first.get_stats()['update_interval'])\n"
    )
    done = ran(code, folder=tmp_path, environ=DEMO)
    assert (done.stdout, done.stderr) == ("7.0\n", "")


def test_without_an_interval_the_environment_says_it(tmp_path: Path) -> None:
    code = (
        "from rms_tui import get_rms_instance\n"
        "rms = get_rms_instance(); rms.initialize(); print(rms.get_stats()['update_interval'])\n"
    )
    (tmp_path / ".env").write_text("RMS_UPDATE_INTERVAL=9\n")
    assert ran(code, folder=tmp_path, environ=DEMO).stdout == "9.0\n"
    (tmp_path / ".env").unlink()
    assert ran(code, folder=tmp_path, environ=MANAGER).stdout == "5.0\n"
    assert ran(code, folder=tmp_path, environ=DEMO).stdout == "5.0\n"


def test_no_mongod_is_started(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from rms_tui import get_rms_instance\n"
        "rms = get_rms_instance(0.1); rms.initialize(); rms.start()\n"
        "rms.get_all_accounts_snapshot(); rms.stop(); print('pymongo' in sys.modules)\n"
    )
    done = ran(code, folder=tmp_path, environ={**DEMO, "RMS_DATA_DIR": str(tmp_path / "data")})
    assert (done.stdout, done.stderr) == ("False\n", "")
    assert not (tmp_path / "data").exists()
