"""Limits as data: a RiskProfile is a named list of rules, and an Assignment says whose it is.

The keys are those of `rms.toml` and of an element's document. A missing or misspelt key is an
error that names it; there is no default for a limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from rms_tui.risk.refusals import shown
from rms_tui.risk.scenario import Scenario
from rms_tui.risk.written import Frozen, Number

Share = Annotated[Number, Field(gt=0)]
Band = Annotated[Number, Field(gt=0, le=1)]
"""A share of the allowance: 0.8 is 80 % of it."""
Money = Annotated[Number, Field(gt=0)]
Percent = Annotated[Number, Field(gt=0, le=100)]
SERVER = "server"
"""The zone name of the trading server's own wall clock."""


class Confirm(Frozen):
    """How long a state must last before it is believed: consecutive good polls and seconds."""

    polls: Annotated[int, Field(ge=1, strict=True)] = 2
    seconds: Annotated[Number, Field(ge=0)] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _from_short_forms(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("expected polls (2) or seconds ('30s'), got a truth value")
        if isinstance(value, int):
            return {"polls": value}
        if isinstance(value, str):
            match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*s", value)
            if match is None:
                raise ValueError(f"expected polls (2) or seconds ('30s'), got {shown(value)}")
            return {"polls": 1, "seconds": float(match[1])}
        return value


@dataclass(frozen=True, slots=True)
class Rollover:
    """When a trading day starts: a wall-clock time in an IANA zone, or on the server's clock.

    Raises ValueError for a zone or a time that does not exist.
    """

    zone: str = SERVER
    at: str = "00:00"

    def __post_init__(self) -> None:
        if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", self.at) is None:
            raise ValueError(f"rollover {shown(self.at)}: expected a time from 00:00 to 23:59")
        if self.zone != SERVER:
            try:
                ZoneInfo(self.zone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError(
                    f"no time zone {shown(self.zone)}: expected 'server' or an IANA name "
                    "such as Europe/Prague"
                ) from None


def _existing_zone(zone: str) -> str:
    return Rollover(zone=zone).zone


def _wall_clock(at: str) -> str:
    return Rollover(at=at).at


Zone = Annotated[str, AfterValidator(_existing_zone)]
WallClock = Annotated[str, AfterValidator(_wall_clock)]


class _Rule(Frozen):
    boundary: Literal["inclusive", "exclusive"] = "inclusive"
    caution: Band = 0.8
    critical: Band = 0.95
    confirm: Confirm = Confirm()
    hysteresis: Annotated[Number, Field(ge=0, lt=1)] = 0.02
    """Share of the allowance by which it must fall below the band before an alert recovers."""

    @model_validator(mode="after")
    def _bands_in_order(self) -> Self:
        if self.caution > self.critical:
            raise ValueError(
                f"caution {self.caution:g} must not be above critical {self.critical:g}: "
                "who is critical has passed caution"
            )
        return self


class MarginLevel(_Rule):
    """Equity/margin in percent at or below `warning`, then `critical`; the broker's stop-out is
    the breach."""

    rule: Literal["margin_level"]
    warning: Share
    critical: Share  # percent here, not a share of an allowance

    @model_validator(mode="after")
    def _bands_in_order(self) -> Self:
        if self.critical > self.warning:
            raise ValueError(
                f"critical {self.critical:g} % must not be above warning {self.warning:g} %: "
                "a falling level passes the warning first"
            )
        return self


class MaxLoss(_Rule):
    """Floating profit at or below `amount` (negative), in the account's currency or `currency`."""

    rule: Literal["max_loss"]
    amount: Annotated[Number, Field(lt=0)]
    currency: str | None = None


class _Allowance(_Rule):
    amount: Money | None = None
    percent: Percent | None = None

    @model_validator(mode="after")
    def _one_of(self) -> _Allowance:
        if (self.amount is None) == (self.percent is None):
            raise ValueError("expected exactly one of amount (money) or percent")
        return self


class DailyLoss(_Allowance):
    """Floor under the day's base: base - amount, moved by deposits and withdrawals."""

    rule: Literal["daily_loss"]
    base: Literal["balance", "equity", "max_balance_equity", "initial"]
    of: Literal["initial", "base"] = "initial"
    value: Literal["equity", "balance", "worst"] = "equity"
    flows: Literal["adjust", "ignore"] = "adjust"
    zone: Zone | None = None
    rollover: WallClock | None = None


class TotalLoss(_Allowance):
    """A fixed floor under the initial balance: initial - amount, whatever was gained since."""

    rule: Literal["total_loss"]
    value: Literal["equity", "balance", "worst"] = "equity"


class TrailingDrawdown(_Allowance):
    """A floor that follows the peak upwards: peak - amount, never above `lock`.

    The peak is of live equity, of the closed balance, of the balance at the end of the trading
    day, or of the higher of balance and equity; it starts at the initial balance and never falls.
    `withdrawals = "lower_peak"` moves it with money in and out, `"ignore"` does not.
    """

    rule: Literal["trailing_drawdown"]
    peak: Literal["equity", "balance", "eod_balance", "max_balance_equity"]
    of: Literal["peak", "initial"] = "peak"
    lock: Number | None = None
    withdrawals: Literal["lower_peak", "ignore"] = "ignore"
    value: Literal["equity", "balance", "worst"] = "equity"
    zone: Zone | None = None
    rollover: WallClock | None = None


class PositionRisk(_Allowance):
    """Loss of the riskiest position if its stop is hit; a position without stop is unlimited.

    With `idea` (seconds) positions of one symbol and direction are judged together, and with them
    what was closed of the same idea, which is over when it was not reopened within that time.
    """

    rule: Literal["position_risk"]
    of: Literal["initial", "balance", "equity"] = "balance"
    idea: Annotated[Number, Field(ge=0)] | None = None


class ProfitTarget(_Allowance):
    """Equity or balance at or above initial + amount + deposits: reached, not breached."""

    rule: Literal["profit_target"]
    value: Literal["equity", "balance"] = "equity"
    flat: Annotated[bool, Field(strict=True)] = False
    period: Literal["day", "total"] = "total"


class MaxProfit(_Allowance):
    """The day's or the total profit at or above an amount: reached, not breached.

    `base` is what a day's profit is counted from, where it is not the start of `value` itself.
    """

    rule: Literal["max_profit"]
    value: Literal["equity", "balance"] = "equity"
    base: Literal["equity", "balance"] | None = None
    flat: Annotated[bool, Field(strict=True)] = False
    period: Literal["day", "total"] = "total"


class PositionSize(_Rule):
    """Lots, or notional in percent of equity, of a symbol; with a mask, of all it matches."""

    rule: Literal["position_size"]
    lots: Money | None = None
    percent: Annotated[Number, Field(gt=0)] | None = None
    symbols: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_of(self) -> PositionSize:
        if (self.lots is None) == (self.percent is None):
            raise ValueError("expected exactly one of lots or percent (of equity)")
        return self


class StopLossRequired(_Rule):
    """No position may be without a stop loss for `seconds` or longer."""

    rule: Literal["stop_loss_required"]
    seconds: Annotated[Number, Field(gt=0)]


class OpenPositions(_Rule):
    """Open positions at `count` or more (`exclusive`: more than `count`)."""

    rule: Literal["open_positions"]
    count: Annotated[int, Field(ge=1, strict=True)]


Rule: TypeAlias = Annotated[
    MarginLevel
    | MaxLoss
    | DailyLoss
    | TotalLoss
    | TrailingDrawdown
    | ProfitTarget
    | PositionRisk
    | PositionSize
    | OpenPositions
    | MaxProfit
    | StopLossRequired,
    Field(discriminator="rule"),
]


class RiskProfile(Frozen):
    """A named list of rules, with what they have in common."""

    name: str = ""
    currency: Annotated[str, Field(min_length=1)] | None = None
    initial_balance: Annotated[Number, Field(ge=0)] | None = None
    zone: Zone = SERVER
    rollover: WallClock = "00:00"
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _percent_of_something(self) -> RiskProfile:
        of_initial = [rule.rule for rule in self.rules if _is_percent_of_initial(rule)]
        if self.initial_balance == 0 and of_initial:
            raise ValueError(
                f"initial_balance: {of_initial[0]} is in percent of it; expected an amount there, "
                "or more than 0"
            )
        return self


def _is_percent_of_initial(rule: Any) -> bool:
    of = "initial" if isinstance(rule, (TotalLoss, ProfitTarget, MaxProfit)) else "balance"
    return getattr(rule, "percent", None) is not None and getattr(rule, "of", of) in (
        "initial",
        "peak",
    )


def rollover_of(profile: RiskProfile, rule: Any) -> Rollover:
    """The rollover a rule counts its day from: its own, else the profile's."""
    return _rollover(
        getattr(rule, "zone", None) or profile.zone,
        getattr(rule, "rollover", None) or profile.rollover,
    )


@lru_cache(maxsize=256)
def _rollover(zone: str, at: str) -> Rollover:
    return Rollover(zone, at)


@dataclass(frozen=True, slots=True)
class Trail:
    """What a peak is of: rules whose trails are equal share one peak of an account.

    `rollover` is set for `eod_balance` only: the other sources do not wait for a day's end.
    """

    source: str
    withdrawals: str
    rollover: Rollover | None = None


def trail_of(profile: RiskProfile, rule: TrailingDrawdown) -> Trail:
    """The peak that a trailing rule follows."""
    daily = rule.peak == "eod_balance"
    return Trail(rule.peak, rule.withdrawals, rollover_of(profile, rule) if daily else None)


class Assign(Frozen):
    """One line of the assignment: these groups (MT5 masks) or logins get that profile."""

    profile: str
    groups: str | None = None
    logins: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _of_somebody(self) -> Assign:
        if not self.logins and not (self.groups or "").strip():
            raise ValueError(
                "expected groups (a mask such as demo\\*) or logins: without them nobody gets it"
            )
        return self


@lru_cache(maxsize=4096)
def _pattern(mask: str) -> re.Pattern[str]:
    pieces = (re.escape(piece) for piece in mask.split("*"))
    return re.compile(".*".join(pieces), re.IGNORECASE | re.DOTALL)


def mask_matches(masks: str, text: str) -> bool:
    """MT5's mask syntax: `demo\\*,!demo\\test*`. Any mask matches, no `!` mask does."""
    wanted = False
    for raw in masks.split(","):
        mask = raw.strip()
        if mask.startswith("!"):
            if _pattern(mask[1:]).fullmatch(text):
                return False
        elif mask:
            wanted = wanted or _pattern(mask).fullmatch(text) is not None
    return wanted


class Plan(Frozen):
    """All profiles and who gets which: login before group mask before the default.

    With them the saved scenarios that the stress view offers, which judge nobody.
    """

    profiles: tuple[RiskProfile, ...]
    assigned: tuple[Assign, ...] = ()
    default: str | None = None
    overnight_minutes: Annotated[Number, Field(ge=0)] = 60.0
    """Minutes before a rollover in which its verdict is shown beforehand; 0: never."""
    own: frozenset[int] = frozenset()
    """Accounts that have a profile of their own, among `assigned`."""
    refused: frozenset[int] = frozenset()
    """Those of `own` whose profile cannot be used: nothing is decided about them."""
    scenarios: tuple[Scenario, ...] = ()

    @model_validator(mode="after")
    def _names_exist(self) -> Plan:
        names = [profile.name for profile in self.profiles]
        wanted = {f"assign.{at}.profile": line.profile for at, line in enumerate(self.assigned)}
        for key, name in (*wanted.items(), ("default_profile", self.default)):
            if name is not None and name not in names:
                there = ", ".join(sorted(names))
                raise ValueError(f"{key}: no profile {name!r}: there are {there}")
        return self

    @model_validator(mode="after")
    def _scenarios_told_apart(self) -> Plan:
        known: set[str] = set()
        for at, scenario in enumerate(self.scenarios):
            if scenario.name in known:
                raise ValueError(f"scenarios.{at}.name: {scenario.name!r} is there twice")
            known.add(scenario.name)
        return self

    def scenario(self, name: str) -> Scenario:
        """The saved scenario of that name. Raises ValueError with those there are."""
        for scenario in self.scenarios:
            if scenario.name == name:
                return scenario
        there = ", ".join(one.name for one in self.scenarios) or "none in rms.toml"
        raise ValueError(f"no scenario {name!r}: there are {there}")

    def rows(self, logins: Sequence[int], groups: Iterable[str]) -> list[int]:
        """Index into `profiles` for each account, -1 for one without a profile."""
        index = {profile.name: i for i, profile in enumerate(self.profiles)}
        own = {
            login: index[line.profile] for line in reversed(self.assigned) for login in line.logins
        }
        fallback = -1 if self.default is None else index[self.default]
        masks = [(line.groups, index[line.profile]) for line in self.assigned if line.groups]
        by_group: dict[str, int] = {}
        chosen = []
        for login, group in zip(logins, groups, strict=True):
            if group not in by_group:
                by_group[group] = next(
                    (profile for mask, profile in masks if mask_matches(mask, group)), fallback
                )
            chosen.append(own.get(login, by_group[group]))
        return chosen


def limits_profile(
    *, margin_warning: float, margin_critical: float, max_loss: float, name: str = "limits"
) -> RiskProfile:
    """The profile of the three settings every installation has (percent, percent, money < 0)."""
    return RiskProfile(
        name=name,
        rules=(
            MarginLevel(rule="margin_level", warning=margin_warning, critical=margin_critical),
            MaxLoss(rule="max_loss", amount=max_loss),
        ),
    )
