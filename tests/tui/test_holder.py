"""A console that follows: what was refused is said, and a token that reads has no keys that act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.consoles import Bench

from rms_tui.latest import Latest
from rms_tui.serve.follower import Told
from rms_tui.tui.app import RmsApp
from rms_tui.tui.holder import Holder

SIZE = (200, 48)
ACTING = ("add", "remove", "acknowledge", "snooze", "interval", "limits", "by_hand")


def following(bench: Bench, reads_only: Callable[[], bool] = lambda: False) -> Latest[str]:
    refusals: Latest[str] = Latest()
    bench.app = RmsApp(
        bench.monitor,
        operator="dealer@desk-2",
        theme="desk-dark",
        clock=lambda: bench.now,
        holder=Holder(refusals, reads_only),
    )
    return refusals


def toasts(app: Any) -> list[str]:
    return [str(toast.message) for toast in app._notifications]


async def test_what_the_holder_refused_is_said_once_and_as_text(bench: Bench) -> None:
    refusals = following(bench)
    async with bench.app.run_test(size=SIZE) as pilot:
        refusals.put("account [b]7[/b] is not on the server")
        for _ in range(3):
            await bench.shown(pilot)
        said = [text for text in toasts(bench.app) if "not on the server" in text]
        assert said == ["account [b]7[/b] is not on the server"]


async def test_a_token_that_reads_has_no_keys_that_act_and_the_header_says_so(
    bench: Bench,
) -> None:
    reads: list[bool] = []
    following(bench, lambda: bool(reads))
    async with bench.app.run_test(size=SIZE) as pilot:
        await bench.shown(pilot)
        assert "READ ONLY" not in bench.text("#heading")
        assert all(bench.app.check_action(action, ()) for action in ACTING)
        reads.append(True)
        await bench.shown(pilot)
        assert "READ ONLY" in bench.text("#heading")
        assert not any(bench.app.check_action(action, ()) for action in ACTING)
        await pilot.press("4", "space")
        await bench.shown(pilot)
        assert all(alert.operator is None for alert in bench.monitor.frames.value.alerts)


async def test_a_holder_s_mongodb_is_unknown_until_it_has_said(bench: Bench) -> None:
    told: Latest[Told] = Latest()
    told.put(Told("unknown", "not said", 0))
    bench.app = RmsApp(bench.monitor, operator="dealer@desk-2", clock=lambda: bench.now, store=told)
    async with bench.app.run_test(size=SIZE) as pilot:
        await bench.shown(pilot)
        assert "mongo ○ unknown" in bench.text("#heading")
        told.put(Told("connected", "as the holder says", 0))
        await bench.shown(pilot)
        assert "mongo ● ok" in bench.text("#heading")


async def test_limits_that_were_refused_are_said_while_the_old_ones_hold(bench: Bench) -> None:
    async with bench.app.run_test(size=SIZE) as pilot:
        await bench.shown(pilot)
        bench.monitor.set_plan(None, "limits kept as they were: rms.toml: rule: [unknown]")
        bench.step()
        await bench.shown(pilot)
        assert "limits kept as they were: rms.toml: rule: [unknown]" in bench.text("#notice")
        bench.monitor.set_plan(None)
        bench.step()
        await bench.shown(pilot)
        assert "limits kept" not in bench.text("#notice")
