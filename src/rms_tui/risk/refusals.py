"""What is wrong with a profile that somebody wrote: the key, what was expected and what came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError


def refusals(error: ValidationError, where: str = "") -> list[str]:
    """One line a problem: `rules.0.daily_loss.amount: expected greater than 0, got -5`.

    `where` is the key of what was refused as a whole.
    """
    return [_line(problem, where) for problem in error.errors()]


def _line(problem: Mapping[str, Any], where: str) -> str:
    key = ".".join([where] * bool(where) + [str(part) for part in problem["loc"]])
    came = problem.get("input")
    shown = "" if isinstance(came, (dict, list)) else f", got {came!r}"
    match problem["type"]:
        case "missing":
            return f"{key}: missing key"
        case "extra_forbidden":
            return f"{key}: unknown key{shown}"
        case "union_tag_not_found":
            return f"{key}.rule: missing key; expected the rule's name"
        case "union_tag_invalid":
            context = problem["ctx"]
            return f"{key}.rule: no rule {context['tag']!r}; expected {context['expected_tags']}"
    words = str(problem["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    return f"{key}: {words}{shown}" if key else f"{words}{shown}"
