"""`--source fleet` where there is no console: one line that says what to do instead."""

from __future__ import annotations

import pytest

from rms_tui.cli import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--source", "fleet"], "element list --watch"),
        (["snapshot", "--source", "fleet"], "source fleet is for the console"),
        (["start", "--source", "FLEET"], "source fleet is for the console"),
    ],
)
def test_it_says_what_to_do_instead(
    words: list[str],
    said: str,
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main(words)
    told = capfd.readouterr().err
    assert ended.value.code == 2
    assert said in told
    assert "Traceback" not in told
    assert told.count("\n") == 1


def test_doctor_looks_at_the_database_of_a_fleet(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setenv("RMS_DATA_DIR", str(tmp_path))
    with pytest.raises(SystemExit):
        main(["doctor", "--source", "fleet"])
    told = capfd.readouterr().out
    assert "source: a fleet, in MongoDB" in told
    assert "FAIL  settings" not in told
