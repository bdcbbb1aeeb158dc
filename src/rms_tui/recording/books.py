"""A Book as what differs from the Book recorded before it, and back.

A column that is the same object is not written, others as what changed (`coding`). Positions come
and go: their rows are told by ticket, and a column differs from the old one in the new rows' order.
Of deals, which mostly only arrive, the new rows are written. Reading gives back the same bits and,
for what was not written, the same objects. A Book out of a file is checked before anybody computes
with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

import numpy as np

from rms_tui.book import (
    Accounts,
    Book,
    Deals,
    Positions,
    Symbols,
    build,
    column_types,
    kept,
    rows_of,
)
from rms_tui.recording.body import Array, Columns, Tree
from rms_tui.recording.coding import changed, column_of, restored
from rms_tui.recording.shapes import tree_of, value_of

TABLES: dict[str, type[Any]] = {
    "accounts": Accounts,
    "positions": Positions,
    "symbols": Symbols,
    "deals": Deals,
}

KEYS = {"positions": "ticket"}
"""Tables whose rows come and go, with the column that tells them apart."""

FACTS: dict[str, Any] = {
    "source": str,
    "server": str,
    "taken_at": float,
    "server_offset": float | None,
    "connected": bool,
    "deals_since": int | None,
}


def book_tree(book: Book, before: Book | None, columns: Columns) -> Tree:
    """What of the Book differs from the one before (None: all of it)."""
    tree: dict[str, Tree] = {
        "facts": {name: tree_of(getattr(book, name), columns) for name in FACTS}
    }
    for name, kind in TABLES.items():
        table = getattr(book, name)
        old = None if before is None else getattr(before, name)
        if table is not old:
            tree[name] = table_tree(table, old, columns, grows=kind is Deals, key=KEYS.get(name))
    return tree


def table_tree(
    table: Any, old: Any, columns: Columns, *, grows: bool = False, key: str | None = None
) -> Tree:
    """The columns of a table that are other objects than those of the old one.

    `key` names the column that tells rows apart where they come and go.
    """
    tree: dict[str, Tree] = {}
    rows = None if old is None or key is None else _old_rows(table, old, key)
    if rows is not None:
        tree["rows"] = columns.ref(np.diff(rows, prepend=np.int32(0)))
    for column in fields(table):
        new = getattr(table, column.name)
        last = None if old is None else getattr(old, column.name)
        if new is not last:
            tree[column.name] = _column_tree(new, _in_order(last, rows), columns, grows)
    return tree


def book_from(tree: Tree, arrays: list[Array], before: Book | None) -> Book:
    """The Book that `book_tree` was made of. Raises ValueError for one that cannot be."""
    if not isinstance(tree, dict) or not isinstance(tree.get("facts"), dict):
        raise ValueError("not a Book")
    facts = {
        name: value_of(kind, tree["facts"].get(name), arrays, name) for name, kind in FACTS.items()
    }
    tables: dict[str, Any] = {}
    for name, kind in TABLES.items():
        old = None if before is None else getattr(before, name)
        tables[name] = table_from(kind, tree.get(name), arrays, old, name, KEYS.get(name))
    book = Book(**facts, **tables)
    if before is None or any(tables[name] is not getattr(before, name) for name in tables):
        _check(book)
    return book


def table_from(
    kind: Any, tree: Tree, arrays: list[Array], old: Any, where: str, key: str | None = None
) -> Any:
    """A table from its changed columns; the old one's for the rest. Raises ValueError."""
    if tree is None and old is not None:
        return old
    if not isinstance(tree, dict):
        raise ValueError(f"{where}: expected columns")
    rows = None
    if key is not None and old is not None and "rows" in tree:
        steps = column_of(tree["rows"], arrays, np.dtype(np.int32), where)
        rows = np.cumsum(steps, dtype=np.int64)
        if len(rows) and not (int(rows.min()) >= -1 and int(rows.max()) < len(old)):
            raise ValueError(f"{where}: a row that was not there")
    made: dict[str, object] = {}
    for name, dtype in column_types(kind).items():
        last = None if old is None else getattr(old, name)
        if name not in tree:
            if last is None:
                raise ValueError(f"{where}.{name}: missing")
            made[name] = last
        else:
            wanted = None if dtype is None else np.dtype(dtype)
            base = _in_order(last, rows)
            made[name] = _column(tree[name], arrays, base, wanted, f"{where}.{name}")
    return build(kind, made)


def same_objects(book: Book, before: Book | None) -> Book:
    """The Book with every column that equals the one before replaced by that object."""
    if before is None:
        return book
    return replace(
        book,
        accounts=kept(book.accounts, before.accounts),
        positions=kept(book.positions, before.positions),
        symbols=kept(book.symbols, before.symbols),
        deals=kept(book.deals, before.deals),
    )


