"""The keys and the words of recording and of replay, for an App over either kind of monitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from textual.app import App
from textual.binding import Binding

from rms_tui.feed import FeedError
from rms_tui.plural import counted
from rms_tui.tui.errand import once, run_errand
from rms_tui.tui.requests import Say
from rms_tui.tui.status_line import Piece

MINUTE = 60.0


def named(action: str) -> str:
    """An action without its namespace and parameters."""
    return action.rpartition(".")[2].partition("(")[0]


SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1000.0)

REPLAY_ONLY = frozenset({"play_slower", "play_faster", "play_move"})

LIVE_ONLY = frozenset(
    {"add", "remove", "acknowledge", "snooze", "interval", "record", "by_hand", "limits"}
)
"""What changes something: a recording is over."""

BINDINGS = (
    Binding("w", "record", "Record", show=False, tooltip="Record, or end it", id="app.record"),
    Binding(
        "left_square_bracket",
        "play_slower",
        "Slower",
        key_display="[",
        tooltip="Replay slower",
        id="app.slower",
    ),
    Binding(
        "right_square_bracket",
        "play_faster",
        "Faster",
        key_display="]",
        tooltip="Replay faster",
        id="app.faster",
    ),
    Binding(
        "comma",
        "play_move(-1)",
        "Back",
        key_display=",",
        tooltip="Replay: a minute back",
        id="app.back",
    ),
    Binding(
        "full_stop",
        "play_move(1)",
        "On",
        key_display=".",
        tooltip="Replay: a minute on",
        id="app.on",
    ),
)


class RecordView(Protocol):
    """Where a recording stands."""

    @property
    def state(self) -> Literal["on", "gap", "stopped"]: ...
    @property
    def path(self) -> Path: ...
    @property
    def size(self) -> int: ...
    @property
    def skipped(self) -> int: ...
    @property
    def text(self) -> str: ...


class Recording(Protocol):
    """Recording on and off."""

    @property
    def view(self) -> RecordView | None: ...
    @property
    def running(self) -> bool: ...
    def start(self, path: Path | None = None) -> Path:
        """Record; the file. Raises FeedError."""
        ...

    def stop(self, timeout: float = 5.0) -> RecordView | None:
        """Record no more; where it ended."""
        ...


class PlayView(Protocol):
    """Where a replay stands."""

    @property
    def state(self) -> Literal["playing", "paused", "ended", "broken"]: ...
    @property
    def at(self) -> float: ...
    @property
    def speed(self) -> float: ...
    @property
    def text(self) -> str: ...


class Playback(Protocol):
    """A replay that can be paused and moved about in."""

    def view(self) -> PlayView: ...
    def pause(self) -> None: ...
    def set_speed(self, speed: float) -> None: ...
    def seek(self, at: float) -> None: ...


class Tape:
    """What an App does about its recording, or its replay."""

    def __init__(
        self, app: App[Any], recording: Recording | None, playback: Playback | None, say: Say
    ) -> None:
        self._app = app
        self._recording = recording
        self._playback = playback
        self._say = say
        self._told: RecordView | None = None
        self._broken = ""

    def allows(self, action: str) -> bool:
        """Whether an action makes sense over this monitor."""
        name = named(action)
        if self._playback is not None:
            return name not in LIVE_ONLY
        return name not in REPLAY_ONLY and (name != "record" or self._recording is not None)

    def pause(self) -> bool:
        """Pause the replay, or play on; False where there is none."""
        if self._playback is None:
            return False
        self._playback.pause()
        return True

    def faster(self, by: int) -> None:
        """To the next speed, or with -1 to the one before."""
        if self._playback is None:
            return
        speed = self._playback.view().speed
        others = [s for s in SPEEDS if (s > speed if by > 0 else s < speed)]
        if others:
            self._playback.set_speed(min(others) if by > 0 else max(others))

    def move(self, minutes: int) -> None:
        """On by that many minutes of the recording, or back."""
        if self._playback is not None:
            self._playback.seek(self._playback.view().at + minutes * MINUTE)

    def record(self, shown: Callable[[], None]) -> None:
        """Record from now on, or no more; `shown` is called when that is so."""
        switch = self._recording
        if switch is None:
            return

        def toggled() -> str:
            if switch.running:
                ended = switch.stop()
                return "" if ended is None else f"recorded {_megabytes(ended.size)} in {ended.path}"
            return f"recording into {switch.start()}"

        def came(text: str) -> None:
            self._say(text)
            shown()

        def failed(error: Exception) -> None:
            text = error.text if isinstance(error, FeedError) else str(error)
            self._say(f"not recording: {text}", severity="error")

        run_errand(self._app, "record-switch", once(toggled), came, failed)

    def pieces(self) -> Sequence[Piece]:
        """What the header says of it."""
        return tuple(self._replaying() if self._playback is not None else self._recorded())

    def _recorded(self) -> Iterator[Piece]:
        view = None if self._recording is None else self._recording.view
        if view is None:
            return
        match view.state:
            case "on":
                yield Piece(f"REC ● {_megabytes(view.size)}", "bold $text-error", rank=2)
            case "gap":
                text = f"REC ▲ gap, {counted(view.skipped, 'frame')} skipped"
                yield Piece(text, "bold reverse $text-warning", rank=1)
            case "stopped":
                yield Piece("REC ■ STOPPED", "bold reverse $text-error", rank=1)
                if view is not self._told:
                    self._told = view
                    self._say(f"recording ended: {view.text}", severity="error")

    def _replaying(self) -> Iterator[Piece]:
        assert self._playback is not None
        view = self._playback.view()
        match view.state:
            case "playing":
                yield Piece(f"▶ {view.speed:g}×", "bold", rank=1)
            case "paused":
                yield Piece("PAUSED", "bold reverse $text-warning")
            case "ended":
                yield Piece("■ END OF RECORDING", "bold reverse")
            case "broken":
                yield Piece("■ UNREADABLE", "bold reverse $text-error")
                if view.text != self._broken:
                    self._broken = view.text
                    self._say(view.text, severity="error")
        at = datetime.fromtimestamp(view.at, UTC)
        yield Piece(f"{at:%Y-%m-%d %H:%M:%S} UTC", rank=1)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
