"""What a client holds of a subscription, as the documentation says: a frame, and deltas on top.

Written against docs/websocket.md, not against the server: rows by their key, alerts by their id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KEYS = {"accounts": "login", "positions": "ticket", "symbols": "symbol"}
EXPOSURE = {"symbols": "symbol", "currencies": "currency"}
OPEN = ("raised", "acknowledged", "snoozed")


@dataclass
class Held:
    """One client's state, and every alert event it was told, in order."""

    seq: int = 0
    stream: str = ""
    header: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, dict[Any, dict[str, Any]]] = field(default_factory=dict)
    open: dict[str, dict[str, Any]] = field(default_factory=dict)
    recovered: dict[str, dict[str, Any]] = field(default_factory=dict)
    pending: list[dict[str, Any]] = field(default_factory=list)
    told: list[tuple[str, str, float]] = field(default_factory=list)
    frames: int = 0
    deltas: int = 0
    complete: bool = True

    def take(self, message: dict[str, Any]) -> None:
        """A frame or a delta."""
        {"frame": self._frame, "delta": self._delta}[message["type"]](message)

    def state(self) -> dict[str, Any]:
        """Everything that must be equal on two clients that are up to the same number."""
        return {
            "seq": self.seq,
            "header": self.header,
            "tables": self.tables,
            "open": self.open,
            "recovered": self.recovered,
            "pending": self.pending,
        }

    def _frame(self, message: dict[str, Any]) -> None:
        self.frames += 1
        self.seq, self.stream, self.header = message["seq"], message["stream"], message["header"]
        self.complete = self.complete and message["complete"]
        self.tables = {
            name: _rows(message[name], key) for name, key in KEYS.items() if name in message
        }
        if "exposure" in message:
            for name, key in EXPOSURE.items():
                self.tables[f"exposure.{name}"] = _rows(message["exposure"][name], key)
        alerts = message.get("alerts", {})
        self.open = {alert["id"]: alert for alert in alerts.get("open", ())}
        self.recovered = {alert["id"]: alert for alert in alerts.get("recovered", ())}
        self.pending = alerts.get("pending", [])
        for event in message["events"]:
            self._tell(event)

    def _delta(self, message: dict[str, Any]) -> None:
        assert message["seq"] == self.seq + 1, "a delta was lost"
        self.deltas += 1
        self.seq = message["seq"]
        self.header = {**self.header, **message.get("header", {})}
        for name, key in KEYS.items():
            _apply(self.tables.get(name), message.get(name), key)
        for name, key in EXPOSURE.items():
            change = message.get("exposure", {}).get(name)
            _apply(self.tables.get(f"exposure.{name}"), change, key)
        alerts = message.get("alerts", {})
        for event in alerts.get("events", ()):
            self._tell(event)
            alert = event["alert"]
            self.open.pop(alert["id"], None)
            self.recovered.pop(alert["id"], None)
            if alert["stage"] in OPEN:
                self.open[alert["id"]] = alert
            elif alert["stage"] == "recovered":
                self.recovered[alert["id"]] = alert
        self.pending = alerts.get("pending", self.pending)

    def _tell(self, event: dict[str, Any]) -> None:
        self.told.append((event["alert"]["id"], event["change"], event["at"]))


def _rows(columns: dict[str, list[Any]], key: str) -> dict[Any, dict[str, Any]]:
    lengths = {len(column) for column in columns.values()}
    assert len(lengths) == 1, f"columns of different lengths: {lengths}"
    names = list(columns)
    return {
        row[names.index(key)]: dict(zip(names, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    }


def _apply(
    table: dict[Any, dict[str, Any]] | None, change: dict[str, Any] | None, key: str
) -> None:
    if change is None:
        return
    assert table is not None, "a part that was not asked for"
    for gone in change.get("removed") or ():
        del table[gone]
    added = _rows(change["added"], key) if change.get("added") else {}
    assert not added.keys() & table.keys(), "a row was added twice"
    changed = _rows(change["changed"], key) if change.get("changed") else {}
    for name, row in changed.items():
        table[name].update(row)
    table.update(added)
