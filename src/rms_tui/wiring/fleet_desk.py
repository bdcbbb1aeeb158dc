"""From settings to a console over a fleet: what it shows, and what operators do to its elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rms_tui.settings import Loaded
from rms_tui.wiring.storing import database_name, master_key_file, server

if TYPE_CHECKING:  # pymongo is imported when a fleet is really shown
    from pydantic import SecretStr

    from rms_tui.fleet.desk import FleetDesk
    from rms_tui.store.database import Rms


def fleet_desk(layers: Loaded) -> FleetDesk:
    """The desk of the database these settings name, not yet started."""
    from rms_tui.fleet.desk import FleetDesk

    settings = layers.settings
    return FleetDesk(
        server(settings),
        database_name(settings),
        layers.plan,
        interval=settings.rms_update_interval,
        ping=settings.rms_fleet_ping,
        report_currency=settings.rms_report_currency,
    )


def add_element(
    layers: Loaded,
    desk: FleetDesk,
    operator: str,
    login: int,
    server_name: str,
    password: SecretStr | None,
    profile: str | None,
) -> str:
    """Add an account, as `element add` does; what became of it, in words.

    Raises StoreError, ElementError, SecretsError, ValueError.
    """
    from rms_tui.wiring.elements import added

    def write(database: Rms) -> object:
        return added(
            database, master_key_file(layers.settings), layers.plan, login, server_name, operator,
            password=password, profile=profile,
        )  # fmt: skip

    desk.asked(write)
    return f"{login} on {server_name} added: PENDING until a terminal takes it"


def remove_element(desk: FleetDesk, operator: str, key: int) -> str:
    """Stop watching an account, as `element remove` does; what became of it, in words.

    Raises StoreError, ElementError.
    """
    from rms_tui.store import element_edits
    from rms_tui.wiring.elements import removed

    name = desk.keys.name(key)
    if name is None:
        raise ValueError(f"account {key} is not in the fleet")
    login, server_name = name

    def write(database: Rms) -> bool:
        known = element_edits.named(database, str(login), server_name)
        return removed(database, known, operator)

    was = desk.asked(write)
    return f"{login} on {server_name}: {'removed' if was else 'removed already'}"
