"""`add` and `remove` from a shell: the source is asked whether it has the accounts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.api.scripts import MANAGER, environment
from tests.patience import patient

from rms_tui.store.database import Rms

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path, database: Rms, server_uri: str) -> Run:
    def rms(*words: str, **environ: str) -> CompletedProcess[str]:
        settings = {
            **MANAGER, "RMS_MONGODB_URI": patient(server_uri),
            "RMS_MONGODB_DATABASE": database.name, "RMS_DATA_DIR": str(tmp_path / "data"),
            **environ,
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", "rms_tui", *words],
            cwd=tmp_path, env=environment(**settings), capture_output=True, text=True,
            timeout=120, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    return rms


def written(database: Rms) -> dict[int, str]:
    return {one["login"]: one["action"] for one in database.audit.find()}


def test_an_account_that_the_source_does_not_have_is_not_written(run: Run, database: Rms) -> None:
    done = run("add", "1001", "71001-71002", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout) == {
        "1001": "added", "71001": "not on the server", "71002": "not on the server",
    }  # fmt: skip
    assert done.stderr == (
        "rms-tui: 2 of 3 not added: the source has no such account; --force writes it anyway\n"
    )
    assert written(database) == {1001: "add"}


def test_force_writes_what_nobody_was_asked_about(run: Run, database: Rms) -> None:
    done = run("add", "71001", "--force", MT5_MANAGER_PASS="another")
    assert (done.returncode, done.stdout, done.stderr) == (0, "71001  added\n", "")
    again = run("add", "71001")
    assert (again.returncode, again.stdout) == (0, "71001  already added\n")
    assert written(database) == {71001: "add"}


def test_an_account_that_was_added_is_removed_whether_the_source_still_has_it_or_not(
    run: Run, database: Rms
) -> None:
    run("add", "71001", "--force")
    done = run("remove", "71001", "71002")
    assert (done.returncode, done.stdout) == (2, "71001  removed\n71002  not on the server\n")
    assert run("remove", "71001").stdout == "71001  already removed\n"
    rows = database.audit.find({"login": 71001}).sort("at")
    assert [one["action"] for one in rows] == ["add", "remove"]
    assert database.audit.count_documents({"login": 71002}) == 0


def test_an_account_that_is_not_watched_is_not_removed(run: Run) -> None:
    done = run("remove", "1001", RMS_ACCOUNTS="added")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1001  not watched\n", "")


def test_where_the_source_cannot_be_asked_it_is_written_and_said(run: Run, database: Rms) -> None:
    done = run("add", "71001", MT5_MANAGER_PASS="another")
    assert (done.returncode, done.stdout) == (0, "71001  added\n")
    assert done.stderr.startswith("rms-tui: nobody checked that these accounts exist: ")
    assert done.stderr.count("\n") == 1
    assert "another" not in done.stderr
    assert written(database) == {71001: "add"}
