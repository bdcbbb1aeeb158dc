"""Monitor as a program uses it: over a feed that a test moves, and over real child processes."""

from __future__ import annotations

import gc
import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.feeds import NOW, PLAN, FakeFeed, book

from rms_tui import FeedError, Frame, Monitor, NotWatched, SettingsError, Stage
from rms_tui.alerts import AlertEvent
from rms_tui.export import ExportError
from rms_tui.frame import FeedState, Health
from rms_tui.monitor import Monitor as Poller

PATIENCE = 10.0


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own environment or working folder."""
    import os

    for name in list(os.environ):
        if name.startswith(("RMS_", "MT5_", "WS_", "MARGIN_", "MAX_LOSS")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def over(feed: FakeFeed | None = None, interval: float = 0.05) -> Monitor:
    poller = Poller(feed or FakeFeed(book(shock=60.0)), PLAN, clock=lambda: NOW, interval=interval)
    return Monitor.over(poller, operator="bot@host")


@pytest.fixture
def demo() -> Iterator[Monitor]:
    with Monitor(demo=True, accounts=12, seed=3, interval=0.1) as monitor:
        monitor.wait()
        yield monitor


def test_a_question_before_the_start_polls_once_and_again_when_asked_again() -> None:
    monitor = over()
    assert monitor.frame is None
    assert monitor.stats()["total_updates"] == 0
    snapshot = monitor.snapshot(70_100)
    assert snapshot["account"]["login_id"] == 70_100
    assert snapshot["trades"]["trade_count"] == 5
    monitor.exposure()
    assert monitor.stats()["total_updates"] == 2
    assert not monitor.running
    monitor.stop()


def test_unknown_figures_compare_as_false_and_no_margin_is_infinite() -> None:
    made = book(3)
    margin, equity = made.accounts.margin.copy(), made.accounts.equity.copy()
    margin[0], equity[1] = 0.0, math.nan
    from dataclasses import replace

    level = made.accounts.margin_level.copy()
    level[0], level[1] = 0.0, math.nan
    margin[1] = 100.0
    accounts = replace(made.accounts, margin=margin, equity=equity, margin_level=level)
    monitor = over(FakeFeed(replace(made, accounts=accounts)))
    snapshots = monitor.snapshots()
    flat, unknown = (snapshots[login]["account"] for login in (70_100, 70_101))
    assert flat["margin_level"] == math.inf
    assert math.isnan(unknown["margin_level"])
    assert math.isnan(unknown["equity"])
    assert not unknown["margin_level"] < 150
    assert [one["account"]["login_id"] for one in monitor.updates()] == list(snapshots)


def test_frames_are_the_newest_ones_and_end_with_stop() -> None:
    feed = FakeFeed(book())
    with over(feed) as monitor:
        frames = monitor.frames()
        first = next(frames)
        with monitor._poller.frames._changed:
            assert monitor._poller.frames._changed.wait_for(
                lambda: monitor._poller.frames.count > first.seq + 3, PATIENCE
            )
        second = next(frames)
        assert second.seq > first.seq + 3
        stopper = threading.Thread(target=monitor.stop)
        stopper.start()
        rest = list(frames)
        stopper.join(PATIENCE)
    assert not monitor.running
    assert all(frame.seq >= second.seq for frame in rest)


def test_frames_need_a_monitor_that_runs() -> None:
    with pytest.raises(RuntimeError, match=r"start\(\) it"):
        over().frames()


def test_a_stopped_monitor_says_that_it_is_over() -> None:
    monitor = over()
    monitor.start()
    monitor.start()
    monitor.stop()
    monitor.stop()
    for call in (monitor.start, monitor.wait, monitor.snapshots):
        with pytest.raises(RuntimeError, match="stopped"):
            call()
    assert "stopped" in repr(monitor)


def test_a_callback_gets_frames_updates_and_health_in_threads_of_its_own() -> None:
    feed = FakeFeed(book(5))
    monitor = over(feed)
    frames: list[Frame] = []
    updates: list[int] = []
    states: list[FeedState] = []
    threads: set[str] = set()
    came, stale = threading.Event(), threading.Event()

    @monitor.on_frame
    def framed(frame: Frame) -> None:
        frames.append(frame)
        threads.add(threading.current_thread().name)
        if len(frames) > 2 and updates:
            came.set()

    @monitor.on_update
    def updated(accounts: list[dict[str, object]]) -> None:
        updates.append(len(accounts))

    @monitor.on_health
    def changed(health: Health) -> None:
        states.append(health.state)
        if health.error == "gone":
            stale.set()

    with monitor:
        assert came.wait(PATIENCE)
        feed.error = FeedError("connection", "gone")
        assert stale.wait(PATIENCE)
    assert updates[0] == 5
    assert states[0] is FeedState.LIVE
    assert threads == {next(iter(threads))}
    assert next(iter(threads)).startswith("rms-callback-")
    assert [frame.seq for frame in frames] == sorted({frame.seq for frame in frames})


def test_every_alert_event_is_heard_in_order_also_one_of_the_program_itself() -> None:
    monitor = over()
    heard: list[AlertEvent] = []
    acknowledged = threading.Event()

    @monitor.on_alert
    def told(event: AlertEvent) -> None:
        heard.append(event)
        if event.change == "raised":
            monitor.acknowledge(event.alert.id, "seen by the bot")
        if event.change == "acknowledged":
            acknowledged.set()

    with monitor:
        assert acknowledged.wait(PATIENCE)
        alert = next(a for a in monitor.alerts() if a.stage is Stage.ACKNOWLEDGED)
    assert (alert.operator, alert.note) == ("bot@host", "seen by the bot")
    raised = [event.alert.id for event in heard if event.change == "raised"]
    assert len(raised) == len(set(raised)) > 1


def test_a_callback_that_raises_is_logged_once_and_called_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    monitor = over()
    calls = 0
    again = threading.Event()

    @monitor.on_frame
    def broken(_: Frame) -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            again.set()
        raise ValueError("my own mistake")

    with monitor:
        assert again.wait(PATIENCE)
        assert monitor.running
    said = [record for record in caplog.records if "my own mistake" in (record.exc_text or "")]
    assert len(said) == 1
    assert "broken failed; it is called again" in said[0].getMessage()


def test_a_callback_that_ends_the_program_ends_nothing() -> None:
    monitor = over()
    again = threading.Event()
    calls: list[int] = []

    @monitor.on_frame
    def leaves(frame: Frame) -> None:
        calls.append(frame.seq)
        if len(calls) > 1:
            again.set()
        sys.exit(3)

    with monitor:
        assert again.wait(PATIENCE)


def test_a_callback_that_hangs_is_named_and_holds_up_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    poller = Poller(FakeFeed(book()), PLAN, clock=lambda: NOW, interval=0.05)
    monitor = Monitor.over(poller, hangs=0.1)
    release, stuck, others = threading.Event(), threading.Event(), threading.Event()
    seen: list[int] = []

    @monitor.on_frame
    def hangs(_: Frame) -> None:
        stuck.set()
        release.wait(PATIENCE * 3)

    @monitor.on_frame
    def works(frame: Frame) -> None:
        seen.append(frame.seq)
        if any("hangs has not returned" in r.getMessage() for r in caplog.records):
            others.set()

    with monitor:
        assert stuck.wait(PATIENCE)
        assert others.wait(PATIENCE)
        count = len(seen)
        assert count > 1
    release.set()
    said = [record for record in caplog.records if "has not returned" in record.getMessage()]
    assert len(said) == 1


def test_a_callback_can_be_taken_off_and_put_on_while_it_runs() -> None:
    came = threading.Event()

    def late(_: Frame) -> None:
        came.set()

    with over() as monitor:
        monitor.on_frame(late)
        assert came.wait(PATIENCE)
        assert monitor.off(late)
        assert not monitor.off(late)


def test_a_source_that_refuses_is_one_clear_error() -> None:
    feed = FakeFeed(None, error=FeedError("authorisation", "refused login 1001"))
    from rms_tui.feed import FeedStatus

    feed.status = FeedStatus("down", "waiting", NOW, "refused login 1001", "authorisation")
    monitor = over(feed)
    with pytest.raises(FeedError, match="refused login 1001"):
        monitor.snapshots()
    with monitor, pytest.raises(FeedError, match="refused login 1001"):
        monitor.wait()


def test_a_silent_source_is_given_up_in_time() -> None:
    monitor = over(FakeFeed(None))
    with pytest.raises(FeedError, match=r"gave no accounts within 0.1 s: syncing accounts"):
        monitor.wait(0.1)
    with monitor, pytest.raises(FeedError, match=r"gave no accounts within 0.1 s"):
        monitor.wait(0.1)


def test_an_account_that_is_not_watched_is_named() -> None:
    with pytest.raises(NotWatched, match="account 1 is not among the 60 watched"):
        over().snapshot(1)


def test_an_export_is_rmss_json_or_a_table(tmp_path: Path) -> None:
    monitor = over()
    monitor.export("all.json")
    whole = json.loads((tmp_path / "all.json").read_text())
    assert whole.keys() == {"timestamp", "stats", "accounts", "exposure"}
    assert whole["stats"]["running"] is False
    monitor.export(tmp_path / "held.csv", what="positions")
    assert (tmp_path / "held.csv").read_text("utf-8-sig").startswith("login_id,name,group,ticket")
    with pytest.raises(FileExistsError):
        monitor.export("all.json")
    monitor.export("all.json", force=True)
    with pytest.raises(ExportError, match="expected json or csv"):
        monitor.export("all.xml")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "no source of accounts is configured"),
        ({"source": "mt4"}, "expected one of manager, terminal"),
        ({"source": "manager"}, "MT5_HOST"),
        ({"demo": True, "accounts": 0}, "expected 1 to 100000"),
        ({"demo": True, "interval": 0}, "RMS_UPDATE_INTERVAL=0"),
        ({"demo": True, "env_file": "nope.env"}, "no such file"),
    ],
)
def test_wrong_settings_are_said_before_anything_starts(
    given: dict[str, object], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        Monitor(**given)  # type: ignore[arg-type]


def test_accounts_come_and_go_and_their_snapshots_with_them(demo: Monitor) -> None:
    logins = sorted(demo.snapshots())
    assert len(logins) == 12
    first, second, third, *_ = logins
    assert demo.remove(first) == {first: "removed"}
    assert first not in demo.snapshots()
    assert demo.add(first, 1) == {first: "added", 1: "not on the server"}
    assert demo.snapshot(first)["account"]["login_id"] == first
    demo.watch(second, third, 1)
    assert sorted(demo.snapshots()) == [second, third]
    assert demo.known(first, 1) == {first}


def test_positions_and_deals_are_of_who_was_asked_for(demo: Monitor) -> None:
    held = demo.positions()
    assert {position["login_id"] for position in held} <= set(demo.snapshots())
    one = held[0]
    assert {p["symbol"] for p in demo.positions(symbol=one["symbol"])} == {one["symbol"]}
    assert {p["login_id"] for p in demo.positions(login=one["login_id"])} == {one["login_id"]}
    assert demo.positions(symbol="nope") == []
    exposure = demo.exposure(one["symbol"])
    assert exposure.keys() == {one["symbol"]}
    assert exposure[one["symbol"]]["positions"] == len(demo.positions(symbol=one["symbol"]))
    assert demo.currencies()["USD"].keys() == {"net", "notional"}
    deals = demo.deals(one["login_id"])
    assert [deal["time"] for deal in deals] == sorted(deal["time"] for deal in deals)


def test_the_interval_changes_while_it_runs(demo: Monitor) -> None:
    demo.interval = 0.2
    assert demo.interval == demo.stats()["update_interval"] == 0.2
    with pytest.raises(ValueError, match=r"expected 0.05 to 3600"):
        demo.interval = 0


def test_logins_given_at_the_start_are_the_only_ones() -> None:
    everyone = Monitor(demo=True, accounts=12, seed=3)
    logins = sorted(everyone.snapshots())[:2]
    everyone.stop()
    with Monitor(demo=True, accounts=12, seed=3, logins=logins) as monitor:
        assert sorted(monitor.snapshots()) == logins


def test_a_monitor_that_nobody_holds_any_more_leaves_no_process() -> None:
    monitor = Monitor(demo=True, accounts=3)
    monitor.wait()
    child = psutil.Process(monitor._poller.feed.status.pid)
    del monitor
    gc.collect()
    child.wait(PATIENCE)


def test_a_script_that_forgets_to_stop_ends_by_itself(tmp_path: Path) -> None:
    code = (
        "from rms_tui import Monitor\n"
        "monitor = Monitor(demo=True, accounts=3)\n"
        "monitor.start(); print(len(monitor.snapshots()), monitor._poller.feed.status.pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    accounts, pid = done.stdout.split()
    assert (accounts, done.stderr) == ("3", "")
    assert not psutil.pid_exists(int(pid))


def test_importing_rms_tui_imports_nothing_else(tmp_path: Path) -> None:
    code = (
        "import sys; before = set(sys.modules); import rms_tui; assert 'Monitor' in dir(rms_tui)\n"
        "print(*(name for name in sys.modules if name.startswith('rms_tui')))\n"
        "assert not {'numpy', 'pydantic', 'textual', 'pymongo'} & set(sys.modules)\n"
        "for name in rms_tui.__all__: getattr(rms_tui, name)\n"
        "assert not {'textual', 'pymongo', 'websockets'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["rms_tui"]


def test_a_name_that_is_not_public_is_said_as_python_says_it() -> None:
    import rms_tui

    with pytest.raises(AttributeError, match="module 'rms_tui' has no attribute 'Moniter'"):
        rms_tui.Moniter  # noqa: B018  # the attribute is what is tested
    assert set(rms_tui._FROM) | {"__version__"} == set(rms_tui.__all__)
