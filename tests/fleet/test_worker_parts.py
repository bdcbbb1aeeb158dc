"""The small parts of a worker: orders, exits, the wall around its one account, launching."""

from __future__ import annotations

import io
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.feeds import FakeFeed, book

from rms_tui.cli.supervise import worker_options, worker_settings
from rms_tui.feed import Cause, FeedError, FeedStatus
from rms_tui.fleet.exits import Exit, ending_of, in_words
from rms_tui.fleet.launch import arguments
from rms_tui.fleet.one_account import OneAccount
from rms_tui.fleet.orders import Orders
from rms_tui.fleet.tempo import Tempo
from rms_tui.fleet.worker import Outcome, Trouble
from rms_tui.settings import SettingsError, load
from rms_tui.store.claims import Claim, Ending, Patience
from rms_tui.wiring.given import Given

FIRST = 70_100


def test_a_book_has_the_one_account_and_the_element_s_name_of_the_server() -> None:
    feed = OneAccount(FakeFeed(book(5)), FIRST + 2, "broker-LIVE")
    read = feed.read(1.0)
    assert read.accounts.login.tolist() == [FIRST + 2]
    assert read.server == "broker-LIVE"
    assert set(read.positions.account.tolist()) <= {0}


@pytest.mark.parametrize(("login", "server"), [(1, "Broker-Live"), (FIRST, "Broker-Demo")])
def test_a_book_of_another_account_or_server_is_an_error_and_no_book(
    login: int, server: str
) -> None:
    feed = OneAccount(FakeFeed(book(1)), login, server)
    with pytest.raises(FeedError) as refused:
        feed.read(1.0)
    assert refused.value.cause == "wrong-account"
    assert f"expected {login}@{server}" in refused.value.text


def test_orders_come_line_by_line_and_the_end_is_one() -> None:
    orders, looked = Orders(), threading.Event()
    orders.on_look = looked.set
    orders.from_supervisor(io.StringIO("look\nnonsense\n"))
    assert orders.stopped.wait(5)
    assert looked.is_set()
    assert orders.why == "the supervisor is gone"
    told = Orders()
    told.from_supervisor(io.StringIO("stop\nlook\n"))
    assert told.stopped.wait(5)
    assert told.why == "asked to stop"


DOWN = FeedStatus("down", "waiting to try again", 0.0, error="why", next_attempt=1.0)


def after(trouble: Trouble, polls: int, restarts: int, cause: Cause | None = "hung") -> Any:
    return trouble.after(replace(DOWN, restarts=restarts, cause=cause), polls)


def test_a_terminal_that_fails_as_often_in_a_row_without_a_book_is_given_up() -> None:
    trouble = Trouble(3)
    assert after(trouble, 5, 0) is None
    assert after(trouble, 5, 1) is None
    assert after(trouble, 6, 2) is None  # a good Book in between
    assert after(trouble, 6, 3) is None
    assert after(trouble, 6, 4) == Outcome(Exit.TERMINAL, "why")


def test_a_refused_login_is_never_tried_again_by_the_same_worker() -> None:
    assert after(Trouble(3), 0, 0, "authorisation") == Outcome(Exit.AUTHORISATION, "why")


def test_what_cannot_help_to_try_again_is_final() -> None:
    final = replace(DOWN, next_attempt=None, cause="missing-package")
    assert Trouble(3).after(final, 0) == Outcome(Exit.TERMINAL, "why")


def test_a_worker_s_exit_says_what_becomes_of_its_claim() -> None:
    endings = [ending_of(status) for status in (0, 1, 2, 3, 4, 5, 6, -9)]
    assert endings == [
        Ending.RELEASED, Ending.CRASHED, Ending.CRASHED, Ending.RELEASED, Ending.AUTHORISATION,
        Ending.TERMINAL, Ending.DATABASE, Ending.CRASHED,
    ]  # fmt: skip
    assert [in_words(status) for status in (0, 3, -9, 77)] == [
        "released", "fenced", "killed by signal 9", "exit 77",
    ]  # fmt: skip


def test_a_worker_s_command_line_is_the_documented_one() -> None:
    held = Claim("e1", 7, 3, "desk-1", "C:\\MT5\\terminal64.exe")
    assert arguments(held) == [
        "worker", "--element-id", "e1", "--pathway", "C:\\MT5\\terminal64.exe", "--instance", "7",
        "--term", "3",
    ]  # fmt: skip


def test_pauses_double_up_to_the_longest() -> None:
    patience = Patience(first=1.0, longest=300.0, refused=30.0)
    assert [patience.pause(n) for n in (1, 2, 3, 9, 10, 99)] == [1, 2, 4, 256, 300, 300]
    assert [patience.pause(n, patience.refused) for n in (1, 2, 5)] == [30, 60, 300]


def test_a_silence_shorter_than_three_pings_is_refused() -> None:
    with pytest.raises(SettingsError, match="RMS_FLEET_SILENT"):
        load(environ={"RMS_FLEET_SILENT": "20", "RMS_FLEET_PING": "10"})


def test_times_follow_the_settings() -> None:
    tempo = Tempo(ping=4.0, terminal_silence=2.0)
    assert tempo.settled == 12.0
    assert tempo.limits.silence == 2.0
    assert tempo.limits.heartbeat < tempo.limits.silence


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_stood_in_a_pipe_is_told_to_workers_for_whom_it_is_empty(tmp_path: Path) -> None:
    pipe, file = tmp_path / "pipe", tmp_path / "file"
    lines = "MT5_PASSWORD=s3cret\nRMS_FLEET_PING=20\nRMS_DATA_DIR=/srv/rms\n"
    os.mkfifo(pipe)
    file.write_text(lines)
    threading.Thread(target=pipe.write_text, args=(lines,), daemon=True).start()
    piped, read = Given(env_file=pipe), Given(env_file=file)
    found = load({}, env_file=pipe, environ={"MT5_SERVER": "Broker-Live"}, folder=tmp_path)
    assert worker_options(piped) == []
    assert worker_settings(piped, found) == {
        "MT5_PASSWORD": "s3cret", "RMS_FLEET_PING": 20.0, "RMS_DATA_DIR": "/srv/rms",
        "RMS_MONGODB_URI": "embedded",
    }  # fmt: skip
    found = load({}, env_file=file, environ={}, folder=tmp_path)
    assert worker_options(read) == ["--env-file", str(file)]
    assert worker_settings(read, found) == {"RMS_MONGODB_URI": "embedded"}
