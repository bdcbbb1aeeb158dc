"""What a pane says while there is no Book to show: what is going on, what went wrong, what next."""

from __future__ import annotations

from rms_tui.frame import FeedState
from rms_tui.tui import figures
from rms_tui.tui.heading import Moment, doing

CAUSES = {
    "missing-package": "A package is missing on this machine.",
    "configuration": "The settings are not right.",
    "authorisation": "The server refused the login.",
    "connection": "No connection.",
    "wrong-account": "The terminal is logged into another account.",
    "hung": "The source hangs; it is started again.",
    "crashed": "The source crashed; it is started again.",
    "refused-data": "The source sent figures that cannot be right.",
}


def waiting_words(moment: Moment | None, *, in_full: bool) -> str:
    """Lines for the middle of an empty pane; `in_full` where the operator looks first."""
    if not in_full:
        return "No figures yet"
    if moment is None:
        return "Starting"
    health = moment.frame.health
    feed = health.feed
    error = health.error or feed.error
    if health.state is not FeedState.DISCONNECTED and error is None:
        since = figures.span(max(0.0, moment.now - feed.since), seconds_shown=True)
        return f"Connecting to {health.source}\n\n{doing(feed, moment.now)}, for {since}"
    headline = "No figures yet." if feed.cause is None else CAUSES[feed.cause]
    lines = [f"{health.source}: {headline}", "", error or "no reason given", ""]
    if feed.next_attempt is not None:
        at = figures.clock(feed.next_attempt, health.server_offset)
        lines.append(f"{doing(feed, moment.now).capitalize()} (at {at})")
    elif feed.phase == "down":
        lines.append("No further attempt until the settings are changed.")
    else:
        lines.append(f"Now: {doing(feed, moment.now)}")
    return "\n".join(lines)
