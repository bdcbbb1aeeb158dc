"""What the verbs of `element` and the console's keys do alike: encrypt a password, add, remove."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rms_tui.presets import expanded
from rms_tui.risk.own_profile import own_profile
from rms_tui.risk.profile import Plan

if TYPE_CHECKING:  # pymongo is imported when something is really written
    from pydantic import SecretStr

    from rms_tui.store.database import Rms
    from rms_tui.store.elements import Source


def encrypted(database: Rms, key_file: Path, password: Callable[[], SecretStr]) -> Any:
    """The password as the database may have it; asked for once it is known that it can be.

    Raises SecretsError, PyMongoError.
    """
    from rms_tui.store.secrets import open_vault

    vault = open_vault(database, key_file)
    try:
        vault.encrypt("")  # says beforehand what is missing
        return vault.encrypt(password().get_secret_value())
    finally:
        vault.close()


def added(
    database: Rms,
    key_file: Path,
    plan: Plan,
    login: int,
    server: str,
    operator: str,
    *,
    password: SecretStr | None,
    profile: str | None,
) -> Any:
    """Add an account that a terminal is to watch; without a password the terminal has it. Its id.

    Raises ElementError, SecretsError, ValueError for a profile that cannot be, PyMongoError.
    """
    from rms_tui.store import element_edits

    sets: dict[str, Any] = {}
    if profile is not None:
        own_profile(plan, login, profile, expanded)
        sets["profile"] = profile
    if password is not None:
        sets["password"] = encrypted(database, key_file, lambda: password)
    edit = element_edits.Edit(sets)
    return element_edits.create(database, login, server, "terminal", operator, edit)


def removed(database: Rms, element: Mapping[str, Any], operator: str) -> bool:
    """Stop watching an element, which stays for the record; False where it was removed before.

    Raises PyMongoError.
    """
    from rms_tui.store import elements

    if element.get("status") == "REMOVED":
        return False
    source: Source = element.get("source") or "terminal"
    elements.remove(database, int(element["login"]), str(element["server"]), source, operator)
    return True
