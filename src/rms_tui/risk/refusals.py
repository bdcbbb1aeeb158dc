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


WORDS = {
    "Value error, ": "",
    "Input should be": "expected",
    "String should have": "expected",
    "a valid tuple": "a list",
    "a valid dictionary or object to extract fields from": "an object with keys",
}
"""What the validator calls things, and what the writer of a file does."""

LONGEST = 80
"""Signs of what came that are shown: who wrote a thousand finds it by its key."""


def shown(came: object) -> str:
    """What came, as it was written, in no more than a line."""
    try:
        text = repr(came)
    except ValueError:  # a whole number of more digits than Python writes out
        text = "a number of thousands of digits"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _line(problem: Mapping[str, Any], where: str) -> str:
    key = ".".join([where] * bool(where) + [_name(part) for part in problem["loc"]])
    came = problem.get("input")
    got = "" if isinstance(came, (dict, list)) else f", got {shown(came)}"
    match problem["type"]:
        case "missing":
            return f"{key}: missing key"
        case "extra_forbidden":
            return f"{key}: unknown key{got}"
        case "union_tag_not_found":
            return f"{key}.rule: missing key; expected the rule's name"
        case "union_tag_invalid":
            context = problem["ctx"]
            return (
                f"{key}.rule: no rule {shown(context['tag'])}; expected {context['expected_tags']}"
            )
    words = str(problem["msg"])
    for theirs, ours in WORDS.items():
        words = words.replace(theirs, ours)
    if problem["type"] == "value_error" and shown(came) in words:
        got = ""
    return f"{key}: {words}{got}" if key else f"{words}{got}"


def _name(part: object) -> str:
    """A part of a key; one that no line should carry as it is, in quotes."""
    text = str(part)
    return text if text.isprintable() and len(text) <= LONGEST else shown(text)
