"""The stream of a subscription: one whole `frame`, then `delta`s that bring it up to date.

`seq` rises by one a delta and never repeats, over restarts too. A client holds what the frame
gave, and for each delta whose `seq` follows its own: merges the header, applies each section,
takes the alert events in order. Rows are keyed: accounts by login, positions by ticket, symbols
and exposure by name; their order is not kept.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = str | None
Amount = float | None
Column = list[Any]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Totals(_Model):
    """Sums over all accounts in the report currency; null where a rate or a figure is missing.

    `day_profit` leaves out the `day_unknown` accounts whose day base is not known.
    """

    equity: Amount
    floating: Amount
    margin: Amount
    net_exposure: Amount
    day_profit: Amount
    day_unknown: int


class Store(_Model):
    """MongoDB: `connected`, `starting` or `down`, and how many facts wait to be written."""

    state: str
    waiting: int


class Header(_Model):
    """How good the feed is, in the word a dealer reads first, and the book's sums.

    Times are UTC seconds, but `server_time`: the server's wall clock at the newest good Book, ISO
    8601 without a zone. `age` is seconds since that Book when this was sent. `stale` says that
    the figures are not judged. `frame` and `recalls` count as in the process that polls.
    """

    state: str
    source: str
    age: Amount
    at: float
    polled_at: Amount
    server_time: Text
    server_offset: Amount
    interval: float
    stale: bool
    error: Text
    phase: str
    doing: str
    cause: Text
    since: float
    next_attempt: Amount
    restarts: int
    cycle: float
    polls: int
    errors: int
    frame: int
    recalls: int
    host: str
    version: str
    store: Store | None
    report_currency: Text
    totals: Totals | None
    accounts: int
    positions: int
    states: dict[str, int]
    undecided: dict[str, int]
    lacking: dict[str, int]
    profiles: list[str]


class HeaderChange(_Model):
    """The fields of the header that changed, to be put over it."""

    model_config = ConfigDict(extra="allow")


class AccountColumns(_Model):
    """One row an account. Money is in its `currency`; `profit` is floating profit with swap.

    `margin_level` is null without margin. `rule`, `profile`, `reason`, `value`, `limit`, `used`
    and `distance` are of the rule that gives the account its `state`; null where none does.
    """

    login: list[int]
    name: list[str]
    group: list[str]
    currency: list[str]
    digits: list[int]
    leverage: list[int]
    balance: list[Amount]
    credit: list[Amount]
    equity: list[Amount]
    margin: list[Amount]
    free_margin: list[Amount]
    margin_level: list[Amount]
    profit: list[Amount]
    day_profit: list[Amount]
    closed_today: list[int]
    profit_today: list[Amount]
    state: list[str]
    rule: list[Text]
    profile: list[Text]
    reason: list[str]
    value: list[Amount]
    limit: list[Amount]
    used: list[Amount]
    distance: list[Amount]


class PositionColumns(_Model):
    """One row an open position; `type` is buy or sell, `time` the server's wall clock."""

    ticket: list[int]
    login: list[int]
    symbol: list[str]
    type: list[str]
    volume: list[Amount]
    price_open: list[Amount]
    price_current: list[Amount]
    sl: list[Amount]
    tp: list[Amount]
    profit: list[Amount]
    swap: list[Amount]
    time: list[str]


class SymbolColumns(_Model):
    """One row a symbol; `bid` and `ask` are null without a price."""

    symbol: list[str]
    base: list[str]
    quote: list[str]
    digits: list[int]
    contract: list[Amount]
    bid: list[Amount]
    ask: list[Amount]


class ExposureColumns(_Model):
    """One row a symbol with open positions: lots of clients, coverage apart, `total` of both.

    `volume` is gross lots; `notional` and `profit` are in the report currency.
    """

    symbol: list[str]
    volume: list[Amount]
    buy: list[Amount]
    sell: list[Amount]
    net: list[Amount]
    coverage: list[Amount]
    total: list[Amount]
    notional: list[Amount]
    accounts: list[int]
    positions: list[int]
    buy_price: list[Amount]
    sell_price: list[Amount]
    profit: list[Amount]
    sentiment: list[Amount]


