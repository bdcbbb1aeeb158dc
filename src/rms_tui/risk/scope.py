"""A plan laid over the accounts of a Book: which rule of which profile runs over which rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rms_tui.book import Accounts, Bytes, Flags, Floats, Ints
from rms_tui.risk import currency, holdings
from rms_tui.risk.days import SERVER_DAY
from rms_tui.risk.profile import (
    Plan,
    RiskProfile,
    Rollover,
    Rule,
    Trail,
    TrailingDrawdown,
    rollover_of,
    trail_of,
)
from rms_tui.risk.rules import RULES
from rms_tui.risk.rules.shape import Key, initial_of


@dataclass(frozen=True, slots=True)
class Applied:
    """One rule of one profile and the account rows it applies to (None: all).

    `key` is the rule's identity across polls, restarts and edits of other rules: its profile, which
    one it is of those with its name, and that name. `against` is each row's Reason for deciding
    nothing whatever the figures, None where there is none.
    """

    profile: RiskProfile
    rule: Rule
    rows: Ints | None
    key: str
    limits_read: tuple[Key, ...]
    reads: tuple[Key, ...]
    against: Bytes | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """A plan laid over the accounts of a Book: which rules run over which rows.

    `profile` is the index of each account's profile in the plan, -1 for none, and `initial` that
    profile's initial balance, NaN for none. `rollovers` are those a rule needs, after the server's
    own day for the Day P/L column; `trails` the peaks and `figures` the holdings rules ask for.
    """

    plan: Plan
    login: Ints
    group: tuple[str, ...]
    currency: tuple[str, ...]
    profile: Ints
    applied: tuple[Applied, ...]
    rollovers: tuple[Rollover, ...]
    initial: Floats
    trails: tuple[Trail, ...]
    figures: tuple[Key, ...]
    refused: Ints
    """Rows whose own profile cannot be used."""


def scope_of(plan: Plan, accounts: Accounts, previous: Scope | None = None) -> Scope:
    """Lay a plan over accounts; the previous scope is kept while nothing changed."""
    if (
        previous is not None
        and previous.plan is plan
        and previous.login is accounts.login
        and previous.group is accounts.group
        and previous.currency is accounts.currency
    ):
        return previous
    chosen = np.array(plan.rows(accounts.login.tolist(), accounts.group), dtype=np.int64)
    initial = np.array([*(initial_of(profile) for profile in plan.profiles), np.nan])
    starts = initial[chosen]
    applied: list[Applied] = []
    for index, profile in enumerate(plan.profiles):
        rows = np.flatnonzero(chosen == index)
        if not len(rows):
            continue
        where = None if len(rows) == len(chosen) else rows
        elsewhere = currency.foreign(profile, accounts.currency, rows)
        if elsewhere is not None:
            starts[rows[elsewhere]] = np.nan
        applied += [
            _applied(profile, key, rule, where, elsewhere)
            for key, rule in zip(keys_of(profile), profile.rules, strict=True)
        ]
    rollovers = dict.fromkeys(
        [SERVER_DAY, *(rollover_of(one.profile, one.rule) for one in applied)]
    )
    trails = dict.fromkeys(
        trail_of(one.profile, one.rule) for one in applied if isinstance(one.rule, TrailingDrawdown)
    )
    figures = dict.fromkeys(key for one in applied for key in one.reads if holdings.is_figure(key))
    return Scope(
        plan,
        accounts.login,
        accounts.group,
        accounts.currency,
        chosen,
        tuple(applied),
        tuple(rollovers),
        starts,
        tuple(trails),
        tuple(figures),
        _refused(plan, accounts),
    )


def _refused(plan: Plan, accounts: Accounts) -> Ints:
    logins = np.array(sorted(plan.refused), dtype=np.int64)
    return np.flatnonzero(np.isin(accounts.login, logins)).astype(np.int64)


def keys_of(profile: RiskProfile) -> list[str]:
    """The identity of each rule of a profile, in their order."""
    names = [rule.rule for rule in profile.rules]
    return [
        f"{profile.name}/{names[:place].count(name)}:{name}" for place, name in enumerate(names)
    ]


def _applied(
    profile: RiskProfile, key: str, rule: Rule, rows: Ints | None, elsewhere: Flags | None
) -> Applied:
    meant = currency.converted(profile, rule, elsewhere)
    kind = RULES[type(meant)]
    return Applied(
        profile,
        meant,
        rows,
        key,
        kind.limits_read(meant, profile),
        kind.reads(meant),
        currency.against(rule, elsewhere),
    )
