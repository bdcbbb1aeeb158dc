"""What clients may ask of the WebSocket server, and how a message becomes a request or a refusal.

The models are the contract: what does not fit one is refused with the field's name and never
reaches the monitor. Answers and streams stand in `replies` and `streams`; `schema` exports all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from rms_tui.alerts import LONGEST_SNOOZE

Login = Annotated[StrictInt, Field(gt=0, lt=2**63, description="an account's login")]
Correlation = Annotated[StrictStr, Field(max_length=128)] | StrictInt
Number = StrictFloat  # a whole number is one too
Seconds = Annotated[Number, Field(gt=0, allow_inf_nan=False)]
Money = Annotated[Number, Field(allow_inf_nan=False)]
AlertId = Annotated[StrictStr, Field(min_length=1, max_length=128)]
Symbol = Annotated[StrictStr, Field(min_length=1, max_length=128)]
MOST_OPERATOR = 64
"""Characters of an operator's name."""

Operator = Annotated[
    StrictStr,
    Field(min_length=1, max_length=MOST_OPERATOR, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
Section: TypeAlias = Literal["accounts", "positions", "symbols", "exposure", "alerts"]

SECTIONS: tuple[Section, ...] = get_args(Section)
"""What a subscription may choose from; the header always comes."""


class _Asked(BaseModel):
    """Every request: `id` comes back in the reply, whatever it is."""

    model_config = ConfigDict(frozen=True)
    id: Correlation | None = None


class _Strict(_Asked):
    """A field that is not known is an error: a misspelt limit must not silently mean all."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Command(_Strict):
    """Changes something; needs the operator's token. `operator` is who the audit names."""

    operator: Operator | None = None


class AddAccount(_Asked):
    """Watch an account."""

    type: Literal["add_account"]
    login_id: Login
    operator: Operator | None = None


class RemoveAccount(_Asked):
    """Stop watching an account."""

    type: Literal["remove_account"]
    login_id: Login
    operator: Operator | None = None


class GetSnapshot(_Asked):
    """Snapshot of an account; without `login_id` of all."""

    type: Literal["get_snapshot"]
    login_id: Login | None = None


class GetExposure(_Asked):
    """Exposure of a symbol; without `symbol` of all."""

    type: Literal["get_exposure"]
    symbol: Symbol | None = None


class GetStats(_Asked):
    """Counts, and the health of the feed."""

    type: Literal["get_stats"]
    login_id: Login | None = None
    symbol: Symbol | None = None


class Subscribe(_Strict):
    """A `frame`, then `delta`s instead of RMS's `update`s.

    With `from_seq` (and the `stream` it was of) the deltas that were missed, or a new frame.
    `detail="rows"` is what a page shows, in the chosen `sections`; `detail="book"` is all that
    another console needs to judge for itself.
    """

    type: Literal["subscribe"]
    from_seq: Annotated[StrictInt, Field(ge=0, lt=2**53)] | None = None
    stream: Annotated[StrictStr, Field(max_length=64)] | None = None
    detail: Literal["rows", "book"] = "rows"
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=8)] | None = None

    @model_validator(mode="after")
    def _rows_have_sections(self) -> Subscribe:
        if self.detail == "book" and self.sections is not None:
            raise ValueError('sections go with detail "rows": detail "book" is always whole')
        return self


class Unsubscribe(_Strict):
    """No more deltas; RMS's `update`s come again."""

    type: Literal["unsubscribe"]


class GetAlerts(_Strict):
    """Open alerts, those that recovered lately and pending ones; with `history` also old ones."""

    type: Literal["get_alerts"]
    login_id: Annotated[StrictInt, Field(ge=0, lt=2**63)] | None = None
    rule: Annotated[StrictStr, Field(max_length=64)] | None = None
    history: StrictBool = False
    exact: Annotated[StrictBool, Field(description="every field, as in detail book")] = False
    most: Annotated[StrictInt, Field(ge=1, le=2_000)] = 200


class GetDeals(_Strict):
    """Closed deals of the history window of an account; without `login_id` of all."""

    type: Literal["get_deals"]
    login_id: Login | None = None


class FindAccounts(_Strict):
    """Which of these logins the source has, watched or not; or all that are in such groups."""

    type: Literal["find_accounts"]
    login_ids: Annotated[tuple[Login, ...], Field(min_length=1, max_length=1_000)] | None = None
    groups: Annotated[StrictStr, Field(min_length=1, max_length=1_000)] | None = None

    @model_validator(mode="after")
    def _one_of(self) -> FindAccounts:
        if (self.login_ids is None) == (self.groups is None):
            raise ValueError("expected exactly one of login_ids or groups")
        return self


class Acknowledge(_Command):
    """Mark an alert as handled."""

    type: Literal["acknowledge"]
    alert_id: AlertId
    note: Annotated[StrictStr, Field(max_length=1_000)] | None = None


class Snooze(_Command):
    """Silence an alert for a time."""

    type: Literal["snooze"]
    alert_id: AlertId
    seconds: Annotated[Seconds, Field(le=LONGEST_SNOOZE)]


class SetInterval(_Command):
    """Poll every so many seconds."""

    type: Literal["set_interval"]
    seconds: Annotated[Number, Field(ge=0.05, le=3600, allow_inf_nan=False)]


class AssignProfile(_Command):
    """Judge an account by a profile's name, by limits of its own, or (null) by the plan again."""

    type: Literal["assign_profile"]
    login_id: Login
    profile: Annotated[StrictStr, Field(min_length=1, max_length=128)] | dict[str, Any] | None


