"""GatewayProcess with real child processes that work, hang, crash, refuse and are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import odd_gateways
import psutil
import pytest
from pydantic import SecretStr

from rms_tui.feed import FeedError, FeedStatus, Selection
from rms_tui.gateways import SimulatorSpec, TerminalSpec
from rms_tui.gateways.pipe import Opener
from rms_tui.gateways.process import GatewayProcess, Limits

SECRET = "s3cret-Pa55"
SPEC = TerminalSpec(path="C:/mt5/terminal64.exe", login=7, password=SecretStr(SECRET))
QUICK = Limits(
    heartbeat=0.05,
    silence=1.5,
    connecting_silence=20.0,
    call=5.0,
    retry_first=0.05,
    retry_longest=0.2,
    refused_first=60.0,
)
PATIENCE = 10.0


@pytest.fixture
def run() -> Iterator[Callable[..., GatewayProcess]]:
    """Starts gateway processes and closes them afterwards."""
    started: list[GatewayProcess] = []

    def start(opener: Opener, limits: Limits = QUICK) -> GatewayProcess:
        process = GatewayProcess(SPEC, limits=limits, opener=opener)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.close()


def when(process: GatewayProcess, true: Callable[[FeedStatus], bool]) -> FeedStatus:
    """The first status of which this is true; fails after PATIENCE."""
    with process._changed:
        assert process._changed.wait_for(lambda: true(process.status), PATIENCE), process.status
        return process.status


def gone(pid: int) -> bool:
    """Whether that process ends within PATIENCE."""
    try:
        psutil.Process(pid).wait(PATIENCE)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def test_a_book_crosses_the_pipe_and_unchanged_columns_stay_the_same_objects(run):
    process = run(odd_gateways.steady)
    first, second = process.read(PATIENCE), process.read(PATIENCE)
    assert first.accounts.login.tolist() == [1, 2, 3, 4, 5]
    assert first.server_offset == 7200.0
    assert second.accounts.equity.tolist() == [1002.0] * 5
    assert second.accounts.login is first.accounts.login
    assert second.accounts.name is first.accounts.name
    assert second.positions is first.positions
    assert second.symbols is first.symbols
    assert second.deals.ticket.tolist() == [0, 1]
    assert second.deals.symbol == ("EURUSD", "EURUSD")


def test_columns_that_came_through_the_pipe_are_read_only(run):
    book = run(odd_gateways.steady).read(PATIENCE)
    with pytest.raises(ValueError, match="read-only"):
        book.accounts.equity[0] = 1.0


def test_status_tells_phase_what_it_does_and_pid(run):
    process = run(odd_gateways.steady)
    assert process.status.phase != "down"
    process.read(PATIENCE)
    status = process.status
    assert (status.phase, status.error, status.restarts) == ("live", None, 0)
    assert status.pid is not None
    assert psutil.pid_exists(status.pid)


def test_reading_before_start_is_refused_at_once():
    process = GatewayProcess(SPEC, opener=odd_gateways.steady)
    with pytest.raises(FeedError, match="not started"):
        process.read(PATIENCE)


def test_a_killed_child_is_started_again_and_columns_keep_their_identity(run):
    process = run(odd_gateways.steady)
    before = process.read(PATIENCE)
    pid = process.status.pid
    os.kill(pid, signal.SIGKILL)
    down = when(process, lambda s: s.phase == "down" or s.restarts == 1)
    if down.phase == "down":
        assert down.cause == "crashed"
        assert "SIGKILL" in down.error
        assert down.next_attempt is not None
    when(process, lambda s: s.phase == "live" and s.restarts == 1)
    after = process.read(PATIENCE)
    assert process.status.pid != pid
    assert after.accounts.login is before.accounts.login
    assert after.positions is before.positions


def test_a_read_fails_at_once_while_the_source_is_down(run):
    process = run(odd_gateways.refuses)
    when(process, lambda s: s.phase == "down")
    with pytest.raises(FeedError, match="login refused") as raised:
        process.read(60.0)
    assert raised.value.cause == "authorisation"


def test_a_reader_waiting_for_a_child_that_dies_gets_the_reason(run):
    process = run(odd_gateways.quits)
    with pytest.raises(FeedError, match=r"exit code 3") as raised:
        process.read(PATIENCE)
    assert raised.value.cause == "crashed"


def test_a_call_that_hangs_with_the_gil_held_is_killed_and_the_next_book_comes(
    run, tmp_path, monkeypatch
):
    monkeypatch.setenv("RMS_TEST_MARKER", str(tmp_path / "hung"))
    process = run(odd_gateways.hangs_on_third_read)
    process.read(PATIENCE)
    hanging = process.status.pid
    process.read(PATIENCE)
    with pytest.raises(FeedError, match="no sign of life") as raised:
        process.read(PATIENCE)
    assert raised.value.cause == "hung"
    assert gone(hanging)
    when(process, lambda s: s.phase == "live")
    assert len(process.read(PATIENCE).accounts) == 5
    assert process.status.restarts == 1


def test_a_hang_while_connecting_gets_more_patience_then_ends(run):
    limits = replace(QUICK, silence=0.1, connecting_silence=2.5)
    process = run(odd_gateways.hangs_opening, limits)
    assert when(process, lambda s: s.doing == "waiting for the terminal").phase == "connecting"
    down = when(process, lambda s: s.phase == "down")
    assert down.cause == "hung"
    assert "waiting for the terminal" in down.error


def test_a_read_without_an_answer_is_killed_even_though_the_heart_beats(run):
    process = run(odd_gateways.stuck_reads, Limits(heartbeat=0.05, call=0.4))
    with pytest.raises(FeedError, match="no answer for") as raised:
        process.read(PATIENCE)
    assert raised.value.cause == "hung"


def test_a_late_answer_is_the_next_book_and_nothing_gets_out_of_step(run):
    process = run(odd_gateways.slow_reads)
    when(process, lambda s: s.phase == "live")
    with pytest.raises(FeedError, match="no answer within"):
        process.read(0.01)
    assert process.read(PATIENCE).accounts.equity[0] == 1001.0
    assert process.read(PATIENCE).accounts.equity[0] == 1002.0
    assert process.status.restarts == 0


def test_a_source_that_could_not_answer_this_time_keeps_its_process(run):
    process = run(odd_gateways.sometimes_not)
    pid = when(process, lambda s: s.phase == "live").pid
    for step in (2, 4):
        with pytest.raises(FeedError, match="no answer this time"):
            process.read(PATIENCE)
        assert process.read(PATIENCE).accounts.equity[0] == 1000.0 + step
    assert process.status.phase == "live"
    assert process.status.pid == pid
    assert process.status.restarts == 0


def test_an_exception_in_the_vendors_call_is_told_without_the_password(run):
    process = run(odd_gateways.raises)
    with pytest.raises(FeedError) as raised:
        process.read(PATIENCE)
    assert raised.value.cause == "crashed"
    assert "vendor says no to ***" in raised.value.text
    assert SECRET not in f"{raised.value!r} {process!r} {process.status!r}"


def test_a_missing_package_is_final_and_named(run):
    process = run(odd_gateways.without_package)
    down = when(process, lambda s: s.phase == "down")
    assert down.cause == "missing-package"
    assert "MetaTrader5" in down.error
    assert down.next_attempt is None


def test_a_final_error_is_not_retried_until_started_again(run):
    process = run(odd_gateways.misconfigured)
    down = when(process, lambda s: s.phase == "down")
    assert (down.cause, down.next_attempt) == ("wrong-account", None)
    with pytest.raises(FeedError) as raised:
        process.read(0.0)
    assert raised.value.final
    process.start()
    when(process, lambda s: s.phase == "down" and s.restarts == 1)


def test_a_refused_login_is_retried_slowly(run):
    down = when(run(odd_gateways.refuses), lambda s: s.phase == "down")
    assert down.next_attempt is not None
    assert down.next_attempt - down.since == pytest.approx(60.0, abs=0.5)


def test_pauses_double_up_to_the_longest(run):
    process = run(odd_gateways.quits, Limits(heartbeat=0.05, retry_first=0.01, retry_longest=0.03))
    pauses = []
    for restarts in range(4):
        when(process, lambda s, n=restarts: s.phase == "live" and s.restarts == n)
        with pytest.raises(FeedError):
            process.read(PATIENCE)
        down = process.status
        if down.next_attempt is not None:
            pauses.append(round(down.next_attempt - down.since, 3))
    assert pauses[-1] == pytest.approx(0.03, abs=0.002)
    assert pauses == sorted(pauses)


def test_a_selection_narrows_the_next_book_and_survives_a_restart(run):
    process = run(odd_gateways.steady)
    process.read(PATIENCE)
    process.select(Selection(everything=False, added=frozenset({2, 4, 99})))
    book = process.read(PATIENCE)
    assert book.accounts.login.tolist() == [2, 4]
    assert book.positions.account.tolist() == [0, 1]
    again = process.read(PATIENCE)
    assert again.accounts.login is book.accounts.login
    assert again.positions is book.positions
    os.kill(process.status.pid, signal.SIGKILL)
    when(process, lambda s: s.phase == "live" and s.restarts == 1)
    after = process.read(PATIENCE)
    assert after.accounts.login is book.accounts.login
    process.select(Selection(without=frozenset({2})))
    assert process.read(PATIENCE).accounts.login.tolist() == [1, 3, 4, 5]


def test_a_book_asked_for_before_a_selection_is_not_given_after_it(run):
    process = run(odd_gateways.slow_reads)
    when(process, lambda s: s.phase == "live")
    with pytest.raises(FeedError):
        process.read(0.01)
    process.select(Selection(everything=False, added=frozenset({3})))
    assert process.read(PATIENCE).accounts.login.tolist() == [3]


def test_known_looks_at_all_accounts_watched_or_not(run):
    process = run(odd_gateways.steady)
    process.select(Selection(everything=False, added=frozenset({1})))
    known = process.known([1, 5, 77], PATIENCE)
    assert process.known("*", PATIENCE).found >= known.found
    assert not process.known("nobody\\*", PATIENCE).found
    assert known.found == {1, 5}
    assert known.absent == {77}


def test_history_is_asked_between_reads_and_its_failure_is_not_the_sources(run):
    process = run(odd_gateways.steady)
    process.select(Selection(without=frozenset({5})))
    assert process.history([3, 4], PATIENCE).login.tolist() == [3, 4]
    assert process.history(None, PATIENCE).login.tolist() == [1, 2, 3, 4]
    with pytest.raises(FeedError, match="history of nobody"):
        process.history([], PATIENCE)
    assert len(process.read(PATIENCE).accounts) == 4
    assert process.status.restarts == 0


@pytest.mark.parametrize("_again", range(4))
def test_a_selection_made_while_the_child_is_being_started_is_not_lost(run, _again):
    process = run(odd_gateways.steady)
    chosen, other = Selection(without=frozenset({5})), Selection(without=frozenset({1}))
    while process.status.pid is None:
        chosen, other = other, chosen
        process.select(chosen)
    accounts = process.read(PATIENCE).accounts
    assert set(accounts.login.tolist()) == {1, 2, 3, 4, 5} - chosen.without


def test_questions_of_several_threads_each_get_their_own_answer(run):
    process = run(odd_gateways.steady)
    answers: dict[int, frozenset[int]] = {}

    def ask(login: int) -> None:
        answers[login] = process.known([login], PATIENCE).found

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(1, 6)]
    for thread in threads:
        thread.start()
    process.read(PATIENCE)
    for thread in threads:
        thread.join()
    assert answers == {n: frozenset({n}) for n in range(1, 6)}


@pytest.mark.parametrize(
    "opener", [odd_gateways.steady, odd_gateways.hangs_opening, odd_gateways.stuck_reads]
)
def test_close_ends_the_child_within_a_second_whatever_it_does(run, opener):
    process = run(opener, Limits(heartbeat=0.05))
    status = when(process, lambda s: s.phase == "live" or s.doing == "waiting for the terminal")
    if status.phase == "live" and opener is odd_gateways.stuck_reads:
        with pytest.raises(FeedError):
            process.read(0.01)
    begun = time.monotonic()
    process.close()
    assert time.monotonic() - begun < 1.0
    assert not psutil.pid_exists(status.pid)
    with pytest.raises(FeedError, match="closed"):
        process.read(PATIENCE)
    with pytest.raises(RuntimeError):
        process.start()
    process.close()


def test_close_wakes_a_waiting_reader(run):
    process = run(odd_gateways.stuck_reads, Limits(heartbeat=0.05))
    when(process, lambda s: s.phase == "live")
    raised: list[FeedError] = []

    def wait() -> None:
        try:
            process.read(60.0)
        except FeedError as error:
            raised.append(error)

    reader = threading.Thread(target=wait)
    reader.start()
    process.close()
    reader.join(PATIENCE)
    assert not reader.is_alive()
    assert raised


def test_a_child_stopped_by_the_system_counts_as_hung(run):
    process = run(odd_gateways.steady)
    process.read(PATIENCE)
    pid = process.status.pid
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(FeedError, match="no sign of life"):
        process.read(PATIENCE)
    assert gone(pid)


PARENT = """
import os, sys, time
sys.path.insert(0, {folder!r})
import odd_gateways
from rms_tui.gateways import TerminalSpec
from rms_tui.gateways.process import GatewayProcess
process = GatewayProcess(TerminalSpec("x"), opener=getattr(odd_gateways, {opener!r}))
process.start()
while process.status.phase not in ({phase!r},):
    time.sleep(0.01)
