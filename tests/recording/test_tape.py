"""Files that are torn, broken, hostile, full or too big: said with offset and reason, no crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.recording.taped import NOON, Demo, differences, written

from rms_tui.feed import FeedError
from rms_tui.recording import body, disk
from rms_tui.recording.disk import FILE_HEAD, RECORD_HEAD, Kind, Refused, record
from rms_tui.recording.marks import starts_of
from rms_tui.recording.reader import open_recording
from rms_tui.recording.recorder import Recorder
from rms_tui.recording.replayed import Replayed
from rms_tui.recording.tape import Tape, TapeError, parts


@pytest.fixture
def path(tmp_path):
    return tmp_path / "desk.rec"


def recorded(path, polls=8, accounts=6):
    demo = Demo(accounts=accounts)
    recorder = demo.recorder(path)
    recorder.start()
    demo.run(polls)
    recorder.stop()
    return demo


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A small recording with everything in it, and its frames."""
    path = tmp_path_factory.mktemp("sample") / "desk.rec"
    demo = Demo(accounts=6)
    recorder = demo.recorder(path)
    recorder.start()
    demo.run(4)
    demo.monitor.acknowledge(demo.frames[-1].alerts[0].id, "eva", None)
    demo.monitor.history([int(demo.frames[-1].book.accounts.login[0])])
    demo.feed.error = FeedError("hung", "no answer")
    demo.run(1)
    demo.feed.error = None
    demo.run(3)
    recorder.stop()
    return path.read_bytes(), demo.frames


def reads(path, live):
    """Read it all: every frame it gives is the live one. What it is refused for, if it is."""
    said = ""
    try:
        for one, other in zip(live, Replayed(open_recording(path)).frames(), strict=False):
            assert differences(one, other) == []
    except FeedError as error:
        said = error.text
    assert said == "" or said.startswith(f"{path}: ")
    return said


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_file_with_flipped_bytes_is_refused_or_reads_as_it_was(sample, tmp_path, data):
    whole, live = sample
    path = tmp_path / "flipped.rec"
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        broken[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(broken)
    reads(path, live)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_file_cut_anywhere_gives_every_frame_before_the_cut(sample, tmp_path, data):
    whole, live = sample
    path = tmp_path / "cut.rec"
    cut = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(whole[:cut])
    said = reads(path, live)
    assert said == "" or "too short" in said or "no whole poll" in said


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_forged_record_whose_checksums_are_right_is_refused_or_read(sample, tmp_path, data):
    whole, _ = sample
    path = tmp_path / "forged.rec"
    path.write_bytes(forged(whole, data))
    said = ""
    try:
        for _ in Replayed(open_recording(path)).frames():
            pass
    except FeedError as error:
        said = error.text
    assert said == "" or said.startswith(f"{path}: ")


def forged(whole, data):
    """The file with one record's raw body changed, packed and summed as if it were right."""
    out, offset = bytearray(whole[:FILE_HEAD]), FILE_HEAD
    records = []
    while offset < len(whole):
        length, kind = int.from_bytes(whole[offset : offset + 4], "little"), whole[offset + 4]
        start = offset + RECORD_HEAD
        at = float(np.frombuffer(whole, "<f8", 1, offset + 8)[0])
        records.append((Kind(kind), at, whole[start : start + length]))
        offset = start + length
    pick = data.draw(st.integers(0, len(records) - 2))
    for number, (kind, at, packed) in enumerate(records):
        if number == pick and kind not in (Kind.END,):
            raw = bytearray(zlib.decompress(packed[8:]))
            for _ in range(data.draw(st.integers(1, 4))):
                place = data.draw(st.integers(0, len(raw) - 1))
                raw[place] = data.draw(st.integers(0, 255))
            packed = len(raw).to_bytes(4, "little") + bytes(4) + zlib.compress(bytes(raw))
        out += record(kind, at, packed)
    return bytes(out)


def test_a_body_that_would_unpack_to_gigabytes_is_refused_before_it_is():
    huge = disk.MOST_BODY + 1
    bomb = huge.to_bytes(4, "little") + bytes(4) + zlib.compress(bytes(1 << 20))
    with pytest.raises(ValueError, match="at most"):
        body.unpacked(bomb)
    liar = (1 << 16).to_bytes(4, "little") + bytes(4) + zlib.compress(bytes(1 << 24))
    with pytest.raises(ValueError, match="not the 65536 bytes it promises"):
        body.unpacked(liar)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "too short"),
        (b"PK\x03\x04 no recording at all", "not a recording"),
        (b"\x89RMSREC\n\x09\x00\x00\x00", "version 9: this rms-tui reads version 1"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_reason(path, text, reason):
    path.write_bytes(text)
    with pytest.raises(Refused, match=reason) as caught:
        open_recording(path)
    assert f"{path}: at byte " in caught.value.text


def test_a_missing_recording_is_one_clear_line(path):
    with pytest.raises(FeedError, match="no such recording"):
        open_recording(path)


def test_the_index_and_the_records_say_the_same(path):
    demo = Demo(accounts=6)
    recorder = demo.recorder(path)
    recorder.start()
    demo.run(330, each=2.0)
    recorder.stop()
    indexed = starts_of(path)
    assert len(indexed.starts) == 3
    with path.open("r+b") as stream:
        stream.truncate(indexed.end - RECORD_HEAD - 8)
    walked = starts_of(path)
    assert walked.starts == indexed.starts
    assert walked.torn is None


def test_an_index_that_lies_gives_no_other_frames(sample, tmp_path):
    whole, _ = sample
    path = tmp_path / "desk.rec"
    path.write_bytes(whole)
    found = starts_of(path)
    columns = body.Columns()
    tree = {
        "at": columns.ref(np.array([0.0, NOON])),
        "offset": columns.ref(np.array([FILE_HEAD + 5, 40], dtype=np.int64)),
    }
    index = record(Kind.INDEX, NOON, body.packed(tree, columns))
    end = record(Kind.END, NOON, found.end.to_bytes(8, "little"))
    path.write_bytes(whole + index + end)
    with pytest.raises(Refused, match="at byte"):
        list(Replayed(open_recording(path), start=NOON + 5).frames())


def test_a_recorder_continues_a_file_and_cuts_off_what_a_killed_one_left(path):
    first = recorded(path)
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 31)
    assert open_recording(path).torn is not None
    second = recorded(path, polls=5)
    recording = open_recording(path)
    assert recording.torn is None
    frames = list(Replayed(recording).frames())
    assert len(frames) == len(first.frames) + len(second.frames)
    for one, other in zip([*first.frames, *second.frames], frames, strict=True):
        assert differences(one, other) == []


