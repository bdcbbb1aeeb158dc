"""`python -m benchmarks [--only NAME] [--json]`: every claim, its baseline, its target."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from importlib import import_module
from typing import Any

from benchmarks.rows import Row

NAMES = (
    "cycle", "ingest", "table", "console", "memory", "store", "fleet", "recording", "websocket",
    "start",
)  # fmt: skip


def main() -> int:
    """Measure and print; exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=NAMES, action="append", help="measure only this")
    parser.add_argument("--json", action="store_true", help="JSON on stdout")
    wanted = parser.parse_args()
    rows: list[Row] = []
    for name in wanted.only or NAMES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        for row in _measured(name):
            rows.append(row)
            if not wanted.json:
                print(_line(row), flush=True)
    if wanted.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
    missed = [row for row in rows if not row.ok]
    print(f"{len(rows)} figures, {len(missed)} targets missed", file=sys.stderr)
    return 1 if missed else 0


def _measured(name: str) -> Iterator[Row]:
    module = import_module(f"benchmarks.{name}")
    measure: Callable[[], Iterable[Row | dict[str, Any]]]
    measure = getattr(module, "rows", None) or module.measure
    for row in measure():
        yield row if isinstance(row, Row) else _row(row)


def _row(found: dict[str, Any]) -> Row:
    target = found.get("target")
    shown = target if isinstance(target, str) else "" if target is None else f"≤ {target:g}"
    return Row(
        found["name"],
        float(found["value"]),
        found["unit"],
        found.get("baseline"),
        found.get("against", "same run"),
        shown,
        bool(found["ok"]),
    )


def _line(row: Row) -> str:
    baseline = "" if row.baseline is None else f"{row.baseline:,.4g} ({row.against})"
    mark = "" if not row.target else "ok" if row.ok else "MISSED"
    figure = f"{row.value:>12,.4g} {row.unit}"
    return f"{row.name:58} {figure:27} target {row.target or '-':10} {mark:7} {baseline}".rstrip()


if __name__ == "__main__":
    raise SystemExit(main())
