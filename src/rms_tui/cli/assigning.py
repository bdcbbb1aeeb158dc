"""`profiles assign`: an account's own limits, which every rms-tui on the same MongoDB follows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rms_tui.cli import START
from rms_tui.cli.exits import USAGE, end
from rms_tui.cli.limits import warn_of_initial
from rms_tui.cli.oneshot import print_json
from rms_tui.cli.storing import database
from rms_tui.facts import OwnProfile, ProfileChange
from rms_tui.logins import parse_logins
from rms_tui.presets import expanded
from rms_tui.risk.own_profile import SHORT, own_profile
from rms_tui.risk.profile import Plan
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import desk
from rms_tui.wiring.storing import server_name

if TYPE_CHECKING:  # pymongo is imported when a verb really asks
    from rms_tui.store.database import Rms

NONE = "none"
"""The word for no profile of its own."""


def assign(
    shared: Given, words: Sequence[str], limits: Mapping[str, float | None], *, json: bool
) -> None:
    """Write one profile and one audit row a login; nothing at all when one of them cannot be."""
    made = desk(shared) or end(START, USAGE)
    given = {key: value for key, value in limits.items() if value is not None}
    inline = any(key in SHORT for key in given)
    if not words or (not inline and len(words) < 2):
        end("expected LOGIN... and NAME, or limits such as --max-daily-loss 500", USAGE)
    logins = _logins(words if inline else words[:-1])
    wanted = _wanted(None if inline else words[-1], given)
    if wanted is not None:
        _check(made.plan, logins[0], wanted)
    name, who, now = server_name(made), operator(), time.time()
    outcomes: dict[int, str] = {}
    with database(made.settings) as found:
        present = _present(found, name, logins)
        unknown = [login for login in logins if login not in present]
        if unknown:
            listed = ", ".join(map(str, unknown[:10])) + (", …" if len(unknown) > 10 else "")
            end(f"not known on {name}: {listed}; watch them first (`rms-tui add`)", USAGE)
        from rms_tui.store import profiles

        for login in logins:
            if present[login] == wanted:
                outcomes[login] = f"already {_said(wanted)}"
            else:
                change = ProfileChange(login, name, wanted, who, now)
                profiles.assign(found, change, made.source)
                outcomes[login] = _said(wanted)
    if json:
        print_json({"profile": wanted, "outcomes": {str(k): v for k, v in outcomes.items()}})
    else:
        for login, outcome in outcomes.items():
            print(f"{login}  {outcome}")


def _logins(words: Sequence[str]) -> list[int]:
    try:
        return parse_logins(" ".join(words))
    except ValueError as error:
        end(str(error), USAGE)


def _wanted(name: str | None, given: Mapping[str, float]) -> OwnProfile | None:
    if name is None:
        return dict(given)
    if name == NONE and not given:
        return None
    return {"preset": name.removeprefix("preset:"), **given} if given else name


def _check(plan: Plan, login: int, wanted: OwnProfile) -> None:
    """End the verb when the profile cannot be, with what there is."""
    try:
        warn_of_initial(own_profile(plan, login, wanted, expanded))
    except ValueError as error:
        end(f"{error}; see `rms-tui profiles list`", USAGE)


def _present(found: Rms, server: str, logins: Sequence[int]) -> dict[int, Any]:
    asked = {"server": server, "login": {"$in": list(logins)}}
    known = found.elements.find(asked, {"_id": 0, "login": 1, "profile": 1})
    return {int(element["login"]): element.get("profile") for element in known}


def _said(wanted: OwnProfile | None) -> str:
    if wanted is None:
        return "its group's limits"
    if isinstance(wanted, str):
        return wanted
    return ", ".join(f"{key} {value:g}" if isinstance(value, float) else f"{value}"
                     for key, value in wanted.items())  # fmt: skip
