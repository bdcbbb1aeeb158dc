"""What the server tells by itself. Runs on MT5's threads: take plain values, queue them, return.

The package looks a sink's methods up once, at subscribe time, and swallows what they raise. So
every body is guarded, asks nothing of the server, and keeps no vendor object. No method here
receives a password (`OnUserChangePassword`, `OnUserAddExt` do and must never be added).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal, TypeAlias

from rms_tui.gateways.dealt import DealRow
from rms_tui.gateways.text import readable

logger = logging.getLogger(__name__)

Event: TypeAlias = tuple[
    Literal[
        "connected",
        "disconnected",
        "synced",
        "user",
        "user-gone",
        "groups",
        "symbols",
        "deal",
        "deal-gone",
        "deals-gone",
    ],
    Any,
]
"""What happened, and a plain value: a row, a login, a ticket, or None."""

UserRow: TypeAlias = tuple[int, str, str, int, float, float]
"""login, group, name, leverage, balance and equity of the previous day's end."""

USER_FIELDS = ("Login", "Group", "Name", "Leverage", "BalancePrevDay", "EquityPrevDay")

_user = attrgetter(*USER_FIELDS)
_deal = attrgetter(
    "Deal", "Login", "Time", "Action", "Entry", "Symbol", "Volume", "VolumeExt", "Price",
    "Profit", "Storage", "Commission", "Fee", "PositionID",
)  # fmt: skip


def user_row(user: Any) -> UserRow:
    """The few fields of an MTUser that a Book holds; its secrets are never read."""
    login, group, name, leverage, balance, equity = _user(user)
    return int(login), readable(group), readable(name), int(leverage), balance, equity


def lots(volume: int, volume_ext: int) -> float:
    """Volume (1/10000 lot) and VolumeExt (1e-8 lot) in lots; the finer one where it is given."""
    return volume_ext / 1e8 if volume_ext else volume / 1e4


def deal_row(deal: Any) -> DealRow:
    """An MTDeal as a row of Deals; the fee is part of the commission."""
    (
        ticket, login, time, action, entry, symbol, volume, volume_ext, price,
        profit, storage, commission, fee, position,
    ) = _deal(deal)  # fmt: skip
    return (
        int(ticket), int(login), int(time), int(action), int(entry), readable(symbol),
        lots(volume, volume_ext), price, profit, storage, commission + fee, int(position),
    )  # fmt: skip


class Sinks:
    """One queue and the sinks that fill it. Keep it alive until they are unsubscribed."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        put = self._put
        self.link = LinkSink(put)
        self.users = UserSink(put)
        self.groups = GroupSink(put)
        self.symbols = SymbolSink(put)
        self.deals = DealSink(put)
        self.positions = PositionSink(put)

    def drain(self) -> list[Event]:
        """Everything that happened since the last call, in order."""
        events: list[Event] = []
        while self._events:
            events.append(self._events.popleft())
        return events

    def _put(self, make: Callable[[], Event]) -> None:
        try:
            self._events.append(make())
        except Exception:
            logger.exception("MT5Manager: an event could not be read")


_Put: TypeAlias = Callable[[Callable[[], Event]], None]


class LinkSink:
    """The connection to the server, which the API restores by itself."""

    def __init__(self, put: _Put) -> None:
        self._put = put

    def OnConnect(self) -> None:
        self._put(lambda: ("connected", None))

    def OnDisconnect(self) -> None:
        self._put(lambda: ("disconnected", None))


class UserSink:
    """Clients added, changed or removed."""

    def __init__(self, put: _Put) -> None:
        self._put = put

    def OnUserAdd(self, user: Any) -> None:
        self._put(lambda: ("user", user_row(user)))

    def OnUserUpdate(self, user: Any) -> None:
        self._put(lambda: ("user", user_row(user)))

    def OnUserDelete(self, user: Any) -> None:
        self._put(lambda: ("user-gone", int(user.Login)))


class GroupSink:
    """Currency, margin mode or stop-out levels may have changed."""

    def __init__(self, put: _Put) -> None:
        self._put = put

    def OnGroupAdd(self, _group: Any) -> None:
        self._put(lambda: ("groups", None))

    def OnGroupUpdate(self, _group: Any) -> None:
        self._put(lambda: ("groups", None))

    def OnGroupDelete(self, _group: Any) -> None:
        self._put(lambda: ("groups", None))


class SymbolSink:
    """Contract sizes, digits or currencies may have changed."""

    def __init__(self, put: _Put) -> None:
        self._put = put

    def OnSymbolAdd(self, _symbol: Any) -> None:
        self._put(lambda: ("symbols", None))

    def OnSymbolUpdate(self, _symbol: Any) -> None:
        self._put(lambda: ("symbols", None))

    def OnSymbolDelete(self, _symbol: Any) -> None:
        self._put(lambda: ("symbols", None))


class PositionSink:
    """The pumped positions are whole: after the first connect and after each one restored."""

    def __init__(self, put: _Put) -> None:
        self._put = put

    def OnPositionSync(self) -> None:
        self._put(lambda: ("synced", None))


class DealSink:
    """Deals as they happen. A cancelled deal is an update: its ticket changes type."""

    def __init__(self, put: _Put) -> None:
        self._put = put

    def OnDealAdd(self, deal: Any) -> None:
        self._put(lambda: ("deal", deal_row(deal)))

    def OnDealUpdate(self, deal: Any) -> None:
        self._put(lambda: ("deal", deal_row(deal)))

    def OnDealDelete(self, deal: Any) -> None:
        self._put(lambda: ("deal-gone", int(deal.Deal)))

    def OnDealClean(self, login: int) -> None:
        self._put(lambda: ("deals-gone", int(login)))
