"""`keys.toml`: where it is looked for, what is refused before the screen, and `rms-tui keys`."""

from __future__ import annotations

import json

import pytest

from rms_tui.cli import main
from rms_tui.cli.keys import console_keys, keys_file
from rms_tui.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("RMS_KEYS", raising=False)
    return tmp_path


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code or 0


def settings(**values):
    return Settings(**values)


def test_without_a_file_the_keys_are_as_they_come():
    assert console_keys(settings()) == {}


def test_the_working_folder_comes_before_the_users_own_and_rms_keys_before_both(folder):
    own = folder / "config" / "rms-tui" / "keys.toml"
    own.parent.mkdir(parents=True)
    own.write_text('"desk.add" = "f7"\n')
    assert keys_file(settings()) == own
    here = folder / "keys.toml"
    here.write_text('"desk.add" = "f5"\n')
    assert keys_file(settings()) == here
    other = folder / "other.toml"
    other.write_text('"desk.add" = "f6"\n')
    assert console_keys(settings(rms_keys=other)) == {"desk.add": "f6"}


@pytest.mark.parametrize("text", ['"desk.add" = "f5"', 'desk.add = "f5"', '[desk]\nadd = ["f5"]'])
def test_an_id_may_be_written_in_each_of_tomls_ways(folder, text):
    (folder / "keys.toml").write_text(text)
    assert console_keys(settings()) == {"desk.add": "f5"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"desk.add" = ', "keys.toml: not valid TOML"),
        ('"desk.ad" = "x"', "keys.toml: desk.ad: no such id"),
        ('"desk.add" = "d"', "keys.toml: desk.add: d is taken by desk.remove"),
        ('"desk.add" = "hyperspace"', "keys.toml: desk.add: no key is called"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_before_there_is_a_screen(folder, capsys, text, said):
    (folder / "keys.toml").write_text(text)
    assert run("keys") == 2
    told = capsys.readouterr()
    assert said in told.err
    assert str(folder) in told.err
    assert told.out == ""


def test_a_file_that_was_asked_for_must_be_there(folder):
    with pytest.raises(SettingsError, match=r"RMS_KEYS=.*no such file"):
        keys_file(settings(rms_keys=folder / "none.toml"))


def test_keys_lists_ids_with_their_keys(folder, capsys):
    (folder / "keys.toml").write_text('"desk.add" = ["f5", "A"]\n')
    assert run("keys") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "* desk.add             f5 A             Add accounts" in lines
    assert run("keys", "--json") == 0
    found = {one["id"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["desk.add"]["keys"] == ["f5", "A"]
    assert found["desk.filter"] == {
        "id": "desk.filter", "keys": ["slash"], "does": "Filter this pane", "own": False,
    }  # fmt: skip
