"""The stylesheet is found wherever rms-tui runs from: a checkout, a wheel, an sdist."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
UV = shutil.which("uv")

pytestmark = pytest.mark.skipif(UV is None, reason="uv is not on PATH")

FIND = "from rms_tui.tui.stylesheet import stylesheet; p = stylesheet(); p.read_text(); print(p)"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [str(UV), "build", "--quiet", "--out-dir", str(out), str(ROOT)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


def found_from(path: Path) -> Path:
    """Where a process that imports rms_tui from `path` alone finds the stylesheet."""
    code = f"import sys; sys.path.insert(0, {str(path)!r}); {FIND}"
    environ = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/",
        env=environ,
    )  # fmt: skip
    return Path(done.stdout.strip())


def test_a_checkout_uses_the_one_at_its_top():
    assert found_from(ROOT / "src").resolve() == ROOT / "rms.tcss"


def test_a_wheel_carries_it_inside_the_package(built, tmp_path):
    wheel, _ = built
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
        packed.extractall(tmp_path)
    assert "rms_tui/rms.tcss" in names
    assert not any(name.startswith(("tests", "benchmarks")) for name in names)
    assert found_from(tmp_path) == tmp_path / "rms_tui" / "rms.tcss"
    assert found_from(tmp_path).read_text() == (ROOT / "rms.tcss").read_text()


def test_an_sdist_has_it_at_its_top_and_builds_the_same_wheel(built, tmp_path):
    wheel, sdist = built
    with tarfile.open(sdist) as packed:
        packed.extractall(tmp_path, filter="data")
    top = next(tmp_path.iterdir())
    assert found_from(top / "src") == top / "rms.tcss"
    out = tmp_path / "again"
    subprocess.run(
        [str(UV), "build", "--quiet", "--wheel", "--out-dir", str(out), str(top)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    with zipfile.ZipFile(next(out.glob("*.whl"))) as again, zipfile.ZipFile(wheel) as first:
        assert set(again.namelist()) == set(first.namelist())


def test_nothing_tracked_names_a_host_a_machine_or_a_secret():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"uv.lock", ".env", "rms.toml", "rms.log"} & set(tracked)
