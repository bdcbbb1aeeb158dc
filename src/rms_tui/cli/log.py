"""rms.log: rotating, and on the console only where there is no screen."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from rms_tui.settings import Settings

FORMAT = "%(asctime)s %(levelname)-8s %(threadName)s %(name)s: %(message)s"
LARGEST, KEPT = 5_000_000, 5


def data_folder(settings: Settings) -> Path:
    """Where rms.log and the embedded database are."""
    if settings.rms_data_dir is not None:
        return settings.rms_data_dir.absolute()
    import platformdirs

    return platformdirs.user_data_path("rms-tui", appauthor=False)


def begin_log(settings: Settings, *, on_console: bool, name: str = "rms.log") -> Path:
    """Log to rms.log in the data folder, and to stderr too when there is no screen.

    A worker logs to a file of another `name`: two processes cannot rotate one. A folder that
    cannot be written to costs the file, not the program.
    """
    path = data_folder(settings) / name
    handlers: list[logging.Handler] = []
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handlers.append(
            RotatingFileHandler(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")
        )
    except OSError as error:
        print(f"rms-tui: no log in {path}: {error}", file=sys.stderr)
    if on_console:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers or [logging.NullHandler()]:
        handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=settings.rms_log_level, handlers=handlers or [logging.NullHandler()])
    logging.getLogger("pymongo").setLevel(logging.WARNING)
    return path
