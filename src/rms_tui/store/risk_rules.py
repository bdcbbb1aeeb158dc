"""What each rule says of a fleet's account, as its worker wrote it, and read back as it was.

Consoles show a worker's verdicts, they make none of their own: so every rule stands in the
element's `risk.rules` with the settings it was judged by. What cannot be read is left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rms_tui.risk.assessment import Assessment, verdicts_of
from rms_tui.risk.profile import Rule
from rms_tui.risk.verdict import Reason, State
from rms_tui.store.database import Document
from rms_tui.store.values import number, text

DIGITS = 6

FIGURES = ("value", "limit", "used", "distance")

_RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
_STATES = {state.word: state for state in State}


@dataclass(frozen=True, slots=True)
class Judged:
    """One rule's verdict over one account; NaN where unknown, infinite without a stop loss."""

    profile: str
    rule: Rule
    state: State
    reason: Reason
    value: float
    limit: float
    used: float
    distance: float


def rules_document(assessment: Assessment, row: int) -> Document:
    """`used` and `rules`, to stand in the element's `risk`; null is unknown or unlimited."""
    used = float(assessment.used[row])
    return {
        "used": number(used, DIGITS),
        "rules": [
            {
                "profile": text(verdict.profile),
                "rule": json.loads(verdict.rule.model_dump_json(exclude_defaults=True)),
                "state": State(int(verdict.state[at])).word,
                "reason": Reason(int(verdict.reason[at])).name.lower(),
                **{name: number(float(getattr(verdict, name)[at]), DIGITS) for name in FIGURES},
            }
            for verdict, at in verdicts_of(assessment, row)
        ],
    }


def judged_from(risk: Mapping[str, Any]) -> list[Judged]:
    """What `rules_document` wrote; nothing of a rule that this version does not know."""
    listed = risk.get("rules")
    found = []
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, Mapping):
            continue
        rule = _rule(json.dumps(one.get("rule"), sort_keys=True, default=str))
        if rule is None:
            continue
        reason = Reason.__members__.get(str(one.get("reason")).upper(), Reason.NONE)
        endless = math.inf if reason is Reason.NO_STOP_LOSS else math.nan
        found.append(
            Judged(
                str(one.get("profile") or ""),
                rule,
                state_of(one.get("state")),
                reason,
                figure(one.get("value"), endless),
                figure(one.get("limit")),
                figure(one.get("used"), endless),
                figure(one.get("distance"), -endless),
            )
        )
    return found


def state_of(word: object) -> State:
    """The state of that name; one that is none is UNKNOWN."""
    return _STATES.get(str(word), State.UNKNOWN)


def figure(value: object, otherwise: float = math.nan) -> float:
    """A number of a document, `otherwise` where there is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else otherwise  # type: ignore[arg-type]  # just looked at


@lru_cache(maxsize=4096)
def _rule(body: str) -> Rule | None:
    try:
        return _RULE.validate_json(body)
    except ValidationError:
        return None
