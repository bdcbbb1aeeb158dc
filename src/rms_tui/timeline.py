"""A timeline as somebody wrote it: profile and rows in JSON, refused where they cannot be meant.

Every refusal names file, row and field. Nothing is repaired and nothing is guessed: an unknown key,
a zone that does not exist, a time out of order, a number that is none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rms_tui.presets import UnknownPreset, expanded
from rms_tui.risk.profile import RiskProfile
from rms_tui.risk.refusals import refusals, shown


class Refused(Exception):
    """A timeline that cannot be assessed; the text names file, row and field."""


YEARS = range(1970, 3001)
"""Years a row may be of: MT5 counts seconds from the first of them."""

SUMMER_TIME = 3600

Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]

DIGITS = 300
"""Digits of a whole number from which it is read as any number is: Python reads no more than 4300,
and what no float holds is infinite and refused with its field."""


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WrittenPosition(_Written):
    """An open position of a row. Prices and `contract` in the symbol's units, `rate` converts
    money of its profit currency into the account's; what is absent is unknown."""

    symbol: Annotated[str, Field(min_length=1)]
    side: Literal["buy", "sell"]
    lots: Above0
    open: Finite | None = None
    price: Finite | None = None
    sl: Finite | None = None
    contract: Above0 | None = None
    digits: Annotated[int, Field(ge=0, le=8, strict=True)] = 5
    rate: Above0 | None = None


