"""`rms-tui export` as a user runs it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.api.scripts import MANAGER, ran

Run = Callable[..., "CompletedProcess[str]"]
SIMULATOR = ("--source", "simulator", "--accounts", "12", "--seed", "7")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def rms(*words: str, **environ: str) -> CompletedProcess[str]:
        code = "import sys; from rms_tui.cli import main; main(sys.argv[1:])"
        settings = {"RMS_DATA_DIR": str(tmp_path / "data"), **environ}
        return ran(code, *words, folder=tmp_path, environ=settings)

    return rms


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_json_holds_what_the_other_verbs_show(run: Run, tmp_path: Path) -> None:
    done = run("export", *SIMULATOR, "-o", "all.json")
    assert (done.returncode, done.stdout) == (0, "written: all.json (12 accounts)\n"), done.stderr
    made = json.loads((tmp_path / "all.json").read_text())
    assert made.keys() == {"timestamp", "stats", "accounts", "exposure"}
    assert made["accounts"] == json.loads(run("snapshot", *SIMULATOR, "--json").stdout)
    assert made["exposure"] == json.loads(run("exposure", *SIMULATOR, "--json").stdout)
    assert made["stats"] == json.loads(run("stats", *SIMULATOR, "--json").stdout)


def test_csv_holds_one_table(run: Run, tmp_path: Path) -> None:
    counts = {}
    for what in ("accounts", "positions", "exposure"):
        done = run("export", *SIMULATOR, "-o", f"{what}.csv", "--what", what, "--json")
        said = json.loads(done.stdout)
        assert said["what"] == what
        counts[what] = said["rows"]
        assert len(rows(tmp_path / f"{what}.csv")) == said["rows"] > 0
    assert counts["accounts"] == 12


def test_a_name_that_is_a_formula_arrives_as_text(run: Run, tmp_path: Path) -> None:
    world = json.dumps({"manager": {"users": [
        {"Login": 1001, "Group": "real\\USD", "Name": "=HYPERLINK(\"http://x\")", "Rights": 355,
         "Leverage": 100, "BalancePrevDay": 0.0, "EquityPrevDay": 0.0, "PhonePassword": "",
         "OTPSecret": ""},
    ]}})  # fmt: skip
    (tmp_path / "world.json").write_text(world)
    done = run("export", "-o", "a.csv", **MANAGER, RMS_FAKE_WORLD=str(tmp_path / "world.json"))
    assert done.returncode == 0, done.stderr
    named = {row["login_id"]: row["name"] for row in rows(tmp_path / "a.csv")}
    assert named["1001"] == '\'=HYPERLINK("http://x")'


def test_the_alerts_of_mongodb_can_be_exported(run: Run, tmp_path: Path) -> None:
    done = run("export", "-o", "alerts.csv", "--what", "alerts")
    assert (done.returncode, done.stdout) == (0, "written: alerts.csv (0 alerts)\n"), done.stderr
    assert (tmp_path / "alerts.csv").read_text("utf-8-sig").startswith("id,login_id,server,")


def test_a_file_that_is_there_is_replaced_with_force_only(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mine")
    refused = run("export", *SIMULATOR, "-o", "a.csv")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "rms-tui: export: a.csv exists: another name, or --force\n"
    assert path.read_text() == "mine"
    assert run("export", *SIMULATOR, "-o", "a.csv", "--force").returncode == 0
    assert len(rows(path)) == 12


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("-o", "a.xlsx"), 2, "ending .xlsx: expected json or csv"),
        (("-o", "a"), 2, "a has no ending: expected json or csv"),
        (("-o", "a.csv", "--what", "trades"), 2, "expected one of accounts, positions"),
        (("-o", "a.json", "--what", "alerts"), 2, "JSON holds everything"),
        (("-o", "a.csv", "--format", "xml"), 2, "format 'xml': expected json or csv"),
        (("-o", "no/a.csv"), 2, "export: no/a.csv: there is no folder no: make it first"),
        (("-o", "no/a.csv", "--force"), 2, "there is no folder no"),
        ((), 2, "Missing option"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(
    run: Run, tmp_path: Path, words: tuple[str, ...], status: int, said: str
) -> None:
    done = run("export", *SIMULATOR, *words)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert {path.name for path in tmp_path.iterdir()} <= {"data"}
