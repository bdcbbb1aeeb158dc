"""Which alerts ring, against the plain definition over frames of any order and any repetition."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rms_tui.alerts import Alert, Severity, Stage
from rms_tui.frame import Frame
from rms_tui.risk.verdict import Reason
from rms_tui.tui.edges import Edges

SINCE = 2.0
unhealthy: Any = None
"""Edges never look at a frame's health."""


@lru_cache
def kept(login: int, rung: float, stage: Stage) -> Alert:
    """The very same object each time, as in the frames of one process."""
    return made(login, rung, stage)


def made(login: int, rung: float, stage: Stage) -> Alert:
    return Alert(
        id=f"{login}", login=login, server="", name="", group="", currency="USD", profile="",
        rule="max_loss", key="p/0:max_loss", severity=Severity.BREACH, stage=stage, first_seen=0.0,
        raised_at=0.0, changed_at=rung, value=0.0, limit=0.0, used=0.0, distance=0.0,
        reason=Reason.BEYOND, rung_at=rung,
    )  # fmt: skip


def plainly(frames: list[list[Alert]]) -> list[list[Alert]]:
    rung: dict[tuple[int, str], float] = {}
    found = []
    for alerts in frames:
        found.append([
            one for one in alerts
            if one.stage is Stage.RAISED and (one.rung_at or 0.0) >= SINCE
            and (one.rung_at or 0.0) > rung.get(one.episode, -1.0)
        ])  # fmt: skip
        rung = {one.episode: max(one.rung_at or 0.0, rung.get(one.episode, -1.0)) for one in alerts}
    return found


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(1, 4),
                st.integers(0, 6),
                st.sampled_from([Stage.RAISED, Stage.ACKNOWLEDGED]),
                st.booleans(),
            ),
            max_size=5,
            unique_by=lambda one: one[0],
        ),
        max_size=8,
    )
)
def test_an_alert_rings_when_it_wants_the_bell_later_than_the_last_time_it_was_seen(told):
    frames = [
        [(kept if same else made)(login, float(rung), stage) for login, rung, stage, same in frame]
        for frame in told
    ]
    edges = Edges(SINCE)
    heard = [edges.news(Frame(1, 0.0, unhealthy, alerts=tuple(alerts))) for alerts in frames]
    assert heard == plainly(frames)


def test_two_alerts_of_one_account_and_rule_ring_once_and_leave_together():
    edges = Edges()
    twice = (made(1, 5.0, Stage.RAISED), made(1, 5.0, Stage.RAISED))
    assert edges.news(Frame(1, 0.0, unhealthy, alerts=twice)) == list(twice)
    again = (made(1, 5.0, Stage.RAISED), made(1, 5.0, Stage.RAISED))
    assert edges.news(Frame(2, 1.0, unhealthy, alerts=again)) == []
    assert edges.news(Frame(3, 2.0, unhealthy)) == []