class WrittenRow(_Written):
    """One instant: `flow` is money in or out at that instant, already in the balance."""

    time: str
    balance: Finite
    equity: Finite
    margin: Annotated[Finite, Field(ge=0)] | None = None
    credit: Finite = 0.0
    flow: Finite = 0.0
    positions: tuple[WrittenPosition, ...] | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A profile and rows with their instants (UTC seconds), in order.

    `offsets` are the server's clock at each row, in seconds from UTC: that of the first row's time,
    and its summer time where a row is written an hour apart from it.
    """

    profile: RiskProfile
    rows: tuple[WrittenRow, ...]
    at: tuple[float, ...]
    offsets: tuple[int, ...]


def read(text: str, file: str, profile: RiskProfile | None = None) -> Timeline:
    """A timeline from JSON; `profile` goes before the one inside. Raises Refused.

    An initial balance and a currency that `profile` leaves open are those of the one inside:
    a published profile says how to judge, the timeline whose account it is.
    """
    document = parsed(text, file)
    if not isinstance(document, dict):
        raise Refused(f"{file}: expected an object with profile and timeline")
    unknown = sorted(set(document) - {"profile", "timeline"})
    if unknown:
        raise Refused(f"{file}: {shown(unknown[0])}: unknown key; expected profile and timeline")
    if profile is None:
        profile = profile_from(document.get("profile"), file)
    elif isinstance(inside := document.get("profile"), dict):
        wanting = {
            key: inside[key]
            for key in ("initial_balance", "currency")
            if getattr(profile, key) is None and inside.get(key) is not None
        }
        profile = profile_from({**profile.model_dump(), **wanting}, file)
    written = document.get("timeline")
    if not isinstance(written, list) or not written:
        raise Refused(f"{file}: timeline: expected a list of at least one row")
    rows: list[WrittenRow] = []
    at: list[float] = []
    offsets: list[int] = []
    for number, body in enumerate(written, 1):
        row = _row(body, file, number)
        moment = _moment(row, file, number)
        if at and moment.timestamp() < at[-1]:
            raise Refused(
                f"{file}: row {number}: time: {row.time} is before row {number - 1}; "
                "expected rows in order of time"
            )
        if at and row.flow and math.floor(moment.timestamp()) <= math.floor(at[-1]):
            raise Refused(
                f"{file}: row {number}: flow: in the same second as row {number - 1}; expected a "
                "later one, so that the row before it is without the flow"
            )
        rows.append(row)
        at.append(moment.timestamp())
        offsets.append(_server_clock(moment, offsets))
    return Timeline(profile, tuple(rows), tuple(at), tuple(offsets))


def profile_from(body: object, where: str, name: str = "profile") -> RiskProfile:
    """A profile from its keys. Raises Refused, naming the key."""
    if not isinstance(body, dict):
        raise Refused(f"{where}: profile: expected an object with rules")
    try:
        return RiskProfile.model_validate({"name": name, **expanded(body)})
    except UnknownPreset as error:
        raise Refused(f"{where}: {name}.preset: {error}") from None
    except ValidationError as error:
        raise Refused(_problems(error, f"{where}: ", name)) from None


def parsed(text: str, file: str) -> Any:
    """What JSON says. Raises Refused for what is none, and for a key that is written twice."""
    twice: list[tuple[dict[str, Any], str]] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            twice.append((made, next(key for key in keys if keys.count(key) > 1)))
        return made

    try:
        document = json.loads(text, object_pairs_hook=once, parse_int=_whole)
    except ValueError as error:
        raise Refused(f"{file}: not valid JSON: {error}") from None
    except RecursionError:
        raise Refused(f"{file}: not valid JSON: nested too deeply") from None
    for made, key in twice:
        path = _path(document, made)
        if path is not None:
            raise Refused(f"{file}: {_place(path)}key {shown(key)} is written twice in one object")
    return document


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= DIGITS else float(digits)


def _path(whole: object, wanted: object) -> tuple[str | int, ...] | None:
    """The keys that lead to an object of a document, None where it is in none."""
    if whole is wanted:
        return ()
    inside: Iterable[tuple[str | int, object]] = ()
    if isinstance(whole, dict):
        inside = whole.items()
    elif isinstance(whole, list):
        inside = enumerate(whole)
    for key, value in inside:
        below = _path(value, wanted)
        if below is not None:
            return (key, *below)
    return None


def _place(path: tuple[str | int, ...]) -> str:
    """Those keys as a refusal says them: `row 2: positions.0: `, `profile.rules.0: `."""
    before = ""
    if len(path) > 1 and path[0] == "timeline":
        before, path = f"row {int(path[1]) + 1}: ", path[2:]
    return before + (".".join(map(str, path)) + ": " if path else "")


def _row(body: object, file: str, number: int) -> WrittenRow:
    if not isinstance(body, dict):
        raise Refused(f"{file}: row {number}: expected an object, got {shown(body)}")
    try:
        row = WrittenRow.model_validate(body)
    except ValidationError as error:
        raise Refused(_problems(error, f"{file}: row {number}: ")) from None
    if row.positions is not None and len(row.positions) > 1:
        _one_contract(row.positions, f"{file}: row {number}")
    return row


def _one_contract(positions: Sequence[WrittenPosition], where: str) -> None:
    """A symbol has one contract size: another one in the same row is refused, not passed over."""
    known: dict[str, float] = {}
    for number, held in enumerate(positions):
        if held.contract is None:
            continue
        contract = known.setdefault(held.symbol, held.contract)
        if contract != held.contract:
            raise Refused(
                f"{where}: positions.{number}.contract: expected {contract:g}, as of the "
                f"{shown(held.symbol)} before it in the row, got {held.contract:g}"
            )


def _moment(row: WrittenRow, file: str, number: int) -> datetime:
    try:
        moment = datetime.fromisoformat(row.time)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refused(
            f"{file}: row {number}: time: expected an ISO 8601 time with its UTC offset such as "
            f"2026-03-02T09:00:00+01:00, got {row.time!r}"
        )
    if moment.year not in YEARS:
        raise Refused(
            f"{file}: row {number}: time: expected a year from {YEARS[0]} to {YEARS[-1]}, "
            f"got {row.time!r}"
        )
    return moment


def _server_clock(moment: datetime, before: Sequence[int]) -> int:
    written = math.floor((moment.utcoffset() or timedelta()).total_seconds())
    return written if not before or abs(written - before[0]) <= SUMMER_TIME else before[-1]


def _problems(error: ValidationError, before: str, where: str = "") -> str:
    return "\n".join(f"{before}{line}" for line in refusals(error, where))
