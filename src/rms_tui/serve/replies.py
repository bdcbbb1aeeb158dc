"""What the WebSocket server answers: RMS's messages as they always were, and the newer replies.

Built as plain dictionaries where they are sent; these models say what they are, for the schema,
the documentation and the tests. A number that is not known is null; it is never 0.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from rms_tui.serve.streams import Delta, StreamFrame

Shape = dict[str, Any]
Correlation = str | int | None


class Sent(BaseModel):
    """Every message that is sent. `timestamp` is UTC, ISO 8601."""

    model_config = ConfigDict(extra="forbid")
    timestamp: str


class Reply(Sent):
    """Answers one request; `id` is the request's, absent where it had none."""

    id: Correlation = None


class AccountUpdate(BaseModel):
    """One account in an `update`."""

    account: Shape
    positions: Shape
    trades_summary: Shape


class Initial(Sent):
    """On connect: `data` is `{login: snapshot}` of all accounts."""

    type: Literal["initial"]
    data: dict[str, Shape]
    stats: Shape


class Update(Sent):
    """Each cycle, to every client that did not subscribe."""

    type: Literal["update"]
    data: list[AccountUpdate]


class Snapshot(Reply):
    """Of one account (`login_id` says which), or `{login: snapshot}` of all."""

    type: Literal["snapshot"]
    data: Shape
    login_id: int | None = None


class ExposureReply(Reply):
    """`{symbol: {volume, accounts, positions, ...}}`, and `currencies` beside it."""

    type: Literal["exposure"]
    data: dict[str, Shape]
    currencies: dict[str, Shape]
    symbol: str | None = None


class Stats(Reply):
    """`{total_updates, last_update, errors, monitored_count, running, update_interval, ...}`."""

    type: Literal["stats"]
    data: Shape


class Success(Reply):
    """A command was done. `action` is the request's type, `data` what came of it."""

    type: Literal["success"]
    action: str
    message: str
    data: Shape = {}


class Error(Reply):
    """A request was not done. `field` names what is wrong in it, where one field is.

    `code`: invalid_json, invalid_message, missing_field, unknown_field, invalid_field,
    unknown_type, read_only, not_found, refused, not_ready, timeout, rate, failed.
    """

    type: Literal["error"]
    code: str
    message: str
    field: str | None = None


class Subscribed(Reply):
    """Answers `subscribe`, before the frame or the deltas.

    `role` is `operator` or `reader`; `resumed` says that deltas follow `from_seq` and no frame.
    """

    type: Literal["subscribed"]
    stream: str
    seq: int
    resumed: bool
    role: Literal["operator", "reader"]
    detail: Literal["rows", "book"]
    sections: list[str]


class Alerts(Reply):
    """Answers `get_alerts`; `history` is null unless it was asked for."""

    type: Literal["alerts"]
    open: list[Shape]
    recovered: list[Shape]
    pending: list[Shape]
    history: list[Shape] | None = None


class Deals(Reply):
    """Answers `get_deals`: columns, one row a deal, as in the table `deals` of detail `book`."""

    type: Literal["deals"]
    data: Shape


class Found(Reply):
    """Answers `find_accounts`: which of the logins the source has."""

    type: Literal["found"]
    found: list[int]
    absent: list[int]


class StressSide(BaseModel):
    """One direction of a shock. Money is in the report currency, null where there is no rate.

    `clients` is the change of the clients' floating profit, `coverage` that of the coverage
    groups, `book` = coverage - clients. Accounts are those that get there by this shock.
    `moves` has the percentage of each symbol and currency; `percent` is null where several move.
    """

    percent: float | None
    moves: dict[str, float]
    clients: float | None
    coverage: float | None
    book: float | None
    breached: list[int]
    margin_call: list[int]
    stopped_out: list[int]
    negative: list[int]
    undecided: int


class StressReply(Reply):
    """Answers `stress`: the price moved up by `percent`, and down.

    Of a scenario `up` is as it is saved, and `down` the other way; `absent` are names in it that
    this book has not, and `unheld` those that move no open position.
    """

    type: Literal["stress"]
    symbol: str | None
    currency: str | None
    scenario: str | None
    absent: list[str]
    unheld: list[str]
    report_currency: str
    up: StressSide
    down: StressSide


MESSAGES: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        Initial
        | Update
        | Snapshot
        | ExposureReply
        | Stats
        | Success
        | Error
        | Subscribed
        | StreamFrame
        | Delta
        | Alerts
        | Deals
        | Found
        | StressReply,
        Field(discriminator="type"),
    ]
)
"""Everything that is sent."""
