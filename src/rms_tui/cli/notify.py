"""`notify`: the channels of rms.toml, and whether a message gets through each of them."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from rms_tui.cli.exits import FAILED, USAGE, end
from rms_tui.cli.oneshot import print_json
from rms_tui.wiring.given import Given
from rms_tui.wiring.notifying import senders
from rms_tui.wiring.sources import loaded

if TYPE_CHECKING:
    from rms_tui.serve.notify.channel import Channel

NONE = """No channel is configured. In rms.toml, for example:

[[notify]]
name = "desk"
url_env = "DESK_NOTIFY_URL"          # in .env: DESK_NOTIFY_URL=mailto://user:password@example.com
severities = ["critical", "breach"]
groups = "real\\\\*"
quiet = "22:00-06:00"
quiet_zone = "Europe/London"
"""


def show_channels(shared: Given, *, json: bool) -> None:
    """Print the channels, without their secrets."""
    channels = loaded(shared).channels
    if json:
        print_json([_shape(channel) for channel in channels])
    elif not channels:
        print(NONE, end="")
    else:
        for channel in channels:
            found = _shape(channel)
            print(f"{found.pop('name')}: {found.pop('url')}")
            for key, value in found.items():
                shown = ", ".join(value) if isinstance(value, list) else value
                print(f"    {key.replace('_', ' ')}: {'none' if shown is None else shown}")


def test_channels(shared: Given, only: str | None, *, json: bool) -> None:
    """Send a test message through every channel, or one. Exit status 1 when one did not take it."""
    from rms_tui.serve.notify.notice import test_message

    channels = loaded(shared).channels
    chosen = tuple(channel for channel in channels if only in (None, channel.name))
    if not chosen:
        known = ", ".join(channel.name for channel in channels) or "none: see `rms-tui notify`"
        end(f"--channel {only}: no such channel; there are {known}" if only else NONE, USAGE)
    outcomes: list[dict[str, Any]] = []
    for channel, send in senders(chosen):
        if not json:
            print(f"{channel.name}: sending …", file=sys.stderr, flush=True)
        refused = send(test_message(time.time()))
        outcomes.append({"channel": channel.name, "delivered": refused is None, "error": refused})
        if not json:
            print(f"{channel.name}: {'delivered' if refused is None else f'FAILED: {refused}'}")
    if json:
        print_json(outcomes)
    if not all(outcome["delivered"] for outcome in outcomes):
        raise SystemExit(FAILED)


def _shape(channel: Channel) -> dict[str, Any]:
    scheme = channel.url.get_secret_value().partition("://")[0]
    return {**channel.model_dump(mode="json", exclude={"url"}), "url": f"{scheme}://****"}
