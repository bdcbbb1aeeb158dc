"""Symbols as integer codes, and their prices.

Positions name their symbol in 128 bytes each. Comparing 50 000 of those as text costs more than
everything else in a cycle, so they are read as 64-bit words and looked up in the table of names
seen so far; only a name never seen is decoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from rms_tui.book import Codes, Symbols, build, kept
from rms_tui.gateways.text import readable

Words: TypeAlias = npt.NDArray[np.uint64]

SymbolRow: TypeAlias = tuple[str, str, int, float]
"""base, quote, digits, contract."""

_symbol = attrgetter("Symbol", "CurrencyBase", "CurrencyProfit", "Digits", "ContractSize")
_price = attrgetter("bid", "ask")

MAJORS = ("USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD")
HUB = "USD"


def symbol_row(symbol: Any) -> tuple[str, SymbolRow]:
    """An MTConSymbol's name and what a Book needs of it."""
    name, base, quote, digits, contract = _symbol(symbol)
    return readable(name), (readable(base), readable(quote), int(digits), float(contract))


def words_of(table: npt.NDArray[Any], field: str) -> Words:
    """A fixed-width bytes field as rows of 64-bit words, without copying where the width allows."""
    field_type, offset = table.dtype.fields[field][:2]  # type: ignore[index]  # None only without fields
    width = field_type.itemsize
    if width % 8:
        wider = table[field].astype(f"S{width + 8 - width % 8}")
        padded: Words = wider.view(np.uint64).reshape(len(table), -1)
        return padded
    return np.ndarray(
        shape=(len(table), width // 8),
        dtype=np.uint64,
        buffer=table.view(np.uint8).data if table.flags.c_contiguous else table.tobytes(),
        offset=offset,
        strides=(table.dtype.itemsize, 8),
    )


class Codebook:
    """Rows of words to small integers, exactly: every hit is compared with the whole text."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._code_of_text: dict[bytes, int] = {}
        self._width = 1
        self._seed = 0
        self._rebuild()

    def codes(self, words: Words) -> tuple[Codes, list[bytes]]:
        """The code of each row, and the texts that got a new one (the next numbers, in order)."""
        fresh: list[bytes] = []
        codes, missing = self._lookup(words)
        if missing.any():
            for text in sorted({row.tobytes().rstrip(b"\0") for row in words[missing]}):
                if text not in self._code_of_text:
                    self._code_of_text[text] = len(self._texts)
                    self._texts.append(text)
                    fresh.append(text)
            self._rebuild()
            codes, missing = self._lookup(words)
        return codes, fresh

    def _lookup(self, words: Words) -> tuple[Codes, npt.NDArray[np.bool_]]:
        if not self._texts:
            return np.zeros(len(words), dtype=np.int32), np.ones(len(words), dtype=np.bool_)
        keys = self._keys(words)
        at = np.searchsorted(self._sorted_keys, keys)
        np.minimum(at, len(self._texts) - 1, out=at)
        codes = self._code_at[at]
        missing = self._sorted_keys[at] != keys
        if self._width > 1:  # several words: an equal key is not yet an equal text
            for column, known in enumerate(self._columns[: words.shape[1]]):
                missing |= words[:, column] != known[codes]
            for known in self._columns[words.shape[1] :]:
                missing |= known[codes] != 0
        longer = words[:, self._width :]
        if longer.any():
            missing |= longer.any(axis=1)
        return codes, missing

    def _keys(self, words: Words) -> Words:
        keys = words[:, 0].copy()
        for column in range(1, min(self._width, words.shape[1])):
            keys ^= words[:, column] * self._odd[column]
        return keys

    def _rebuild(self) -> None:
        longest = max(map(len, self._texts), default=0)
        self._width = max(1, -(-longest // 8))
        raw = np.array(self._texts or [b""], dtype=f"S{self._width * 8}")
        table: Words = raw.view(np.uint64).reshape(-1, self._width)
        self._columns = [np.ascontiguousarray(column) for column in table.T]
        while True:
            random = np.random.default_rng(self._seed)
            self._odd: Words = random.integers(
                1, 2**63, size=self._width, dtype=np.uint64
            ) | np.uint64(1)
            keys = self._keys(table)
            order = np.argsort(keys)
            self._sorted_keys = keys[order]
            if bool((self._sorted_keys[1:] != self._sorted_keys[:-1]).all()):
                self._code_at = order.astype(np.int32)
                return
            self._seed += 1


class SymbolBoard:
    """The symbols of a Book: those with positions, and those that convert its currencies."""

    def __init__(self) -> None:
        self._server: dict[str, SymbolRow] = {}
        self._names: list[str] = []
        self._rows: list[SymbolRow] = []
        self._code_of_name: dict[str, int] = {}
        self._code_of_text = np.empty(0, dtype=np.int32)
        self._book = Codebook()
        self._converts: frozenset[str] = frozenset()
        self._shown: Symbols | None = None

    def set_server(self, rows: Iterable[tuple[str, SymbolRow]]) -> None:
        """All symbols of the server; those already shown take the new values."""
        self._server = dict(rows)
        for code, name in enumerate(self._names):
            self._rows[code] = self._server.get(name, self._rows[code])
        self._converts = frozenset()

    def codes(self, positions: npt.NDArray[Any]) -> Codes:
        """Row in Symbols of each position; a name never seen gets the next row."""
        texts, fresh = self._book.codes(words_of(positions, "Symbol"))
        if fresh:
            added = [self._code(readable(text), text, positions) for text in fresh]
            self._code_of_text = np.append(self._code_of_text, np.array(added, dtype=np.int32))
        found: Codes = self._code_of_text[texts]
        return found

    def _code(self, name: str, text: bytes, positions: npt.NDArray[Any]) -> int:
        if name in self._code_of_name:
            return self._code_of_name[name]
        row = self._server.get(name)
        if row is None:
            first = positions[positions["Symbol"] == text][0]
            row = ("", "", int(first["Digits"]), float(first["ContractSize"]))
        return self._add(name, row)

    def _add(self, name: str, row: SymbolRow) -> int:
        code = self._code_of_name[name] = len(self._names)
        self._names.append(name)
        self._rows.append(row)
        return code

    def include_conversions(self, currencies: Iterable[str]) -> None:
        """Add the pairs that convert these currencies, the majors and what is held.

        A pair links a currency with USD or with one of `currencies`.
        """
        hubs = {currency for currency in currencies if currency} | {HUB}
        held = {currency for base, quote, *_ in self._rows for currency in (base, quote)}
        wanted = frozenset(hubs | held | set(MAJORS))
        if wanted == self._converts:
            return
        self._converts = wanted
        best: dict[tuple[str, str], str] = {}
        for name, (base, quote, _, _) in self._server.items():
            linked = base in wanted and quote in wanted and base != quote
            if linked and (base in hubs or quote in hubs):
                known = best.get((base, quote))
                if known is None or (len(name), name) < (len(known), known):
                    best[base, quote] = name
        held_pairs = {(base, quote) for base, quote, *_ in self._rows}
        for pair, name in sorted(best.items()):
            if pair not in held_pairs and name not in self._code_of_name:
                self._add(name, self._server[name])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._names)

    def symbols(self, ticks: Iterable[Any]) -> Symbols:
        """The table, with the last tick of each name in order (False: no price)."""
        nothing = (float("nan"), float("nan"))
        prices = [nothing if tick is False or tick is None else _price(tick) for tick in ticks]
        quotes = np.array(prices, dtype=np.float64).reshape(-1, 2)
        quotes[quotes <= 0.0] = np.nan
        base, quote, digits, contract = (
            zip(*self._rows, strict=True) if self._rows else ((), (), (), ())
        )
        columns = {
            "name": self._names, "base": base, "quote": quote, "digits": digits,
            "contract": contract, "bid": quotes[:, 0], "ask": quotes[:, 1],
        }  # fmt: skip
        self._shown = kept(build(Symbols, columns), self._shown)
        return self._shown
