"""A file is there whole, or as it was before."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from rms_tui.whole_file import in_words, write_whole


def test_a_new_file_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.json", b"{}")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.json": b"{}"}


def test_a_file_that_is_there_is_kept_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    write_whole(path, b"new", replace=True)
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == {"a.json": b"new"}


def test_a_file_that_appears_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    flushed = os.fsync

    def somebody_else_writes(number: int) -> None:
        flushed(number)
        path.write_bytes(b"theirs")

    monkeypatch.setattr(os, "fsync", somebody_else_writes)
    with pytest.raises(FileExistsError):
        write_whole(path, b"ours")
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == {"a.json": b"theirs"}


def test_a_full_disk_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_whole(path, b"new", replace=True)
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == {"a.json": b"old"}
    assert in_words(caught.value, path) == f"{path}: No space left on device"


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes of POSIX")
def test_a_link_is_followed_and_the_umask_is_honoured(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "real" / "a.json")
    before = os.umask(0o027)
    try:
        write_whole(link, b"{}")
    finally:
        os.umask(before)
    written = tmp_path / "real" / "a.json"
    assert written.read_bytes() == b"{}"
    assert stat.S_IMODE(written.stat().st_mode) == 0o640
    assert link.is_symlink()


def test_what_is_no_plain_file_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a plain file") as caught:
        write_whole(tmp_path, b"", replace=True)
    assert in_words(caught.value, tmp_path) == f"{tmp_path}: not a plain file"


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    nowhere = tmp_path / "no" / "a.json"
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(nowhere, b"")
    assert in_words(caught.value, nowhere) == f"{nowhere}: there is no folder {nowhere.parent}"
    assert "another name" in in_words(FileExistsError(), nowhere)
    assert "not allowed" in in_words(PermissionError(), nowhere)
