"""What would have breached: the live verdicts by the recorded limits, honest ones by any other."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from tests.recording.taped import NOON, TIGHT, Demo

from rms_tui.cli import main
from rms_tui.cli.progress import Progress
from rms_tui.feed import FeedError, FeedStatus
from rms_tui.recording.judged import Summary, Turns
from rms_tui.recording.reader import open_recording
from rms_tui.recording.replayed import Replayed
from rms_tui.risk.profile import Plan, RiskProfile
from rms_tui.risk.verdict import State

LOOSE = RiskProfile.model_validate(
    {
        "name": "loose",
        "rules": [
            {"rule": "max_loss", "amount": -150},
            {"rule": "daily_loss", "base": "equity", "percent": 2, "of": "base",
             "zone": "America/New_York", "rollover": "17:00"},
        ],
    }
)  # fmt: skip


def turns_of(frames):
    turns = Turns()
    return [repr(turn) for frame in frames for turn in turns.of(frame)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "desk.rec"


def recorded(path, plan=TIGHT, warm=0, polls=40):
    demo = Demo(plan)
    demo.run(warm)
    del demo.frames[:]
    recorder = demo.recorder(path)
    recorder.start()
    demo.run(polls)
    recorder.stop()
    return demo


def test_by_the_recorded_limits_every_change_is_the_live_one(path):
    demo = recorded(path, warm=7)
    live = turns_of(demo.frames)
    assert len(live) > 100
    assert turns_of(Replayed(open_recording(path)).frames()) == live


def test_naming_the_recorded_profile_gives_the_live_verdicts_too(path):
    both = Plan(
        profiles=(*TIGHT.profiles, LOOSE.model_copy(update={"name": "other"})), default="tight"
    )
    demo = recorded(path, both, warm=7)
    again = list(Replayed(open_recording(path), plan=TIGHT).frames())
    assert turns_of(again) == turns_of(demo.frames)
    for live, replayed in zip(demo.frames, again, strict=True):
        for one, other in zip(live.assessment.verdicts, replayed.assessment.verdicts, strict=True):
            assert np.array_equal(one.state, other.state)
            assert np.array_equal(one.limit, other.limit, equal_nan=True)
            assert np.array_equal(one.used, other.used, equal_nan=True)


def test_other_limits_are_judged_as_a_desk_that_began_then_would_have(path):
    plan = Plan(profiles=(LOOSE,), default="loose")
    recorded(path, polls=30)
    fresh = Demo(plan)
    fresh.run(30)
    replayed = list(Replayed(open_recording(path), plan=plan).frames())
    assert turns_of(replayed) == turns_of(fresh.frames)
    assert turns_of(replayed)


def test_a_source_that_is_silent_is_no_change(path):
    demo = Demo()
    recorder = demo.recorder(path)
    recorder.start()
    demo.run(5)
    before = len(turns_of(demo.frames))
    demo.feed.error = FeedError("connection", "unreachable")
    demo.feed.status = FeedStatus("down", "waiting", demo.now, "unreachable")
    demo.run(5)
    recorder.stop()
    assert len(turns_of(Replayed(open_recording(path)).frames())) == before


def test_the_summary_says_who_breached_when_first_how_often_and_how_far(path):
    demo = recorded(path)
    summary, turns = Summary(), Turns()
    for frame in Replayed(open_recording(path)).frames():
        summary.see(frame)
        for turn in turns.of(frame):
            summary.turn(turn)
    assert summary.breaches
    for (login, key), breach in summary.breaches.items():
        worst, times, was, first = 0.0, 0, False, None
        for frame in demo.frames:
            at = [one.key for one in frame.assessment.scope.applied].index(key)
            verdict = frame.assessment.verdicts[at]
            row = int(np.searchsorted(frame.book.accounts.login, login))
            now = verdict.state[row] == State.BREACHED
            times += now and not was
            first = frame.at if now and first is None else first
            worst = max(worst, float(verdict.used[row])) if now else worst
            was = now
        assert (breach.times, breach.first.at) == (times, first)
        assert breach.worst_used == worst
        assert (breach.until is None) == was


def run(tmp_path, *words):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("RMS_", "MT5_", "WS_"))}
    return subprocess.run(
        [sys.executable, "-m", "rms_tui", *words],
        cwd=tmp_path,
        env=clean | {"RMS_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_the_verb_prints_each_change_as_json_and_a_summary(path, tmp_path):
    demo = recorded(path)
    done = run(tmp_path, "assess", "--recording", str(path), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
    turns = Turns()
    live = [turn for frame in demo.frames for turn in turns.of(frame)]
    assert [(one["login"], one["key"], one["state"]) for one in lines] == [
        (turn.login, turn.key, turn.state.word) for turn in live
    ]
    assert last["summary"]["polls"] == 40
    assert last["summary"]["accounts"] == 40
    assert not (tmp_path / "data" / "mongodb").exists(), "no database for a recording"


def test_the_verb_tells_people_what_breached(path, tmp_path):
    recorded(path)
    profile = tmp_path / "mine.toml"
    profile.write_text('[[rules]]\nrule = "max_loss"\namount = -150\n')
    done = run(tmp_path, "assess", "--recording", str(path), "--profile", str(profile))
    assert done.returncode == 0
    assert "max_loss  BREACHED  value" in done.stdout
    assert "40 polls of 40 accounts, judged by" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("assess",), "expected a timeline FILE, or --recording FILE"),
        (("assess", "--recording", "none.rec"), "none.rec: no such recording"),
        (("assess", "--recording", "broken.rec"), "broken.rec: at byte 0: not a recording"),
        (("assess", "--recording", "desk.rec", "--profile", "nobody"), "no such profile"),
        (("replay", "none.rec"), "none.rec: no such recording"),
        (("replay", "desk.rec"), "needs a terminal"),
        (("replay", "desk.rec", "--speed", "0"), "--speed 0: expected 0.1 to 10000"),
        (("replay", "desk.rec", "--from", "9h", "--snapshot"), "the recording is from 2026-01-05"),
        (("replay", "desk.rec", "--from", "soon", "--snapshot"), "--from soon: expected"),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2(path, tmp_path, monkeypatch, capsys, words, said):
    recorded(path, polls=2)
    (tmp_path / "broken.rec").write_bytes(b"no recording at all")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("broken.rec",), "broken.rec: at byte 0: not a recording"),
        (("no/such/x.rec",), "cannot be written: No such file"),
        (("x.rec", "--record-limit", "1"), "--record-limit 1: expected megabytes, 4 or more"),
    ],
)
def test_a_file_that_cannot_be_recorded_into_is_said_before_anything_starts(tmp_path, words, said):
    (tmp_path / "broken.rec").write_bytes(b"no recording at all")
    done = run(tmp_path, "start", "--demo", "--record", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_snapshot_of_a_recording_is_the_accounts_as_they_were(path, tmp_path):
    demo = recorded(path)
    done = run(tmp_path, "replay", str(path), "--snapshot", "--from", "10s")
    shape = json.loads(done.stdout)
    frame = next(frame for frame in demo.frames if frame.at == NOON + 11)
    assert shape["time"] == "2026-01-05T10:00:11.000Z"
    for row, login in enumerate(frame.book.accounts.login.tolist()):
        assert shape["accounts"][str(login)]["account"]["equity"] == pytest.approx(
            frame.book.accounts.equity[row], abs=0.005
        )


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_said_on_a_terminal_once_it_takes_longer_than_a_second(
    terminal, capsys, monkeypatch
):
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    clock = [0.0]
    progress = Progress(NOON, NOON + 100, lambda: clock[0])
    progress.at(NOON + 1)
    assert capsys.readouterr().err == ""
    clock[0] = 1.2
    progress.at(NOON + 25)
    progress.at(NOON + 26)
    said = "rms-tui: 2026-01-05T10:00:25.000Z, 25% read\r" if terminal else ""
    assert capsys.readouterr().err == said
    progress.done()
    assert capsys.readouterr().err == "\n" * terminal