class CurrencyColumns(_Model):
    """One row a currency: net units of clients, and their worth in the report currency."""

    currency: list[str]
    net: list[Amount]
    notional: list[Amount]


class Exposure(_Model):
    """Both views of the exposure."""

    symbols: ExposureColumns
    currencies: CurrencyColumns


class AlertEvent(_Model):
    """One edge: raised, risen, acknowledged, snoozed, woken, escalated, recovered or closed; or
    `restated`: how an alert stands by the word of the database or of another process.

    `alert` is as it stands after it: while its `stage` is raised, acknowledged or snoozed it is
    open; recovered, it is among the recovered; closed, it is gone from both.
    """

    seq: int
    change: str
    at: float
    alert: dict[str, Any]


class AlertLists(_Model):
    """Alerts as they stand: `pending` are states on their way to an alert."""

    open: list[dict[str, Any]]
    recovered: list[dict[str, Any]]
    pending: list[dict[str, Any]]


class RowsChange(_Model):
    """What changed in a keyed table: rows that came (all columns), cells that changed, keys gone.

    `changed` holds the key column and those columns in which one of these rows changed.
    """

    added: dict[str, Column] | None = None
    changed: dict[str, Column] | None = None
    removed: list[int | str] | None = None


class ExposureChange(_Model):
    symbols: RowsChange | None = None
    currencies: RowsChange | None = None


class PackedColumn(_Model):
    """A column exactly as it is in memory, for another console. One of:

    `b64` (with `dtype`): all values, little-endian; `fill`: one value for every row; `text`: all
    texts; `same`: the very same column as that path (`book.accounts.balance`). With `at` (base64
    of little-endian int32 rows) `b64` or `text` replace only these rows of what was held.
    """

    dtype: Literal["<f8", "<i8", "<i4", "<i1", "|b1"] | None = None
    b64: str | None = None
    fill: str | None = None
    text: list[str] | None = None
    same: str | None = None
    at: str | None = None


class PackedTable(_Model):
    """Columns of one length. In a delta only those that are another object than before.

    `source` (base64 of little-endian int32) moves rows first: for each new row the row it was
    before, -1 for one that came; a column that is not mentioned is moved and not changed.
    """

    rows: int
    source: str | None = None
    columns: dict[str, PackedColumn]


class PackedBook(_Model):
    """Book and Memory: `book` and `memory` are their plain fields, whole where any changed.

    Tables: accounts, positions, symbols, deals (columns as in Book) and memory (paths such as
    `last.balance`, `days.0.equity`, `peaks.1.value`, `periods.day.peak`; the numbers index
    `memory.days` and `memory.peaks`). All null before the first good Book.
    """

    book: dict[str, Any] | None = None
    memory: dict[str, Any] | None = None
    tables: dict[str, PackedTable] | None = None


class StreamFrame(_Model):
    """Everything as it stands at `seq`. `stream` names the process it comes from.

    `events` are the alert events after `from_seq` of the subscription, in order (none on a first
    subscription); `complete` is false where some of them are no longer known. Only what the
    subscription asked for is there.
    """

    type: Literal["frame"]
    seq: int
    stream: str
    timestamp: str
    header: Header
    accounts: AccountColumns | None = None
    positions: PositionColumns | None = None
    symbols: SymbolColumns | None = None
    exposure: Exposure | None = None
    alerts: AlertLists | None = None
    desk: dict[str, Any] | None = None
    book: PackedBook | None = None
    plan: dict[str, Any] | None = None
    events: list[AlertEvent]
    complete: bool


class Delta(_Model):
    """What changed from `seq` - 1 to `seq`; a part that did not change is absent.

    `alerts` (rows) or `desk` (book): `events` in order, and `pending` anew where it changed.
    """

    type: Literal["delta"]
    seq: int
    timestamp: str
    header: HeaderChange | None = None
    accounts: RowsChange | None = None
    positions: RowsChange | None = None
    symbols: RowsChange | None = None
    exposure: ExposureChange | None = None
    alerts: Annotated[dict[str, Any] | None, Field(description="events, pending")] = None
    desk: Annotated[dict[str, Any] | None, Field(description="events, pending")] = None
    book: PackedBook | None = None
    plan: dict[str, Any] | None = None