print(process.status.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kill -9 and its signal are Linux's")
@pytest.mark.parametrize(("opener", "phase"), [("steady", "live"), ("hangs_opening", "connecting")])
def test_a_killed_parent_takes_its_child_along_even_one_that_holds_the_gil(opener, phase):
    """Also: a plain script without a `__main__` guard can start one."""
    folder = str(Path(__file__).parent)
    script = PARENT.format(folder=folder, opener=opener, phase=phase)
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    assert gone(child)


def test_no_secret_in_argv_environment_or_repr(run):
    process = run(odd_gateways.steady)
    process.read(PATIENCE)
    child = psutil.Process(process.status.pid)
    listing = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(child.pid)], capture_output=True, text=True
    ).stdout
    assert "rms_tui" in listing
    for text in (listing, " ".join(child.cmdline()), str(child.environ()), repr(process)):
        assert SECRET not in text


def test_what_a_vendor_prints_reaches_neither_terminal_nor_pipe(run, capfd):
    process = run(odd_gateways.chatty)
    assert len(process.read(PATIENCE).accounts) == 5
    assert len(process.read(PATIENCE).accounts) == 5
    process.close()
    assert capfd.readouterr() == ("", "")


def test_it_starts_while_textual_owns_stdout_and_stderr(run, monkeypatch):
    """Textual's stand-ins have no file number, which breaks multiprocessing's spawn."""

    class StandIn:
        def fileno(self) -> int:
            return -1

        def write(self, text: str) -> int:
            return len(text)

        def flush(self) -> None:
            pass

    monkeypatch.setattr(sys, "stdout", StandIn())
    monkeypatch.setattr(sys, "stderr", StandIn())
    assert len(run(odd_gateways.steady).read(PATIENCE).accounts) == 5


def test_the_child_has_no_terminal_and_ignores_ctrl_c(run):
    process = run(odd_gateways.steady)
    process.read(PATIENCE)
    child = psutil.Process(process.status.pid)
    assert child.terminal() is None
    os.kill(child.pid, signal.SIGINT)
    process.read(PATIENCE)
    assert process.status.restarts == 0


def test_the_simulator_runs_in_a_child_by_its_spec_alone():
    process = GatewayProcess(SimulatorSpec(accounts=20, seed=3))
    process.start()
    try:
        first, second = process.read(PATIENCE), process.read(PATIENCE)
    finally:
        process.close()
    assert len(first.accounts) == 20
    assert second.accounts.login is first.accounts.login
    assert second.symbols.bid is not first.symbols.bid
