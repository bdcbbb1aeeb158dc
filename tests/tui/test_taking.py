"""Taking what is shown elsewhere: `e` into a file, `y` into the clipboard."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.consoles import Bench
from tests.feeds import FakeFeed
from textual.pilot import Pilot

from rms_tui.feed import FeedError
from rms_tui.tui.exporting import wrong_name
from rms_tui.tui.screens.ask import Ask
from rms_tui.tui.screens.confirm import Confirm


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def toasts(bench: Bench) -> Sequence[str]:
    """Those about taking something, not the alerts that rang meanwhile."""
    said = [str(notice.message) for notice in bench.app._notifications]
    return [text for text in said if any(word in text for word in ("export", "written", "copied"))]


async def export(bench: Bench, pilot: Pilot[None], name: str) -> None:
    """Press e, type a file name, wait for the thread."""
    await pilot.press("e")
    await pilot.pause()
    asked = bench.app.screen
    assert isinstance(asked, Ask)
    asked.query_one("#answer").value = name  # type: ignore[attr-defined]
    await pilot.press("enter")
    await bench.errand(pilot, "export")


@pytest.mark.parametrize(
    ("pane", "what", "unit", "column"),
    [
        ("1", "accounts", "accounts", "balance"),
        ("2", "positions", "positions", "ticket"),
        ("3", "exposure", "symbols", "sentiment"),
        ("4", "alerts", "alerts", "severity"),
    ],
)
async def test_e_writes_the_table_of_the_pane(
    bench: Bench, tmp_path: Path, pane: str, what: str, unit: str, column: str
) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press(pane, "e")
        await pilot.pause()
        asked = bench.app.screen
        assert isinstance(asked, Ask)
        name = asked.query_one("#answer").value  # type: ignore[attr-defined]
        assert name == f"{what}-20260302-160322.csv"
        await pilot.press("enter")
        await bench.errand(pilot, "export")
        [said] = toasts(bench)
        assert said.endswith(f" {unit} written to {tmp_path / name}")
    with (tmp_path / name).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert column in rows[0]
    assert said.startswith(str(len(rows)))


async def test_json_holds_everything_also_while_a_filter_is_set(
    bench: Bench, tmp_path: Path
) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await export(bench, pilot, "all.json")
    whole = json.loads((tmp_path / "all.json").read_text())
    assert whole.keys() == {"timestamp", "stats", "accounts", "exposure"}
    assert len(whole["accounts"]) == 60
    assert whole["accounts"]["70100"]["positions"]["position_count"] > 0


async def test_a_file_that_is_there_is_replaced_when_confirmed(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("mine")
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await export(bench, pilot, "a.csv")
        assert isinstance(bench.app.screen, Confirm)
        await pilot.press("n")
        await pilot.pause()
        assert (tmp_path / "a.csv").read_text() == "mine"
        await export(bench, pilot, "a.csv")
        await pilot.press("y")
        await bench.errand(pilot, "export")
        assert "60 accounts written" in toasts(bench)[-1]
    assert (tmp_path / "a.csv").read_text("utf-8-sig").startswith("login_id,")


async def test_what_went_wrong_is_said_in_words(bench: Bench, tmp_path: Path) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await export(bench, pilot, "no/a.csv")
        assert toasts(bench) == ["not exported: no/a.csv: there is no folder no"]
        bench.feed.error = FeedError("hung", "prod-1:443 gave no answer within 60 s")
        await export(bench, pilot, "all.json")
        assert toasts(bench)[-1] == "not exported: prod-1:443 gave no answer within 60 s"
    assert not list(tmp_path.iterdir())


async def test_the_paused_picture_is_what_is_exported(bench: Bench, tmp_path: Path) -> None:
    from tests.feeds import book

    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("p")
        paused = bench.app.moment()
        await bench.shown(pilot, book(30, shock=500.0))
        await export(bench, pilot, "a.csv")
    assert paused is not None
    assert paused.frame.book is not None
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        equity = [float(row["equity"]) for row in csv.DictReader(file)]
    assert equity == paused.frame.book.accounts.equity.tolist()


async def test_before_the_first_accounts_there_is_nothing_to_export() -> None:
    bench = Bench(FakeFeed(None))
    bench.step()
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("e")
        await pilot.pause()
        assert toasts(bench) == ["nothing to export yet: the source has given no accounts"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.csv", None),
        ("~/reports/a.JSON", None),
        ("  ", "expected a file name, such as accounts.csv"),
        ("a.xls", "ending .xls: expected json or csv"),
        ("report", "report has no ending: expected json or csv"),
        ("a\0.csv", "expected a file name without NUL"),
    ],
)
def test_a_wrong_file_name_is_said_while_it_is_typed(name: str, said: str | None) -> None:
    assert wrong_name(name) == said


async def test_y_copies_the_row_under_the_cursor_literally(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        table = bench.app.desk.accounts_pane.table
        bench.app.desk.find_account(70_109)
        await pilot.press("y")
        await pilot.pause()
        copied = bench.app.clipboard.split("\t")
        assert len(copied) == len(table.columns)
        assert "70109" in copied
        assert "Trader�[31m" in copied
        assert toasts(bench) == ["row copied, its cells separated by tabs"]
        await pilot.press("enter", "y")
        await pilot.pause()
        assert bench.app.clipboard.split("\t") != copied


async def test_y_on_an_empty_pane_copies_nothing(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("slash", *"login:1", "enter", "y")
        await pilot.pause()
        assert bench.app.clipboard == ""
        assert not toasts(bench)
