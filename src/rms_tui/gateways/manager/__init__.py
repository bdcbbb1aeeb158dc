"""A whole MT5 server through the Manager API: every account the manager may see, in two calls.

One thread calls the API; MT5's own threads only fill a queue (`sinks`), which is emptied at the
start and end of every read. The API restores its connection by itself: meanwhile the last Book is
shown as not connected, and afterwards everything is read anew. A call that fails for want of a
connection is asked again with the next read. Only a link that does not come back ends the process,
for a new Connect.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rms_tui.book import Book, Deals, clock_offset
from rms_tui.feed import FeedError
from rms_tui.gateways import Gateway, ManagerSpec, NotNow
from rms_tui.gateways.dealt import DAY, DealRow, day_start, deals_table
from rms_tui.gateways.manager.columns import POSITION_FIELDS, AccountTable, PositionTable, joined
from rms_tui.gateways.manager.connection import Connection, masks_of
from rms_tui.gateways.manager.directory import Directory, group_row, user_rows
from rms_tui.gateways.manager.ledger import Ledger
from rms_tui.gateways.manager.sinks import USER_FIELDS, Event, Sinks, deal_row
from rms_tui.gateways.manager.symbols import SymbolBoard, symbol_row
from rms_tui.plural import counted

logger = logging.getLogger(__name__)

USERS_EVERY = 30.0
"""Seconds between full readings of users and groups; events say what changes in between."""

DEALS_EVERY = 180.0
"""Seconds between catch-ups of deals, when they also come by events."""

DEALS_EVERY_UNSUBSCRIBED = 10.0

DEALS_AGAIN = 5.0
"""Seconds after which a catch-up that failed is tried again."""

SYNC_WAIT = 5.0
"""Seconds to wait after a reconnect for the word that the pumped positions are whole again; then
the tables are looked at: they are whole when they hold as many accounts as before and stopped
growing."""

HARD_STALL = 180.0
"""Seconds without a whole Book after which the API is taken to have lost its server for good (it
does not find its way back to a hidden access point), and connecting starts anew."""

LOAD_PAUSES = (1.0, 3.0)
"""Seconds before asking again for deals at the start: a server refuses requests that come fast."""

_OVERLAP = 60
"""Seconds of deals read again at a catch-up: their times are not in order of arrival."""

_CHUNK_DAYS = 7
_CHUNK_LOGINS = 500
_QUARTER = 900


def gateway(spec: ManagerSpec) -> Gateway:
    """The gateway of a spec, not yet connected."""
    return ManagerGateway(spec)


class ManagerGateway:
    """See `rms_tui.gateways.Gateway`. `clock` is UTC seconds, `elapsed` a monotonic clock."""

    def __init__(
        self,
        spec: ManagerSpec,
        clock: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spec = spec
        self._clock = clock
        self._elapsed = elapsed
        self._pause = pause
        self._masks = masks_of(spec.groups)
        self._connection = Connection(spec)
        self._sinks = Sinks()
        self._ledger = Ledger(spec.history_days)
        self._directory = Directory()
        self._board = SymbolBoard()
        self._accounts = AccountTable(self._directory, self._ledger)
        self._positions = PositionTable(self._board)
        self._linked = True
        self._tells_sync = self._synced = False
        self._sync_deadline = -math.inf
        self._sizes: tuple[int, int] | None = None
        self._well_at = -math.inf
        self._anew = False
        self._users_due = self._deals_due = -math.inf
        self._groups_changed = self._symbols_changed = False
        self._selected = 0
        self._deals_lost = False
        self._offset: float | None = None
        self._book: Book | None = None

    def open(self, doing: Callable[[str], None]) -> None:
        """Connect, wait for the pumped tables, read the deals of the history window."""
        doing(f"connecting to {self._spec.host}:{self._spec.port}, syncing accounts")
        self._connection.open(self._sinks)
        self._apply(self._sinks.drain())
        self._linked, self._anew, self._well_at = True, False, self._elapsed()
        doing("reading groups, symbols and users")
        self._read_symbols()
        self._read_users()
        self._load_deals(doing)

    def read(self) -> Book:
        """What the server shows now; while the link is down, the last Book as not connected.

        Raises NotNow when a call failed for want of a connection, FeedError when that lasts or
        there was no Book yet.
        """
        today = day_start(self._server_now())
        self._apply(self._sinks.drain())
        try:
            if self._book is None or self._whole():
                return self._read_whole(today)
        except NotNow as error:
            self._groups_changed = self._symbols_changed = True
            if self._book is None:
                raise FeedError(error.cause, error.text) from error
            self._give_up_in_time(error.text)
            raise
        self._book = replace(self._book, connected=False)
        self._give_up_in_time("its link is down")
        return self._book

    def _read_whole(self, today: int) -> Book:
        self._ledger.advance(today)
        self._refresh()
        book = self._read_book()
        self._apply(self._sinks.drain())
        if self._linked and not self._anew:
            self._well_at, self._book = self._elapsed(), book
        else:  # the link was lost, or lost and restored, while this was read
            self._book = replace(book, connected=False)
        return self._book

    def _give_up_in_time(self, trouble: str) -> None:
        """Raises FeedError when no Book was whole for long, which ends this connection."""
        waited = self._elapsed() - self._well_at
        if waited > HARD_STALL:
            raise FeedError(
                "connection",
                f"{self._spec.host}:{self._spec.port} did not come back in {HARD_STALL:.0f} s"
                f" ({trouble}); connecting anew. The API cannot return by itself to an access"
                " point that is hidden: use a public one.",
            )

    def _whole(self) -> bool:
        """Whether the link is up and the pumped tables are what the server has.

        After a reconnect they fill again. A server that told so at the first connect is waited
        for to tell it again; one that does not is believed when its tables look filled.
        """
        if not self._linked or self._synced or not self._tells_sync:
            return self._linked
        filled = self._looks_filled()
        self._synced = filled and self._elapsed() >= self._sync_deadline
        return self._synced

    def _looks_filled(self) -> bool:
        api, rows = self._connection.api, self._connection.rows
        sizes = (
            sum(
                len(rows(api.UserAccountGetByGroup(mask), "read accounts")) for mask in self._masks
            ),
            sum(
                len(rows(api.PositionGetByGroupNumPy(mask, "Position"), "read positions"))
                for mask in self._masks
            ),
        )
        last, self._sizes = self._sizes, sizes
        before = 0 if self._book is None else len(self._book.accounts)
        return sizes == last and sizes[0] >= before

    def history(self, logins: Sequence[int]) -> Deals:
        """Deals of these accounts since the start of the history window."""
        wanted = [int(login) for login in logins]
        rows: list[DealRow] = []
        until = self._server_now() + DAY
        for at in range(0, len(wanted), _CHUNK_LOGINS):
            some = wanted[at : at + _CHUNK_LOGINS]
            answer = self._connection.api.DealRequestByLogins(
                some, self._ledger.window_start, until
            )
            asked = "read the deals of accounts"
            found = self._connection.rows(answer, asked)
            rows.extend(map(deal_row, self._connection.held(found, "Deal", asked)))
        return deals_table(rows)

    def close(self) -> None:
        """Unsubscribe and disconnect."""
        self._connection.close()

    def _read_book(self) -> Book:
        api, rows = self._connection.api, self._connection.rows
        objects: list[object] = []
        for mask in self._masks:
            objects.extend(rows(api.UserAccountGetByGroup(mask), "read accounts"))
        taken_at = self._clock()
        wanted = ",".join(POSITION_FIELDS)
        tables = [
            rows(api.PositionGetByGroupNumPy(mask, wanted), "read positions")
            for mask in self._masks
        ]
        accounts = self._accounts.read(objects)
        positions = self._positions.read(joined(tables), accounts.login)
        self._board.include_conversions(set(accounts.currency))
        self._select(self._board.names)
        symbols = self._board.symbols(map(api.TickLast, self._board.names))
        return Book(
            source="manager",
            server=f"{self._spec.host}:{self._spec.port}",
            taken_at=taken_at,
            server_offset=self._offset,
            connected=True,
            accounts=accounts,
            positions=positions,
            symbols=symbols,
            deals=self._ledger.shown(accounts.login),
            deals_since=None if self._deals_lost else self._ledger.recent_start,
        )

    def _select(self, names: Sequence[str]) -> None:
        """Have ticks of these symbols, once each: without them their price is unknown.

        Those that are held are selected by themselves, but nobody says for how long after the last
        position closed, and money may be converted by them still.
        """
        select: Any = getattr(self._connection.api, "SelectedAdd", None)
        for name in names[self._selected :] if select is not None else ():
            select(name)
        self._selected = len(names)

    def _apply(self, events: list[Event]) -> None:
        """Take what the sinks queued into the directory and the ledger."""
        deals: dict[int, DealRow] = {}
        gone: set[int] = set()
        for what, value in events:
            match what:
                case "connected":
                    self._anew = self._anew or not self._linked
                    self._linked = True
                    self._sizes = None
                    self._well_at = self._elapsed()
                    self._sync_deadline = self._well_at + SYNC_WAIT
                case "disconnected":
                    self._linked = self._synced = False
                case "synced":
                    self._tells_sync = self._synced = True
                case "user":
                    self._directory.set_user(value)
                case "user-gone":
                    self._directory.remove_user(value)
                case "groups":
                    self._groups_changed = True
                case "symbols":
                    self._symbols_changed = True
                case "deal":
                    deals[value[0]] = value
                    gone.discard(value[0])
                case "deal-gone":
                    deals.pop(value, None)
                    gone.add(value)
                case "deals-gone":
                    deals = {ticket: row for ticket, row in deals.items() if row[1] != value}
                    self._ledger.forget(value)
        self._ledger.apply(list(deals.values()), list(gone))

    def _refresh(self) -> None:
        """Read anew what a reconnect, an event or the clock made due."""
        now = self._elapsed()
        if self._anew:
            self._deals_lost, self._deals_due, self._selected = True, now, 0
        if self._anew or self._symbols_changed:
            self._read_symbols()
        if self._anew or now >= self._users_due:
            self._read_users()
        elif self._groups_changed:
            self._read_groups()
        if now >= self._deals_due:
            self._catch_up()
        self._anew = False

    def _read_symbols(self) -> None:
        self._symbols_changed = False
        found = self._connection.rows(self._connection.api.SymbolGetArray(), "read symbols")
        held = self._connection.held(found, "Symbol", "read symbols")
        self._board.set_server(map(symbol_row, held))

    def _read_groups(self) -> None:
        self._groups_changed = False
        api, rows = self._connection.api, self._connection.rows
        total = rows(api.GroupTotal(), "count groups") or 0
        found = [rows(api.GroupNext(at), "read a group") for at in range(total)]
        there = [group for group in found if group != []]
        self._directory.set_groups(
            map(group_row, self._connection.held(there, "Group", "read groups"))
        )

    def _read_users(self) -> None:
        self._read_groups()
        wanted = ",".join(USER_FIELDS)
        self._directory.set_users(
            row
            for mask in self._masks
            for row in user_rows(
                self._connection.rows(
                    self._connection.api.UserGetByGroupNumPy(mask, wanted), "read users"
                )
            )
        )
        self._users_due = self._elapsed() + USERS_EVERY

    def _request_deals(self, start: int, end: int) -> list[DealRow]:
        api, rows = self._connection.api, self._connection.rows
        answers = [
            rows(api.DealRequestByGroup(mask, start, end), "read deals") for mask in self._masks
        ]
        return [
            deal_row(deal)
            for found in answers
            for deal in self._connection.held(found, "Deal", "read deals")
        ]

    def _load_deals(self, doing: Callable[[str], None]) -> None:
        """The whole window, a week at a time: a busy server's answer is large."""
        now = self._server_now()
        self._ledger.advance(day_start(now))
        start, end = self._ledger.window_start, now + DAY
        self._ledger.reload((), start)
        for first in range(start, end + 1, _CHUNK_DAYS * DAY):
            doing(f"reading deals, {counted((end - first) // DAY, 'day')} to go")
            last = min(first + _CHUNK_DAYS * DAY, end)
            self._ledger.apply(self._request_patiently(first, last))
        self._plan_deals()

    def _request_patiently(self, start: int, end: int) -> list[DealRow]:
        for pause in LOAD_PAUSES:
            try:
                return self._request_deals(start, end)
            except FeedError as error:
                if error.cause != "connection":
                    raise
                logger.warning("%s", error.text)
                self._pause(pause)
        return self._request_deals(start, end)

    def _catch_up(self) -> None:
        """Deals that no event told. A server that cannot answer now is asked again soon.

        After a reconnect everything since the previous day, as the server has it now (deals may
        have been cancelled meanwhile); until that is read, the Book says its deals are not
        complete. Otherwise from shortly before the newest deal known.
        """
        recent = self._ledger.recent_start
        seen = self._ledger.last_seen
        start = recent if self._deals_lost or seen is None else seen - _OVERLAP
        try:
            rows = self._request_deals(start, self._server_now() + DAY)
        except FeedError as error:
            if error.cause != "connection":
                raise
            logger.warning("%s", error.text)
            self._deals_due = self._elapsed() + DEALS_AGAIN
            return
        if self._deals_lost:
            self._ledger.reload(rows, recent)
        else:
            self._ledger.apply(rows)
        self._deals_lost = False
        self._plan_deals()

    def _plan_deals(self) -> None:
        live = self._connection.live_deals
        self._deals_due = self._elapsed() + (DEALS_EVERY if live else DEALS_EVERY_UNSUBSCRIBED)

    def _server_now(self) -> int:
        """Server wall clock, counted as if it were UTC; learns the offset from UTC on the way."""
        now = self._clock()
        answer = self._connection.api.TimeServer()
        if answer is not False and answer:
            self._offset = clock_offset(float(round((answer - now) / _QUARTER) * _QUARTER))
            return int(answer)
        return int(now + (self._offset or 0.0))
