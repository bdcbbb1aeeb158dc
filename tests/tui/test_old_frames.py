"""The console shows the newest frame and keeps no older one alive."""

from __future__ import annotations

import gc
import weakref

from tests.consoles import Bench
from tests.feeds import book


async def test_the_frame_before_is_gone_once_the_next_one_is_shown(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        shown = []
        for poll in range(4):
            bench.now += 1.0
            await bench.shown(pilot, book(shock=10.0 * poll))
            frame = bench.monitor.frames.value
            assert frame is not None
            assert frame.assessment is not None
            shown.append((weakref.ref(frame), weakref.ref(frame.assessment.day_profit)))
            del frame
        gc.collect()
        alive = [(frame() is not None, column() is not None) for frame, column in shown]
    assert alive == [(False, False)] * 3 + [(True, True)]