def test_a_file_that_is_no_recording_is_never_written_over(path):
    path.write_bytes(b"the accounts of 2025, the only copy")
    with pytest.raises(Refused, match="not a recording"):
        Tape(path, 10_000_000)
    assert path.read_bytes() == b"the accounts of 2025, the only copy"


def test_two_recorders_cannot_write_one_file(path):
    tape = Tape(path, 10_000_000)
    with pytest.raises(TapeError, match="another rms-tui"):
        Tape(path, 10_000_000)
    tape.close(NOON)
    Tape(path, 10_000_000).close(NOON)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_only_the_operator_may_read_it(path):
    recorded(path, polls=1)
    assert path.stat().st_mode & 0o777 == 0o600


def test_at_its_limit_the_oldest_goes_and_what_is_left_replays_the_same(path):
    demo = Demo(accounts=150)
    recorder = demo.recorder(path, limit=2_000_000)
    recorder.start()
    for _ in range(42):  # a second passes between two real polls
        demo.run(10)
        written(recorder)
    recorder.stop()
    assert recorder.view.value.state == "on", recorder.view.value.text
    there = parts(path)
    assert [one.name for one in there] == ["desk.rec.3", "desk.rec.2", "desk.rec.1", "desk.rec"]
    assert sum(one.stat().st_size for one in there) <= 2_000_000
    recording = open_recording(path)
    frames = list(Replayed(recording).frames())
    live = demo.frames[-len(frames) :]
    assert 100 < len(frames) < 420
    for one, other in zip(live, frames, strict=True):
        assert differences(one, other) == []
    middle = recording.parts[2].found.starts[0].at + 5.0
    frames = list(Replayed(recording, start=middle).frames())
    assert frames[-1].at == demo.frames[-1].at


def test_a_limit_too_small_for_one_poll_ends_recording_with_the_reason(path):
    demo = Demo(accounts=2_000)
    recorder = demo.recorder(path, limit=1)
    recorder.start()
    demo.run(2)
    recorder.stop()
    view = recorder.view.value
    assert view.state == "stopped"
    assert "limit" in view.text
    assert "too small" in view.text


FULL = """
import resource, sys
sys.path[:0] = {paths!r}
from pathlib import Path
import signal
from tests.recording.taped import Demo, written
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
demo = Demo()
recorder = demo.recorder(Path({path!r}))
recorder.start()
for _ in range(200):
    demo.run(1)
    written(recorder) if recorder.running else None
    if not recorder.running:
        break
demo.run(3)
recorder.stop()
print(recorder.view.value.state, recorder.view.value.text, len(demo.frames))
"""


@pytest.mark.skipif(os.name == "nt", reason="a file size limit is set the POSIX way")
def test_a_full_disk_ends_recording_in_words_and_the_monitor_goes_on(path):
    done = run(FULL, path)
    assert done.stdout.startswith("stopped ")
    assert "File too large" in done.stdout
    assert int(done.stdout.split()[-1]) > 3
    recording = open_recording(path)
    assert len(list(Replayed(recording).frames())) > 5


ENDLESS = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from tests.recording.taped import Demo, written
demo = Demo()
recorder = demo.recorder(Path({path!r}))
recorder.start()
while True:
    demo.run(1)
    written(recorder)
    print(demo.now, flush=True)
"""


def script(text, path):
    root = Path(__file__).resolve().parents[2]
    return [sys.executable, "-c", text.format(paths=[str(root), str(root / "src")], path=str(path))]


def run(text, path):
    return subprocess.run(
        script(text, path), capture_output=True, text=True, timeout=120, check=True
    )


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_recorder_killed_with_kill_9_leaves_every_poll_it_had_written(path):
    child = subprocess.Popen(script(ENDLESS, path), stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = 0.0
    for _ in range(25):
        said = float(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    left = child.stdout.read().split("\n")
    child.wait(10)
    last = max([said, *(float(line) for line in left[:-1] if line)])
    recording = open_recording(path)
    frames = list(Replayed(recording).frames())
    assert frames[-1].at >= last
    again = Demo()
    again.run(len(frames))
    for one, other in zip(again.frames, frames, strict=True):
        assert differences(one, other) == []


def test_a_recorder_needs_no_monitor_that_runs(path):
    demo = Demo(accounts=3)
    recorder = Recorder(demo.monitor, path)
    recorder.start()
    recorder.stop()
    with pytest.raises(Refused, match="no whole poll"):
        open_recording(path)
