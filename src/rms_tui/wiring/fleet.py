"""The fleet side: settings as the values that a supervisor and a worker work with."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rms_tui.alerts import Times
from rms_tui.fleet.tempo import Tempo
from rms_tui.settings import Loaded, Settings, SettingsError
from rms_tui.store.claims import Patience
from rms_tui.wiring.storing import database_name, master_key_file, server

if TYPE_CHECKING:
    from pydantic import SecretStr

    from rms_tui.fleet.worker import Means
    from rms_tui.store.database import Rms


def host_of(settings: Settings, given: str | None = None) -> str:
    """The name of this trading host: as an option or a setting says, else its own.

    Raises SettingsError for a name of nothing, which an empty variable of a script gives.
    """
    if given is not None and not given.strip():
        raise SettingsError("--host: expected the name of a trading host, got nothing")
    return given or settings.rms_fleet_host or socket.gethostname()


def tempo(settings: Settings) -> Tempo:
    """Times of supervisor and worker."""
    return Tempo(
        ping=settings.rms_fleet_ping,
        silent=settings.rms_fleet_silent,
        sweep=settings.rms_fleet_sweep,
        stop=settings.rms_fleet_stop,
        launches=settings.rms_fleet_launches,
        patience=Patience(
            failures=settings.rms_fleet_failures,
            first=settings.rms_fleet_retry,
            longest=settings.rms_fleet_retry_longest,
            refused=settings.rms_fleet_retry_refused,
        ),
        terminal_silence=settings.rms_fleet_terminal_silence,
        terminal_start=settings.rms_fleet_terminal_start,
    )


def means(layers: Loaded) -> Means:
    """What a worker works with."""
    from rms_tui.fleet.worker import Means

    settings = layers.settings
    return Means(
        server(settings),
        database_name(settings),
        partial(_decrypted, master_key_file(settings)),
        layers.plan,
        Times(escalate=settings.rms_escalate_after, feed=settings.rms_feed_alert_after),
        tempo(settings),
        settings.rms_update_interval,
        settings.rms_report_currency,
        settings.rms_trade_history_days,
    )


def _decrypted(key_file: Path, database: Rms, password: bytes) -> SecretStr:
    """The plain password, for the terminal's pipe alone. Raises SecretsError."""
    from rms_tui.store.local_keys_only import local_keys_only

    with local_keys_only():
        from rms_tui.store.secrets import open_vault

    vault = open_vault(database, key_file)
    try:
        return vault.decrypt(password)
    finally:
        vault.close()
