"""The filter a dealer types: `level<150 group:real\\* name~cli`, every term must hold.

Pure: text and a table of fields in, a query out, whose `mask` is a column of flags over a frame.
A mistake raises FilterError, which says where it is and what was expected there.

    term  = [!] field operator value | word
    :     starts with, or an MT5 mask if it has a * ; a state: that state
    ~     contains                     = !=  is, is not
    < <= > >=   numbers and states     value  may stand in "double quotes"
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from rms_tui.book import Flags
from rms_tui.frame import Frame
from rms_tui.risk.profile import mask_matches

Test: TypeAlias = Callable[[str], bool]


class FilterError(ValueError):
    """What is wrong with a filter: the character it starts at, and what was expected."""

    def __init__(self, at: int, text: str) -> None:
        super().__init__(text)
        self.at = at
        self.text = text


@dataclass(frozen=True, slots=True)
class NumberField:
    """A figure of each row. `scale` turns what is typed into the column's unit."""

    column: Callable[[Frame], Any]
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class IdField:
    """A whole number that names the row; `:` compares its first digits."""

    column: Callable[[Frame], Any]


@dataclass(frozen=True, slots=True)
class TextField:
    """A text of each row."""

    texts: Callable[[Frame], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class HoldsField:
    """Rows that hold something whose text passes, such as a position in a symbol."""

    rows_with: Callable[[Frame, Test], Flags]


@dataclass(frozen=True, slots=True)
class WordField:
    """An ordered word of each row, such as its state."""

    column: Callable[[Frame], Any]
    words: Mapping[str, int]


Field: TypeAlias = NumberField | IdField | TextField | HoldsField | WordField
Fields: TypeAlias = Mapping[str, Field]

NO_FIELDS: Fields = MappingProxyType({})
"""Of a table that is not filtered."""

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_TERM = re.compile(
    r'(?P<no>!?)(?P<field>[A-Za-z_]+)(?P<op><=|>=|!=|[<>=:~])(?P<value>"[^"]*"?|\S*)'
)
_WORD = re.compile(r'(?P<no>!?)(?P<word>"[^"]*"?|\S+)')


@dataclass(frozen=True, slots=True)
class _Term:
    """One condition."""

    holds: Callable[[Frame], Flags]
    negated: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed filter."""

    text: str
    terms: tuple[_Term, ...] = field(compare=False)

    def mask(self, frame: Frame) -> Flags | None:
        """Which rows pass; None when there is nothing to filter by."""
        passing: Flags | None = None
        for term in self.terms:
            flags = term.holds(frame)
            flags = ~flags if term.negated else flags
            passing = flags if passing is None else passing & flags
        return passing


EVERYTHING = Query("", ())


def parse(text: str, fields: Fields, words: tuple[str, ...] = ()) -> Query:
    """The query a text stands for. `words` are the fields a bare word is looked for in.

    Raises FilterError.
    """
    terms: list[_Term] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TERM.match(text, at)
        if match is not None:
            terms.append(_term(match, fields))
        else:
            match = _WORD.match(text, at)
            if match is None:
                raise FilterError(at, "expected a field such as level<150")
            terms.append(_bare(match, fields, words))
        at = match.end()
        if at < len(text) and not text[at].isspace():
            raise FilterError(at, "expected a space between two conditions")
    return Query(text.strip(), tuple(terms))


def _term(match: re.Match[str], fields: Fields) -> _Term:
    name, sign = match["field"].casefold(), match["op"]
    found = _field(name, match.start("field"), fields)
    value = _value(match["value"], match.start("value"), name, sign)
    at, negated = match.start("value"), bool(match["no"])
    match found:
        case NumberField():
            return _Term(_number(found, name, sign, value, match, at), negated)
        case IdField():
            return _Term(_id(found, name, sign, value, match, at), negated)
        case WordField():
            return _Term(_ordered(found, name, sign, value, match, at), negated)
        case TextField():
            return _Term(_by_text(found.texts, _text_test(name, sign, value, match)), negated)
        case HoldsField():
            test, rows_with = _text_test(name, sign, value, match), found.rows_with
            return _Term(lambda frame: rows_with(frame, test), negated)


def _field(name: str, at: int, fields: Fields) -> Field:
    if name in fields:
        return fields[name]
    starting = [known for known in fields if known.startswith(name)]
    if len(starting) == 1:
        return fields[starting[0]]
    raise FilterError(at, f"no field {name!r} here: expected {', '.join(starting or fields)}")


def _value(raw: str, at: int, name: str, sign: str) -> str:
    if raw.startswith('"'):
        if len(raw) < 2 or not raw.endswith('"'):
            raise FilterError(at, 'expected a closing "')
        return raw[1:-1]
    if not raw:
        raise FilterError(at, f"expected a value after {name}{sign}")
    return raw


def _number(
    found: NumberField, name: str, sign: str, value: str, match: re.Match[str], at: int
) -> Callable[[Frame], Flags]:
    if sign == "~":
        raise FilterError(match.start("op"), f"{name} is a number: expected < <= > >= = or !=")
    try:
        wanted = float(value.replace("_", "").replace(",", "").rstrip("%")) * found.scale
    except ValueError:
        raise FilterError(at, f"expected a number after {name}{sign}, got {value!r}") from None
    if math.isnan(wanted):
        raise FilterError(at, f"expected a number after {name}{sign}, got {value!r}")
    compare, column = _COMPARE["=" if sign == ":" else sign], found.column

    def holds(frame: Frame) -> Flags:
        figures = np.asarray(column(frame))
        return np.asarray(compare(figures, wanted) & ~np.isnan(figures), dtype=np.bool_)

    return holds


def _id(
    found: IdField, name: str, sign: str, value: str, match: re.Match[str], at: int
) -> Callable[[Frame], Flags]:
    if sign == "~":
        raise FilterError(match.start("op"), f"{name} is a number: expected : = != < <= > or >=")
    if not (value.isascii() and value.isdigit()) or len(value) > 18:
        raise FilterError(at, f"expected digits after {name}{sign}, got {value!r}")
    if sign == ":":
        return lambda frame: starts_with(np.asarray(found.column(frame)), value)
    compare, wanted = _COMPARE[sign], int(value)
    return lambda frame: np.asarray(compare(np.asarray(found.column(frame)), wanted), np.bool_)


def starts_with(numbers: Any, digits: str) -> Flags:
    """Which whole numbers are written with these digits first."""
    wanted = int(digits)
    flags = np.asarray(numbers == wanted, dtype=np.bool_)
    if digits.startswith("0"):
        return flags
    low, high = wanted, wanted + 1
    for _ in range(18 - len(digits)):
        low, high = low * 10, high * 10
        flags |= (numbers >= low) & (numbers < high)
    return flags


def _ordered(
    found: WordField, name: str, sign: str, value: str, match: re.Match[str], at: int
) -> Callable[[Frame], Flags]:
    if sign == "~":
        raise FilterError(match.start("op"), f"expected {name}: {name}= {name}>= or {name}<")
    meant = {code for word, code in found.words.items() if word.startswith(value.casefold())}
    exact = found.words.get(value.casefold())
    if exact is None and len(meant) != 1:
        raise FilterError(at, f"no {name} {value!r}: expected {', '.join(found.words)}")
    wanted = exact if exact is not None else meant.pop()
    compare, column = _COMPARE["=" if sign == ":" else sign], found.column
    return lambda frame: np.asarray(compare(np.asarray(column(frame)), wanted), dtype=np.bool_)


def _text_test(name: str, sign: str, value: str, match: re.Match[str]) -> Test:
    wanted = value.casefold()
    match sign:
        case ":" if "*" in value or value.startswith("!") or "," in value:
            return lambda text: mask_matches(value, text)
        case ":":
            return lambda text: text.casefold().startswith(wanted)
        case "~":
            return lambda text: wanted in text.casefold()
        case "=":
            return lambda text: text.casefold() == wanted
        case "!=":
            return lambda text: text.casefold() != wanted
    raise FilterError(match.start("op"), f"{name} is text: expected : ~ = or !=")


def _within(part: str, text: str) -> bool:
    return part in text.casefold()


def _by_text(texts: Callable[[Frame], tuple[str, ...]], test: Test) -> Callable[[Frame], Flags]:
    """Rows whose text passes; not asked again while the column is the same object."""
    last: list[tuple[tuple[str, ...], Flags]] = []

    def holds(frame: Frame) -> Flags:
        column = texts(frame)
        if last and last[0][0] is column:
            return last[0][1]
        passing = {text for text in set(column) if test(text)}
        flags = np.fromiter((text in passing for text in column), dtype=np.bool_, count=len(column))
        last[:] = [(column, flags)]
        return flags

    return holds


def _bare(match: re.Match[str], fields: Fields, words: tuple[str, ...]) -> _Term:
    word = match["word"]
    if word.startswith('"'):
        word = _value(word, match.start("word"), "", "")
    elif starting := [name for name in fields if name.startswith(word.casefold())]:
        raise FilterError(match.end(), f"expected : ~ = < or > after {' or '.join(starting)}")
    wanted = word.casefold()
    checks: list[Callable[[Frame], Flags]] = []
    for name in words:
        found = fields[name]
        if isinstance(found, TextField):
            checks.append(_by_text(found.texts, partial(_within, wanted)))
        elif isinstance(found, IdField) and word.isascii() and word.isdigit() and len(word) <= 18:
            checks.append(_id(found, name, ":", word, match, match.start()))
    if not checks or not wanted:
        raise FilterError(match.start(), f"expected a field: {', '.join(fields)}")

    def holds(frame: Frame) -> Flags:
        flags = checks[0](frame)
        for check in checks[1:]:
            flags = flags | check(frame)
        return flags

    return _Term(holds, bool(match["no"]))
