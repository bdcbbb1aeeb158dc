"""rms.log: rotating, and on the console only where there is no screen."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from rms_tui.settings import Settings

FORMAT = "%(asctime)s %(levelname)-8s %(threadName)s %(name)s: %(message)s"
LARGEST, KEPT = 5_000_000, 5


class Rotating(RotatingFileHandler):
    """rms.log, which several rms-tui of one host may write to."""

    def doRollover(self) -> None:
        """Begin a new file; Windows does not move one that another process has open."""
        try:
            super().doRollover()
        except OSError:
            if self.stream is None:
                self.stream = self._open()


class JsonLines(logging.Formatter):
    """One JSON object a line, for a collector of logs."""

    def format(self, record: logging.LogRecord) -> str:
        import orjson

        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "thread": record.threadName,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps({k: _utf8(v) for k, v in line.items()}).decode()


def _utf8(text: str | None) -> str | None:
    """Text as UTF-8 can hold it: what comes from outside may have lone surrogates."""
    return None if text is None else text.encode("utf-8", "replace").decode()


def data_folder(settings: Settings) -> Path:
    """Where rms.log and the embedded database are."""
    if settings.rms_data_dir is not None:
        return settings.rms_data_dir.absolute()
    import platformdirs

    return platformdirs.user_data_path("rms-tui", appauthor=False)


def begin_log(
    settings: Settings, *, on_console: bool, name: str = "rms.log", printed: str | None = None
) -> Path | None:
    """Log to rms.log in the data folder, and to stderr too when there is no screen.

    What the logger `printed` hears stands on stdout already: in words it is not said on stderr
    again. As lines of JSON the log is for a collector, and whole.

    A worker logs to a file of another `name`: two processes cannot rotate one. A folder that
    cannot be written to costs the file, not the program. Returns the file, None without one.
    """
    path = data_folder(settings) / name
    handlers: list[logging.Handler] = []
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handlers.append(Rotating(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8"))
    except OSError as error:
        print(f"rms-tui: no log in {path}: {error}", file=sys.stderr)
    if on_console:
        console = logging.StreamHandler(sys.stderr)
        if printed is not None and not settings.rms_log_json:
            console.addFilter(lambda record: record.name != printed)
        handlers.append(console)
    written = JsonLines() if settings.rms_log_json else logging.Formatter(FORMAT)
    for handler in handlers:
        handler.setFormatter(written)
    logging.raiseExceptions = False  # a full disk costs lines of the log and prints no stack trace
    logging.basicConfig(level=settings.rms_log_level, handlers=handlers or [logging.NullHandler()])
    logging.getLogger("pymongo").setLevel(logging.WARNING)
    return path if len(handlers) > on_console else None
