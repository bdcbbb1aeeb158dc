"""Runs a program that uses the Python API, in a folder and an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fakes.fake_world import default_world, midday_offset

ROOT = Path(__file__).resolve().parents[2]
FAKES = ROOT / "tests" / "fakes"
OURS = ("RMS_", "MT5_", "WS_", "MARGIN_LEVEL_", "MAX_LOSS_")

MANAGER = {
    "RMS_SOURCE": "manager",
    "MT5_HOST": "prod-1",
    "MT5_MANAGER_USER": "1000",
    "MT5_MANAGER_PASS": "manager-secret",
    "PYTHONPATH": str(FAKES),
}
DEMO = {"RMS_SOURCE": "simulator"}


def environment(**more: str) -> dict[str, str]:
    """This process's environment without anything of rms-tui's, and with `more`."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(OURS) and name != "PYTHONPATH"
    }
    return {**clean, "PYTHONUNBUFFERED": "1", **more}


def midday_zone() -> str:
    """A `TZ` in which it is about noon now: no midnight comes while a test runs."""
    ahead = midday_offset(time.time()) // 3600
    return f"MID{-ahead:+d}"  # POSIX counts hours behind UTC


def world(folder: Path, margin: float = 3_600.0) -> Path:
    """A world for the fake manager in which account 1002 uses this much margin."""
    made: dict[str, Any] = default_world()
    account = made["manager"]["accounts"][1]
    account |= {
        "Margin": margin,
        "MarginFree": account["Equity"] - margin,
        "MarginLevel": account["Equity"] / margin * 100,
    }
    path = folder / "world.json"
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def ran(
    script: Path | str, *arguments: str, folder: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """The finished run of a script, or of code."""
    program = [str(script)] if isinstance(script, Path) else ["-c", script]
    return subprocess.run(
        [sys.executable, *program, *arguments], cwd=folder, env=environment(**environ),
        capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