class EnterBase(_Command):
    """Enter the base of an account's present trading days where it is not known."""

    type: Literal["enter_base"]
    login_id: Login
    balance: Money
    equity: Money


class EnterPeak(_Command):
    """Enter a peak of an account as it stands now, by the trail its rule follows.

    `source` and `withdrawals` are the rule's `peak` and `withdrawals`; `zone` and `rollover` are
    of an end-of-day peak.
    """

    type: Literal["enter_peak"]
    login_id: Login
    source: Literal["equity", "balance", "eod_balance", "max_balance_equity"]
    withdrawals: Literal["lower_peak", "ignore"]
    zone: Annotated[StrictStr, Field(max_length=64)] | None = None
    rollover: Annotated[StrictStr, Field(max_length=8)] | None = None
    value: Money


class Stress(_Strict):
    """The book with a symbol's or a currency's price moved by `percent`, up and down.

    Or by a saved `scenario`, which has percentages of its own, and the other way round.
    """

    type: Literal["stress"]
    symbol: Symbol | None = None
    currency: Annotated[StrictStr, Field(min_length=1, max_length=16)] | None = None
    scenario: Annotated[StrictStr, Field(min_length=1, max_length=40)] | None = None
    percent: Annotated[Number, Field(gt=0, lt=100, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Stress:
        if sum(one is not None for one in (self.symbol, self.currency, self.scenario)) != 1:
            raise ValueError("expected exactly one of symbol, currency or scenario")
        if (self.percent is None) != (self.scenario is not None):
            raise ValueError("expected percent with a symbol or currency, and none with a scenario")
        return self


Request: TypeAlias = (
    AddAccount
    | RemoveAccount
    | GetSnapshot
    | GetExposure
    | GetStats
    | Subscribe
    | Unsubscribe
    | GetAlerts
    | GetDeals
    | FindAccounts
    | Acknowledge
    | Snooze
    | SetInterval
    | AssignProfile
    | EnterBase
    | EnterPeak
    | Stress
)

COMMANDS = (
    AddAccount, RemoveAccount, Acknowledge, Snooze, SetInterval, AssignProfile, EnterBase,
    EnterPeak,
)  # fmt: skip
"""Requests that change something: a reader's are refused."""

MODELS: Mapping[str, type[Request]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(Request)
}
"""Each request's model by its `type`."""

REQUESTS: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="type")])


class Refused(Exception):
    """A message that is no request: what is wrong, in words, and where."""

    def __init__(
        self, code: str, text: str, *, field: str | None = None, id: str | int | None = None
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.field = field
        self.id = id


def request(message: str | bytes) -> Request:
    """The request a message is. Raises Refused, naming the field that is wrong."""
    if isinstance(message, bytes):
        raise Refused("invalid_message", "expected a text message with JSON, got a binary one")
    try:
        found = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise Refused("invalid_json", f"not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise Refused("invalid_message", "expected a JSON object with a type")
    correlation = _correlation(found.get("id"))
    kind = found.get("type")
    if not isinstance(kind, str):
        words, code = "type: expected a text", "invalid_field"
        if "type" not in found:
            words, code = "type: is missing", "missing_field"
        raise Refused(code, words, field="type", id=correlation)
    model = MODELS.get(kind)
    if model is None:
        raise Refused(
            "unknown_type",
            f"type: no request {kind[:40]!r}; expected one of {', '.join(MODELS)}",
            field="type",
            id=correlation,
        )
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise _refusal(error, correlation) from None


def schema() -> dict[str, Any]:
    """JSON Schema of everything on the wire: `in` for requests, `out` for what is sent."""
    from rms_tui.serve.replies import MESSAGES

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rms-tui WebSocket",
        "in": REQUESTS.json_schema(ref_template="#/in/$defs/{model}"),
        "out": MESSAGES.json_schema(ref_template="#/out/$defs/{model}"),
    }


def _correlation(value: object) -> str | int | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return value[:128] if isinstance(value, str) else value


def _refusal(error: ValidationError, correlation: str | int | None) -> Refused:
    """The first thing that is wrong, in words; what came is shown short and never a secret."""
    problem, *others = error.errors(include_url=False, include_context=False)
    field = _field(problem)
    words = _WORDS.get(str(problem["type"])) or str(problem["msg"]).removeprefix("Value error, ")
    branches = [_expected(one) for one in (problem, *others) if _field(one) == field]
    if all(branches):
        words = f"expected {' or '.join(dict.fromkeys(branches))}"
    came = problem["input"]
    if isinstance(came, str | int | float) and problem["type"] != "extra_forbidden":
        words += f", got {str(came)[:40]!r}" if isinstance(came, str) else f", got {came}"
    code = {"missing": "missing_field", "extra_forbidden": "unknown_field"}.get(
        str(problem["type"]), "invalid_field"
    )
    text = words if field is None else f"{field}: {words}"
    return Refused(code, text, field=field, id=correlation)


def _field(problem: ErrorDetails) -> str | None:
    return ".".join(str(part) for part in problem["loc"] if part not in _KINDS) or None


def _expected(problem: ErrorDetails) -> str:
    """What a branch of a union would have taken; nothing where the problem is another."""
    before, wanted, after = str(problem["msg"]).partition("Input should be ")
    return after if wanted and not before else ""


_WORDS = {"missing": "is missing", "extra_forbidden": "is not a field of this request"}

_KINDS = frozenset({"int", "float", "str", "constrained-str", "constrained-int", "dict[str,any]"})
"""Branches of a union, which pydantic adds to the path of a field."""
