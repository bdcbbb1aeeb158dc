"""`python -m docs.pictures`: the README's pictures, taken from the running console.

A simulated broker from a fixed seed at a fixed time, watched by the real program; the same
command gives the same pictures.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from textual.pilot import Pilot

from rms_tui.cli.oneshot import DEMO_TIME
from rms_tui.frame import FeedState
from rms_tui.gateways import SimulatorSpec
from rms_tui.gateways.process import GatewayProcess
from rms_tui.monitor import Monitor
from rms_tui.risk.profile import Plan, limits_profile
from rms_tui.tui.app import RmsApp
from rms_tui.wiring.demo import demo_plan

HERE = Path(__file__).parent
SIZE = (160, 48)
POLLS = 12

LIMITS = limits_profile(margin_warning=150, margin_critical=100, max_loss=-1000)
SHOTS = {
    "console": (),
    "details": ("enter",),
    "help": ("escape", "question_mark"),
    "stress": ("escape", "x"),
}


async def take() -> None:
    """Run the console over the demo and save each picture beside this file."""
    feed = GatewayProcess(SimulatorSpec(seed=1, started_at=DEMO_TIME))
    plan = demo_plan(Plan(profiles=(LIMITS,), default=LIMITS.name))
    monitor = Monitor(feed, plan, interval=1.0, clock=None, live=FeedState.DEMO)
    feed.start()
    try:
        for _ in range(POLLS):
            monitor.step(timeout=20)
        app = RmsApp(monitor, operator="dealer@desk-2", theme="desk-dark", clock=monitor.now)
        async with app.run_test(size=SIZE) as pilot:
            for name, keys in SHOTS.items():
                await _shoot(pilot, name, keys)
    finally:
        feed.close()


async def _shoot(pilot: Pilot[None], name: str, keys: tuple[str, ...]) -> None:
    await pilot.press(*keys)
    for _ in range(20):
        await pilot.pause(0.05)
    pilot.app.clear_notifications()
    await pilot.pause(0.2)
    drawn = pilot.app.export_screenshot(title="rms-tui")
    (HERE / f"{name}.svg").write_text(_alone(drawn), "utf-8")


def _alone(svg: str) -> str:
    """The picture without the fonts it would fetch from elsewhere."""
    return re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    asyncio.run(take())
