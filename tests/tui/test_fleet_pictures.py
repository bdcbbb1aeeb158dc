"""Pictures of a console over a fleet in every state. Remake: pytest tests/tui --snapshot-update."""

from __future__ import annotations

from tests.tui.fleets import FleetBench, lively
from tests.tui.test_snapshots import MIDDLE, SIZES, SMALL, WIDE, Snap, _still, keys, pytestmark

from rms_tui.store.fleet_view import FleetDocuments

__all__ = ["_still", "pytestmark"]


@SIZES
def test_a_fleet(snap_compare: Snap, size: tuple[int, int]) -> None:
    bench = FleetBench(lively())
    bench.show()
    assert snap_compare(bench.app, terminal_size=size)


@SIZES
def test_its_instances(snap_compare: Snap, size: tuple[int, int]) -> None:
    bench = FleetBench(lively())
    bench.show()
    assert snap_compare(bench.app, terminal_size=size, run_before=keys("5", "z"))


def test_a_fleet_that_is_being_read(snap_compare: Snap) -> None:
    assert snap_compare(FleetBench().app, terminal_size=WIDE)


def test_an_empty_fleet(snap_compare: Snap) -> None:
    bench = FleetBench(FleetDocuments())
    bench.show()
    assert snap_compare(bench.app, terminal_size=WIDE)


def test_mongodb_is_away_from_the_start(snap_compare: Snap) -> None:
    bench = FleetBench()
    bench.lose()
    assert snap_compare(bench.app, terminal_size=WIDE)


def test_mongodb_went_away(snap_compare: Snap) -> None:
    bench = FleetBench(lively())
    bench.show()
    bench.lose()
    assert snap_compare(bench.app, terminal_size=MIDDLE)


def test_a_password_is_masked(snap_compare: Snap) -> None:
    bench = FleetBench(lively())
    bench.show()
    typed = ("a", *"70107", "enter", *"Broker-Live", "enter", *"hunter2")
    assert snap_compare(bench.app, terminal_size=SMALL, run_before=keys(*typed))


def test_the_question_before_removing(snap_compare: Snap) -> None:
    bench = FleetBench(lively())
    bench.show()
    assert snap_compare(bench.app, terminal_size=MIDDLE, run_before=keys("d"))
