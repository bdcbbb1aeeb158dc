"""Recording on and off while a monitor runs: one recorder at a time, and where it stands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from rms_tui.feed import FeedError
from rms_tui.recording.recorder import Recorder, RecordView
from rms_tui.recording.tape import TapeError


class RecordSwitch:
    """`make` gives a recorder into a file, `place` where to record when nobody says."""

    def __init__(self, make: Callable[[Path], Recorder], place: Callable[[], Path]) -> None:
        self._make = make
        self._place = place
        self._lock = threading.Lock()
        self._recorder: Recorder | None = None

    @property
    def view(self) -> RecordView | None:
        """Where the recording stands; None while none was begun."""
        recorder = self._recorder
        return None if recorder is None else recorder.view.value

    @property
    def running(self) -> bool:
        """Whether frames are recorded now."""
        return self._recorder is not None and self._recorder.running

    def start(self, path: Path | None = None) -> Path:
        """Record into this file; the file. May take a second where there is much in it already.

        Raises FeedError where that cannot be.
        """
        with self._lock:
            if self._recorder is not None and self._recorder.running:
                self._recorder.stop()
            try:
                chosen = self._place() if path is None else path
                recorder = self._make(chosen)
                recorder.start()
            except TapeError as error:
                raise FeedError("configuration", str(error), final=True) from None
            except OSError as error:
                text = f"{error.filename}: cannot be written: {error.strerror}"
                raise FeedError("configuration", text, final=True) from None
            self._recorder = recorder
            return chosen

    def stop(self, timeout: float = 5.0) -> RecordView | None:
        """Record no more; where the recording ended."""
        with self._lock:
            if self._recorder is None:
                return None
            recorder, self._recorder = self._recorder, None
            recorder.stop(timeout)
            return recorder.view.value
