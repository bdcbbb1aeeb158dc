"""The terminal of end-to-end tests; without tmux they skip and say so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.tmux import Terminal


@pytest.fixture
def terminal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    width, height = getattr(request, "param", (160, 48))
    opened = Terminal(tmp_path, width, height)
    folder = tmp_path / "home"
    folder.mkdir()
    opened.type(
        f"cd {folder}; export HOME={folder} XDG_STATE_HOME={folder} PS1='$ '; clear", "Enter"
    )
    yield opened
    opened.close()
