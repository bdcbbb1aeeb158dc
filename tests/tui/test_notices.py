"""A channel that does not deliver is said in the header; one that does is not."""

from __future__ import annotations

from rms_tui.serve.notify.post import Delivery
from rms_tui.tui.notices import pieces


def test_only_a_channel_that_was_refused_is_shown_with_what_waits_for_it():
    well = Delivery("desk", waiting=2)
    dead = Delivery("phone", state="retrying", waiting=3, error="error=503")
    shown = pieces((well, dead))
    assert [piece.text for piece in shown] == ["notify ■ phone: 3 waiting"]
    assert pieces(()) == []
