"""The notifier of a desk, when `rms.toml` has channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rms_tui.monitor import Monitor
from rms_tui.settings import SettingsError
from rms_tui.wiring.sources import Desk

if TYPE_CHECKING:  # apprise is imported when there is a channel, after the first paint
    from rms_tui.serve.notify.channel import Channel
    from rms_tui.serve.notify.notifier import Notifier
    from rms_tui.serve.notify.post import Send


def senders(channels: tuple[Channel, ...]) -> list[tuple[Channel, Send]]:
    """Each channel with what delivers to it. Raises SettingsError for a URL nobody knows."""
    from rms_tui.serve.notify.apprise_post import sender

    try:
        return [(channel, sender(channel)) for channel in channels]
    except ValueError as error:
        raise SettingsError(str(error)) from None


def notifier_of(made: Desk, monitor: Monitor) -> Notifier | None:
    """The notifier, not yet started; None without channels. Raises SettingsError."""
    if not made.loaded.channels:
        return None
    from rms_tui.serve.notify.notifier import Notifier

    return Notifier(monitor.frames, monitor.edges, senders(made.loaded.channels), clock=monitor.now)
