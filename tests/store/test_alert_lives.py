"""Whatever is killed, late or taken over: no alert without cause, none twice, each edge once."""

from __future__ import annotations

import pytest
from alert_lives import Life

from rms_tui.store.database import Rms

SEEDS = 12


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_desk_that_is_killed_and_late_raises_nothing_falsely_and_nothing_twice(
    seed: int, database: Rms
) -> None:
    life = Life(database, seed)
    life.live(40)
    assert life.counts["raised"] > 0
