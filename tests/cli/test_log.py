"""rms.log: it rotates, and what the disk or Windows refuses costs no line that can be kept."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from rms_tui.cli.log import Rotating


def logged(handler: Rotating, texts: list[str]) -> None:
    for text in texts:
        handler.emit(logging.LogRecord("rms_tui", logging.INFO, "", 0, text, None, None))
    handler.close()


def test_it_begins_a_new_file_and_keeps_some_old_ones(tmp_path: Path) -> None:
    file = tmp_path / "rms.log"
    logged(Rotating(file, maxBytes=30, backupCount=2), [f"line {n} of twenty" for n in range(20)])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["rms.log", "rms.log.1", "rms.log.2"]
    assert file.read_text().endswith("line 19 of twenty\n")


def test_a_file_that_cannot_be_moved_is_written_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def held_by_another(source: str, dest: str) -> None:
        raise PermissionError(13, "The process cannot access the file", source, 32, dest)

    file = tmp_path / "rms.log"
    handler = Rotating(file, maxBytes=30, backupCount=2)
    handler.rotator = held_by_another
    lines = [f"line {n} of twenty" for n in range(20)]
    logged(handler, lines)
    assert file.read_text().splitlines() == lines
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs /dev/full")
def test_a_full_disk_prints_no_stack_trace(tmp_path: Path) -> None:
    (tmp_path / "rms.log").symlink_to("/dev/full")
    code = (
        "import logging; from pathlib import Path; from rms_tui.cli.log import begin_log; "
        "from rms_tui.settings import load; "
        f"settings = load({{'RMS_DATA_DIR': {str(tmp_path)!r}}}, environ={{}}).settings; "
        "begin_log(settings, on_console=True); logging.info('hello')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert [line.rpartition(": ")[2] for line in done.stderr.splitlines()] == ["hello"]
