"""What operators do about alerts in other processes, as it happens.

A change stream over `audit`: every acknowledgement and snooze stands there, alert documents change
with much else. The stream is opened before the alerts are read, so that nothing falls between; what
is in both is heard twice, and changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo.errors import PyMongoError

from rms_tui.alerts import Alert, Handling, Severity
from rms_tui.store.alert_query import going_on
from rms_tui.store.alerts import ACTIONS
from rms_tui.store.database import Rms
from rms_tui.store.values import text


class AlertWatch:
    """Follows one server's alerts. Used by one thread."""

    def __init__(self, database: Rms, server: str) -> None:
        """Raises PyMongoError."""
        self._database = database
        self._server = server
        self._stream = database.audit.watch(
            [
                {
                    "$match": {
                        "operationType": "insert",
                        "fullDocument.server": text(server),
                        "fullDocument.action": {"$in": list(ACTIONS.values())},
                    }
                }
            ],
            max_await_time_ms=1,
        )

    def going_on(self, recovered_since: float) -> list[Alert]:
        """The alerts to go on with. Raises PyMongoError."""
        return going_on(self._database, self._server, recovered_since)

    def poll(self) -> list[Handling]:
        """What was done since the last call; never waits.

        Raises PyMongoError: open a new watch then, and read the alerts again.
        """
        heard = []
        while (change := self._stream.try_next()) is not None:
            handling = handling_from(change.get("fullDocument") or {})
            if handling is not None:
                heard.append(handling)
        return heard

    def close(self) -> None:
        try:
            self._stream.close()
        except PyMongoError:
            return  # the server is gone, and its cursor with it


def handling_from(row: Mapping[str, Any]) -> Handling | None:
    """What an operator did, from its `audit` row; None for a row that is about something else."""
    at, until = row.get("at"), row.get("until")
    alert_id, severity = row.get("alert"), str(row.get("severity")).upper()
    if not isinstance(at, datetime) or not alert_id or severity not in Severity.__members__:
        return None
    return Handling(
        str(alert_id),
        "snoozed" if row.get("action") == ACTIONS["snoozed"] else "acknowledged",
        str(row.get("operator")),
        at.timestamp(),
        Severity[severity],
        row.get("note"),
        until.timestamp() if isinstance(until, datetime) else None,
    )
