"""`assess`, `profiles`, and limits that are read again while the desk runs."""

from __future__ import annotations

import io
import itertools
import json
import os
import sys

import pytest

from rms_tui.cli import main
from rms_tui.cli.assess import print_rows
from rms_tui.settings import SettingsError, load
from rms_tui.timeline import read
from rms_tui.wiring.reload import PlanWatch

LESSON = {
    "profile": {"initial_balance": 200_000, "zone": "Europe/Prague", "rules": [
        {"rule": "daily_loss", "base": "balance", "percent": 5, "boundary": "exclusive"}]},
    "timeline": [
        {"time": "2026-03-02T09:00:00+01:00", "balance": 200_000, "equity": 200_000},
        {"time": "2026-03-03T00:00:00+01:00", "balance": 204_000, "equity": 191_000},
    ],
}  # fmt: skip
GOOD = '[profile.funded]\npreset = "ftmo-2step"\ninitial_balance = 50000\n'
BAD = '[profile.funded]\npreset = "ftmo-2step"\ninitial_balanc = 50000\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lesson.json").write_text(json.dumps(LESSON))
    return tmp_path


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code or 0


@pytest.mark.usefixtures("folder")
def test_assess_prints_one_object_a_row(capfdbinary):
    assert run("assess", "lesson.json") == 0
    rows = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [row["rules"][0]["limit"] for row in rows] == [190_000, 194_000]


def test_assess_reads_stdin_and_judges_by_another_profile(folder, capfdbinary, monkeypatch):
    text = io.TextIOWrapper(io.BytesIO(json.dumps(LESSON).encode()))
    monkeypatch.setattr(sys, "stdin", text)
    (folder / "own.toml").write_text('[profile]\npreset = "ftmo-2step"\n')
    assert run("assess", "-", "--profile", "own.toml") == 0
    rows = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [rule["rule"] for rule in rows[0]["rules"]] == [
        "daily_loss", "total_loss", "profit_target",
    ]  # fmt: skip
    assert rows[1]["rules"][1]["limit"] == 180_000


