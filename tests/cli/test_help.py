"""Help that teaches, examples that hold, completion that knows the words."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from rms_tui.cli import app
from rms_tui.cli.examples import EXAMPLES

ROOT: Any = get_command(app)


def verbs(group: Any = ROOT, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs(command, f"{before}{name} ")
        else:
            yield before + name, command


VERBS = dict(verbs())


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_ends_its_help_with_examples(name: str) -> None:
    assert "Example" in (VERBS[name].epilog or ""), f"{name}: a row in cli/examples.py, please"


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_and_option_says_what_it_does(name: str) -> None:
    command = VERBS[name]
    assert command.help
    unsaid = [p.name for p in command.params if p.name != "help" and not getattr(p, "help", "")]
    assert not unsaid


SOURCE = {"--demo", "--source", "--accounts", "--seed", "--prices", "--interval"}
STORED = {"--mongodb", "--env-file"}


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("replay", {"--env-file"}),
        ("assess", {"--env-file"}),
        ("keys", {"--env-file"}),
        ("profiles list", {"--env-file"}),
        ("alerts", STORED),
        ("element list", STORED),
        ("element add", STORED | {"--source"}),
        ("doctor", STORED | {"--demo", "--source", "--prices"}),
        ("add", STORED | SOURCE - {"--interval"}),
        ("supervise", STORED | {"--interval"}),
        ("snapshot", STORED | SOURCE),
        ("start", STORED | SOURCE),
    ],
)
def test_help_lists_the_shared_options_that_change_something_there(
    name: str, listed: set[str]
) -> None:
    command = VERBS[name]
    words = command.get_help(command.make_context(name, [], resilient_parsing=True)).split()
    assert (SOURCE | STORED) & set(words) == listed


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_takes_the_shared_options_after_it_too(name: str) -> None:
    taken = {option for p in VERBS[name].params for option in p.opts}
    assert taken >= SOURCE | STORED


@pytest.mark.parametrize("name", VERBS)
def test_an_argument_is_called_in_capitals_in_the_line_of_usage(name: str) -> None:
    command = VERBS[name]
    usage = command.get_usage(command.make_context(name, [], resilient_parsing=True))
    called = usage.partition("[OPTIONS]")[2].replace("none", "")
    assert called == called.upper()


def groups(group: Any = ROOT) -> Iterator[Any]:
    yield group
    for command in group.commands.values():
        if hasattr(command, "commands"):
            yield from groups(command)


@pytest.mark.parametrize("group", groups(), ids=lambda group: group.name)
def test_a_list_of_verbs_cuts_no_sentence_off(group: Any) -> None:
    width = 80 - 4 - max(map(len, group.commands))
    for name, command in group.commands.items():
        said = command.get_short_help_str(width)
        assert not said.endswith("..."), f"{name}: say it in {width} letters, then more"


@pytest.mark.parametrize(
    "typed", [typed for name, rows in EXAMPLES.items() if name in VERBS for typed, _ in rows]
)
def test_an_example_is_what_its_verb_understands(typed: str) -> None:
    words = shlex.split(typed.partition("<")[0].replace("\\", "\\\\"))
    group: Any = ROOT
    while hasattr(group, "commands"):
        group = group.commands[words.pop(0)]
    context = group.make_context("rms-tui", words)
    assert context.params


@pytest.mark.parametrize("name", sorted(set(VERBS) - {"start", "websocket", "supervise", "worker"}))
def test_every_verb_that_prints_speaks_json(name: str) -> None:
    always = {"assess", "replay"}  # JSON by itself, and a console
    options = {option for p in VERBS[name].params for option in p.opts}
    assert name in always or "--json" in options


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("sn", {"snapshot", "snooze"}),
        ("--source ", {"manager", "terminal", "simulator", "replay", "fleet"}),
        ("snapshot --source sim", {"simulator"}),
        ("export --what ", {"accounts", "positions", "exposure", "alerts"}),
        ("export --format ", {"json", "csv"}),
        ("profiles show own", {"own-limits"}),
        ("profiles show ftmo-2", {"ftmo-2step"}),
        ("assess --profile own", {"own-limits"}),
        ("alerts --rule daily", {"daily_loss"}),
        ("--mongodb ", {"embedded"}),
    ],
)
def test_completion_offers_verbs_sources_tables_rules_and_profiles(
    tmp_path: Path, line: str, offered: set[str]
) -> None:
    (tmp_path / "rms.toml").write_text(
        '[profile.own-limits]\n[[profile.own-limits.rules]]\nrule = "open_positions"\ncount = 5\n'
    )
    done = subprocess.run(
        [sys.executable, "-c", "from rms_tui.cli import main; main([])"], cwd=tmp_path,
        env={**os.environ, "_RMS_TUI_COMPLETE": "complete_bash", "COMP_WORDS": f"rms-tui {line}",
             "COMP_CWORD": str(len(line.split(" ")))},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert set(done.stdout.split()) == offered, done.stderr


def test_a_wrong_rms_toml_does_not_spoil_completion(tmp_path: Path) -> None:
    (tmp_path / "rms.toml").write_text("[[")
    done = subprocess.run(
        [sys.executable, "-c", "from rms_tui.cli import main; main([])"], cwd=tmp_path,
        env={**os.environ, "_RMS_TUI_COMPLETE": "complete_bash",
             "COMP_WORDS": "rms-tui profiles show ftmo-2", "COMP_CWORD": "3"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout.split(), done.stderr) == (["ftmo-2step"], "")
