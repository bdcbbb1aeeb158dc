"""The database side: which MongoDB, and the thread that writes to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rms_tui.gateways import server_of
from rms_tui.settings import Settings, SettingsError, collections_of

if TYPE_CHECKING:  # pymongo is imported when a verb really writes, the monitor by who has one
    from rms_tui.monitor import Monitor
    from rms_tui.store.embedded import Server
    from rms_tui.store.renamed import Name
    from rms_tui.store.writer import Writer
    from rms_tui.wiring.sources import Desk


REMEMBERED = ("manager", "terminal")
"""Sources whose accounts go on while we are away: a made-up broker begins anew with each start."""


def server(settings: Settings) -> Server:
    """The configured replica set, or the embedded one."""
    from rms_tui.store.embedded import Embedded, Remote

    if settings.rms_mongodb_uri is not None:
        return Remote(settings.rms_mongodb_uri.get_secret_value())
    program = None if settings.rms_mongod is None else str(settings.rms_mongod)
    return Embedded(settings.rms_data_dir, program)


def database_name(settings: Settings) -> Name:
    """The database, with the names of its collections."""
    from rms_tui.store.renamed import Names

    return Names(settings.rms_mongodb_database, collections_of(settings.rms_mongodb_collections))


def master_key_file(settings: Settings) -> Path:
    """Where this host's master key is, whether it exists or not."""
    if settings.rms_master_key_file is not None:
        return settings.rms_master_key_file.expanduser().absolute()
    if settings.rms_data_dir is not None:
        return settings.rms_data_dir.absolute() / "master.key"
    import platformdirs

    return platformdirs.user_data_path("rms-tui", appauthor=False) / "master.key"


def writer_of(made: Desk, monitor: Monitor, **more: Any) -> Writer:
    """The writer of a monitor's frames and facts, not yet started."""
    from rms_tui.store.writer import Writer

    remembers = made.source in REMEMBERED
    return Writer(
        monitor.frames,
        monitor.outbox,
        server(made.settings),
        source=made.source,
        database=database_name(made.settings),
        selection=monitor.selection,
        on_selection=monitor.select,
        on_alerts=monitor.restore,
        on_handled=monitor.heard,
        on_memory=monitor.recall if remembers else None,
        on_entries=monitor.enter if remembers else None,
        on_profiles=monitor.set_own_profiles,
        on_told=monitor.release_alerts,
        **more,
    )


def server_name(made: Desk) -> str:
    """The trade server that elements of this source are filed under. Raises SettingsError."""
    name = server_of(made.spec)
    if name is None:
        raise SettingsError("source terminal needs MT5_SERVER to know whose accounts these are")
    return name