def test_assess_reads_what_windows_editors_write_and_a_profile_of_any_file_name(
    folder, capfdbinary
):
    (folder / "lesson.json").write_text(json.dumps(LESSON), "utf-8-sig")
    (folder / "own").write_text(json.dumps({"profile": LESSON["profile"]}), "utf-8-sig")
    assert run("assess", "lesson.json", "--profile", "own") == 0
    assert len(capfdbinary.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("own.json", b'{"rules": [{"rule": "total_loss", "percent": 10, "percent": 90}]}',
         "own.json: rules.0: key 'percent' is written twice in one object"),
        ("own.json", b'{"rules": [', "own.json: not valid JSON: "),
        ("own.toml", b"rules = [", "own.toml: not valid TOML: "),
        ("own.toml", b"\xff", "own.toml: expected a profile, TOML or JSON in UTF-8"),
        ("own.toml", None, "own.toml: cannot be read: No such file or directory"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_profile_is_refused_with_its_name_and_the_reason(
    folder, capfd, name, text, named
):
    if text is not None:
        (folder / name).write_bytes(text)
    assert run("assess", "lesson.json", "--profile", name) == 2
    said = capfd.readouterr()
    assert (said.out, said.err[: len("rms-tui: " + named)]) == ("", "rms-tui: " + named)


def test_what_a_file_brings_into_a_refusal_is_never_obeyed_by_the_terminal(folder, capfd):
    (folder / "\x1b[2J.json").write_text("{}")
    assert run("assess", "\x1b[2J.json") == 2
    assert capfd.readouterr().err.startswith("rms-tui: �[2J.json: profile: expected")


def test_how_far_a_long_timeline_is_is_said_on_a_terminal_while_its_rows_go_elsewhere(
    capfdbinary, monkeypatch
):
    """The clock goes on by a second a row."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    print_rows(read(json.dumps(LESSON), "lesson.json"), itertools.count(0.0).__next__)
    sys.stdout.buffer.flush()
    said = capfdbinary.readouterr()
    assert len(said.out.splitlines()) == 2
    assert b"rms-tui: 2026-03-02T23:00:00.000Z, 100% read" in said.err


@pytest.mark.usefixtures("folder")
def test_where_there_is_no_rms_toml_check_does_not_call_it_valid(folder, capfd):
    (folder / "rms.toml").unlink(missing_ok=True)
    assert run("profiles", "check") == 0
    assert capfd.readouterr().out.startswith(f"no rms.toml in {folder}: 1 profile, of the")


@pytest.mark.usefixtures("folder")
def test_a_caution_above_critical_is_refused_with_file_and_key(folder, capfd):
    (folder / "rms.toml").write_text(
        "[[profile.funded.rules]]\nrule = 'total_loss'\namount = 5\ncaution = 0.98\n"
    )
    assert run("profiles", "check") == 2
    assert "rms.toml: profile.funded.rules.0.total_loss: caution 0.98" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("written", "named"),
    [("{", "not valid JSON"), (json.dumps({**LESSON, "extra": 1}), "extra")],
)
def test_assess_refuses_a_wrong_file_with_status_2(folder, capfd, written, named):
    (folder / "wrong.json").write_text(written)
    assert run("assess", "wrong.json") == 2
    said = capfd.readouterr().err
    assert "wrong.json" in said
    assert named in said


@pytest.mark.usefixtures("folder")
def test_assess_names_a_missing_file_and_an_unknown_profile(capfd):
    assert run("assess", "none.json") == 2
    assert run("assess", "lesson.json", "--profile", "nobody") == 2
    said = capfd.readouterr().err
    assert "none.json" in said
    assert "nobody" in said


def test_profiles_are_listed_with_the_presets(folder, capfdbinary):
    (folder / "rms.toml").write_text(GOOD)
    assert run("profiles", "list", "--json") == 0
    shape = json.loads(capfdbinary.readouterr().out)
    assert "funded" in [one["name"] for one in shape["profiles"]]
    assert len(shape["presets"]) >= 12


@pytest.mark.usefixtures("folder")
def test_a_preset_is_shown_with_its_sources(capfdbinary):
    assert run("profiles", "show", "ftmo-2step", "--json") == 0
    shape = json.loads(capfdbinary.readouterr().out)
    assert shape["sources"][0].startswith("https://academy.ftmo.com")
    assert shape["profile"]["rules"][0]["percent"] == 5


def test_check_names_file_and_key_and_ends_with_status_2(folder, capfd):
    (folder / "other.toml").write_text(BAD)
    assert run("profiles", "check", "other.toml") == 2
    assert "other.toml: profile.funded.initial_balanc: unknown key" in capfd.readouterr().err
    (folder / "rms.toml").write_text(GOOD)
    assert run("profiles", "check", "--json") == 0
    assert json.loads(capfd.readouterr().out)["valid"] is True


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ('default_profile = "zz"\n', "default_profile: no profile 'zz': there are limits"),
        ('[[assign]]\nprofile = "zz"\ngroups = "*"\n', "assign.0.profile: no profile 'zz'"),
        ('[[assign]]\nprofile = "limits"\n', "assign.0: expected groups"),
        ('[[assign]]\nprofile = "limits"\nlogins = ["x"]\n', "assign.0.logins.0: expected a"),
        ("assign = 3\n", "assign: expected tables"),
        ('[profile.a]\nzone = "UTC"\n', "profile.a.rules: missing key"),
        ("[profile.a]\n[[profile.a.rules]]\namount = 3\n", "profile.a.rules.0.rule: missing key"),
    ],
)
def test_what_nobody_could_mean_is_refused_with_file_and_key(folder, capfd, written, named):
    (folder / "bad.toml").write_text(written)
    assert run("profiles", "check", "bad.toml") == 2
    assert f"bad.toml: {named}" in capfd.readouterr().err


def test_an_unknown_preset_is_named_with_its_file(folder, capfd):
    (folder / "rms.toml").write_text('[profile.x]\npreset = "nobody"\n')
    assert run("profiles", "check") == 2
    assert "profile.x.preset: no preset 'nobody'" in capfd.readouterr().err


class Judged:
    """The part of a monitor that a plan is given to."""

    def __init__(self, plan):
        self.plan, self.error = plan, None

    def set_plan(self, plan, error=None):
        self.plan = self.plan if plan is None else plan
        self.error = error


def written(path, text, stamp):
    path.write_text(text)
    os.utime(path, ns=(stamp, stamp))


def test_limits_are_read_again_and_a_bad_edit_keeps_the_old_ones(folder):
    path = folder / "rms.toml"
    written(path, GOOD, 1_000_000_000)
    monitor = Judged(load(environ={}).plan)
    watch = PlanWatch(path, lambda: load(environ={}).plan, monitor)
    before = monitor.plan
    assert not watch.look()

    written(path, BAD, 2_000_000_000)
    assert watch.look()
    assert monitor.plan is before
    assert "initial_balanc" in monitor.error

    written(path, GOOD.replace("50000", "60000"), 3_000_000_000)
    assert watch.look()
    assert monitor.error is None
    assert monitor.plan.profiles[1].initial_balance == 60_000
    assert not watch.look()

    saved = "\n[[scenarios]]\nname = 'Risk off'\nmoves = { JPY = 5 }\n"
    written(path, GOOD + saved, 4_000_000_000)
    assert watch.look()
    assert monitor.plan.scenario("Risk off").moves == {"JPY": 5.0}


def test_a_bad_file_at_the_start_is_refused(folder):
    (folder / "rms.toml").write_text(BAD)
    with pytest.raises(SettingsError, match="initial_balanc"):
        load(environ={})
