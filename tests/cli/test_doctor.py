"""What `doctor` finds of what a desk serves and sends, before it does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.api.scripts import environment

NOWHERE = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200"


def found(folder: Path, toml: str = "", **environ: str) -> dict[str, tuple[str, str]]:
    """Grade and finding of each line."""
    (folder / "rms.toml").write_text(toml)
    done = subprocess.run(
        [sys.executable, "-m", "rms_tui", "doctor", "--json"],
        cwd=folder,
        env=environment(RMS_DATA_DIR=str(folder / "data"), RMS_MONGODB_URI=NOWHERE, **environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, ""), "there is no MongoDB"
    assert "s3cret" not in done.stdout
    return {line["what"]: (line["grade"], line["found"]) for line in json.loads(done.stdout)}


def test_a_desk_that_serves_and_sends_nothing_is_sound(tmp_path: Path) -> None:
    lines = found(tmp_path)
    assert lines["WebSocket"] == ("OK", "ws://127.0.0.1:8765, this machine only, no token")
    assert lines["notifications"] == ("OK", "none: no [[notify]] in rms.toml")
    assert lines["MongoDB"][0] == "FAIL"


def test_an_address_that_would_not_be_served_and_a_url_that_would_not_be_taken_fail(
    tmp_path: Path,
) -> None:
    table = '[[notify]]\nname = "desk"\nurl = "fax://s3cret"\n'
    lines = found(tmp_path, table, WS_HOST="0.0.0.0", RMS_WS_TOKEN="s3cret-0123456789")
    assert lines["WebSocket"][0] == "FAIL"
    assert "without TLS" in lines["WebSocket"][1]
    assert lines["notifications"][0] == "FAIL"
    assert "notify.desk.url: not a URL of a service" in lines["notifications"][1]
