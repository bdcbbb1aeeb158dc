"""What operators do at a follower, as requests to the holder, who does it and writes it down."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from rms_tui.alerts import AlertEvent
from rms_tui.facts import AccountChange, Fact, ProfileChange
from rms_tui.outbox import Outbox
from rms_tui.risk.entries import BaseEntry, PeakEntry
from rms_tui.serve.link import Link, LinkError

_log = logging.getLogger("rms_tui.follow")

ANSWER_S = 10.0
Shape = dict[str, Any]


class Forwarder:
    """Sends the outbox's facts over the newest link, oldest first; one that was refused is said.

    A fact stays in the outbox until the holder answered: a lost connection loses none.
    """

    def __init__(
        self, outbox: Outbox[Fact], link: Callable[[], Link | None], refused: Callable[[str], None]
    ) -> None:
        self._outbox = outbox
        self._link = link
        self._refused = refused
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rms-follow-facts", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 0.3) -> None:
        """Send no more; what was not answered stays in the outbox."""
        self._stopping.set()
        self._outbox.came.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._outbox.came.wait(1.0)
            link, facts = self._link(), self._outbox.oldest(1)
            if self._stopping.is_set():
                return
            if not facts or link is None:
                self._stopping.wait(0.2)
                continue
            try:
                self._tell(link, facts[0])
            except LinkError as error:
                _log.warning("not told to the holder yet: %s", error.text)
                self._stopping.wait(0.5)
            else:
                self._outbox.drop(1)

    def _tell(self, link: Link, fact: Fact) -> None:
        request = request_of(fact)
        if request is None:
            return
        answer = link.ask(request, ANSWER_S)
        if answer["type"] == "error":
            self._refused(str(answer["message"]))


def request_of(fact: Fact) -> Shape | None:
    """The request that makes a fact one of the holder's; None for what the holder knows itself."""
    return _REQUESTS[type(fact)](fact)


def _account(fact: AccountChange) -> Shape:
    return {"type": f"{fact.action}_account", "login_id": fact.login, "operator": fact.operator}


def _handled(fact: AlertEvent) -> Shape | None:
    alert = fact.alert
    if fact.change == "acknowledged":
        return {
            "type": "acknowledge",
            "alert_id": alert.id,
            "operator": alert.operator,
            "note": alert.note,
        }
    if fact.change == "snoozed" and alert.snoozed_until is not None:
        return {
            "type": "snooze",
            "alert_id": alert.id,
            "operator": alert.snoozed_by,
            "seconds": round(alert.snoozed_until - fact.at, 3),
        }
    return None


def _profile(fact: ProfileChange) -> Shape:
    return {
        "type": "assign_profile",
        "login_id": fact.login,
        "profile": dict(fact.profile) if isinstance(fact.profile, Mapping) else fact.profile,
        "operator": fact.operator,
    }


def _base(fact: BaseEntry) -> Shape:
    return {
        "type": "enter_base",
        "login_id": fact.login,
        "balance": fact.balance,
        "equity": fact.equity,
        "operator": fact.operator,
    }


def _peak(fact: PeakEntry) -> Shape:
    day = fact.trail.rollover
    return {
        "type": "enter_peak",
        "login_id": fact.login,
        "source": fact.trail.source,
        "withdrawals": fact.trail.withdrawals,
        "value": fact.value,
        "operator": fact.operator,
        **({} if day is None else {"zone": day.zone, "rollover": day.at}),
    }


_REQUESTS: Mapping[type[Any], Callable[[Any], Shape | None]] = {
    AccountChange: _account,
    AlertEvent: _handled,
    ProfileChange: _profile,
    BaseEntry: _base,
    PeakEntry: _peak,
}
