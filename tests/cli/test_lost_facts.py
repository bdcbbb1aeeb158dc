"""A dealer who quits while MongoDB is down is told what nobody else will know."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rms_tui.cli.console import _say_lost


@pytest.mark.parametrize(
    ("state", "waiting", "said"),
    [("down", 3, True), ("down", 0, False), ("starting", 3, False), ("connected", 1, False)],
)
def test_facts_that_are_lost_are_counted_after_the_console(state, waiting, said, capsys):
    _say_lost(SimpleNamespace(state=state, waiting=waiting))
    assert ("3 facts" in capsys.readouterr().err) == said


def test_a_desk_without_a_database_lost_nothing(capsys):
    _say_lost(None)
    assert capsys.readouterr().err == ""
