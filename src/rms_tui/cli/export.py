"""`export`: one poll, or the alerts of MongoDB, into a file."""

from __future__ import annotations

from pathlib import Path

from rms_tui import snapshot
from rms_tui.cli.exits import FAILED, USAGE, end
from rms_tui.cli.oneshot import history, one_poll, plain, print_json
from rms_tui.cli.storing import database
from rms_tui.export import Exported, ExportError, Wanted, exported, exported_alerts, wanted
from rms_tui.plural import counted
from rms_tui.whole_file import in_words, write_whole
from rms_tui.wiring.given import Given
from rms_tui.wiring.sources import loaded


def write_export(
    shared: Given, path: Path, *, format: str | None, what: str | None, force: bool, json: bool
) -> None:
    """Write the file and say what is in it. Nothing is asked of anybody for a file that is there.

    Raises FeedError.
    """
    try:
        asked = wanted(path, format, what)
    except ExportError as error:
        end(f"export: {error}", USAGE)
    if str(path) == "-":
        end("export: -: expected a file; `rms-tui snapshot --json` writes to stdout", USAGE)
    if path.exists() and not force:
        end(f"export: {path} exists: another name, or --force", USAGE)
    folder = path.parent
    if not folder.is_dir():
        end(f"export: {path}: there is no folder {folder}: make it first, or name another", USAGE)
    made = _alerts(shared) if asked.what == "alerts" else _polled(shared, asked)
    try:
        write_whole(path, made.content, replace=force)
    except FileExistsError:
        end(f"export: {path} exists: another name, or --force", USAGE)
    except OSError as error:
        end(f"export: {in_words(error, path)}", FAILED)
    said = {"file": str(path), "format": asked.format, "what": asked.what, "rows": made.rows}
    if json:
        print_json(said)
    else:
        unit = "symbol" if asked.what == "exposure" else asked.what.removesuffix("s")
        print(f"written: {plain(str(path))} ({counted(made.rows, unit)})")


def _polled(shared: Given, asked: Wanted) -> Exported:
    with one_poll(shared) as (monitor, frame):
        assert frame.book is not None
        logins = frame.book.accounts.login.tolist()
        stats = snapshot.stats_shape(frame, running=monitor.running, interval=monitor.interval)
        return exported(
            asked,
            frame,
            stats=stats,
            history=lambda: history(monitor, logins),
            now=monitor.now(),
        )


def _alerts(shared: Given) -> Exported:
    from rms_tui.alerts.asked import Asked
    from rms_tui.store.alert_query import history as stored

    with database(loaded(shared).settings) as found:
        return exported_alerts(stored(found, Asked()))