def _old_rows(table: Any, old: Any, key: str) -> Array | None:
    """Which row of the old table each row was, -1 for a new one; None where all stayed."""
    new, last = getattr(table, key), getattr(old, key)
    if new is last or (len(new) == len(last) and np.array_equal(new, last)):
        return None
    order = np.argsort(last, kind="stable")
    found = rows_of(last[order], new)
    there = found >= 0
    rows = np.full(len(new), -1, dtype=np.int32)
    rows[there] = order[found[there]]
    return rows


def _in_order(last: Any, rows: Array | None) -> Any:
    """The old column in the new rows' order, 0 for new rows; itself where all stayed."""
    if rows is None or last is None or isinstance(last, tuple):
        return last
    if not len(last):
        return np.zeros(len(rows), dtype=last.dtype)
    taken = last[np.maximum(rows, 0)]
    taken[rows < 0] = 0
    return taken


def _column_tree(new: Any, last: Any, columns: Columns, grows: bool) -> Tree:
    if grows and last is not None and 0 < len(last) < len(new):
        head = new[: len(last)]
        same = head == last if isinstance(new, tuple) else _bits_equal(head, last)
        if same:
            return {"+": _column_tree(new[len(last) :], None, columns, False)}
    if isinstance(new, tuple):
        return {"text": _text_tree(new, columns)}
    if last is not None and last.shape == new.shape:
        return changed(new, last, columns)
    return columns.ref(new)


def _column(
    tree: Tree, arrays: list[Array], last: Any, dtype: np.dtype[Any] | None, where: str
) -> Any:
    if not isinstance(tree, dict):
        raise ValueError(f"{where}: expected a column")
    if "+" in tree and last is not None:
        tail = _column(tree["+"], arrays, None, dtype, where)
        return last + tail if dtype is None else np.concatenate([last, tail])
    if dtype is None:
        return _texts(tree.get("text"), arrays, where)
    if "#" in tree:
        return column_of(tree, arrays, dtype, where)
    if last is None:
        raise ValueError(f"{where}: a change of nothing")
    return restored(tree, arrays, last, where)


def _bits_equal(one: Array, other: Array) -> bool:
    kind = f"u{one.itemsize}"
    return bool(np.array_equal(one.view(kind), other.view(kind)))


def _text_tree(texts: tuple[str, ...], columns: Columns) -> Tree:
    """Each text once, and which one stands in each row."""
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    codes = np.fromiter((places[text] for text in texts), np.int32, len(texts))
    return [[tree_of(text, columns) for text in places], columns.ref(codes)]


def _texts(tree: Tree, arrays: list[Array], where: str) -> tuple[str, ...]:
    if not isinstance(tree, list) or len(tree) != 2:
        raise ValueError(f"{where}: expected texts")
    texts = value_of(tuple[str, ...], tree[0], arrays, where)
    codes = column_of(tree[1], arrays, np.dtype(np.int32), where)
    if len(codes) and not (int(codes.min()) >= 0 and int(codes.max()) < len(texts)):
        raise ValueError(f"{where}: a row with a text that is not there")
    return tuple(map(texts.__getitem__, codes.tolist()))


def _check(book: Book) -> None:
    """Raise ValueError unless rows point at rows, in order: what every reader relies on."""
    logins, positions = book.accounts.login, book.positions
    owner, symbol = positions.account, positions.symbol
    checks: Iterable[tuple[bool, str]] = (
        (bool((np.diff(logins) > 0).all()), "accounts are not in order of login"),
        (bool((np.diff(owner) >= 0).all()), "positions are not in order of account"),
        (_within(owner, len(book.accounts)), "a position of no account"),
        (_within(symbol, len(book.symbols)), "a position of no symbol"),
        (_few(book.accounts.digits), "a currency of impossible digits"),
        (_few(book.symbols.digits), "a symbol of impossible digits"),
        (bool(np.isin(positions.side, (-1, 1)).all()), "a position that is no buy and no sell"),
        (abs(book.server_offset or 0.0) < 86_400, "a server clock of another day"),
        (0 <= book.taken_at < 1e11, "a time that cannot be"),
        ((book.deals_since or 0) < 10**11, "deals since a time that cannot be"),
    )
    for right, wrong in checks:
        if not right:
            raise ValueError(wrong)


def _within(rows: Array, count: int) -> bool:
    return not len(rows) or (int(rows.min()) >= 0 and int(rows.max()) < count)


def _few(digits: Array) -> bool:
    return bool(((digits >= 0) & (digits <= 15)).all())
