"""The one file that imports apprise: a channel's URL becomes a function that sends.

Its log lines name URLs, and with them tokens: they are kept out of ours.
"""

from __future__ import annotations

import logging
import re
from urllib.parse import unquote

import apprise

from rms_tui.alerts import Severity
from rms_tui.serve.notify.channel import Channel
from rms_tui.serve.notify.notice import Message
from rms_tui.serve.notify.post import Send

_TYPES = {
    Severity.REACHED: apprise.NotifyType.SUCCESS,
    Severity.WARNING: apprise.NotifyType.WARNING,
    Severity.CRITICAL: apprise.NotifyType.FAILURE,
    Severity.BREACH: apprise.NotifyType.FAILURE,
}
_LONGEST_REASON = 200


def sender(channel: Channel) -> Send:
    """What delivers to this channel. Raises ValueError for a URL that apprise does not know."""
    _silenced()
    url = channel.url.get_secret_value()
    service = apprise.Apprise()
    if not service.add(url):
        scheme = url.partition("://")[0][:20]
        raise ValueError(
            f"notify.{channel.name}.url: not a URL of a service apprise knows (scheme {scheme!r}); "
            "see https://github.com/caronc/apprise/wiki"
        )

    def send(message: Message) -> str | None:
        taken = service.notify(
            title=message.title,
            body=message.body,
            notify_type=_TYPES[message.severity],
            body_format=apprise.NotifyFormat.TEXT,
            interpret_escapes=False,
        )
        said = [entry.message for delivery in taken for entry in delivery.logs()]
        return None if taken else _reason(said, url)

    return send


def _silenced() -> None:
    for name in ("apprise", "urllib3", "requests"):
        log = logging.getLogger(name)
        log.propagate = False
        if not log.handlers:
            log.addHandler(logging.NullHandler())


def _reason(lines: list[str], url: str) -> str:
    """The service's words without any part of the URL that could be a secret."""
    text = "; ".join(lines) or "the service did not take it"
    secret = url.partition("://")[2]
    parts = {part for part in re.split(r"[/:@?&=,#]", secret) if len(part) >= 4}
    for part in sorted({*parts, *map(unquote, parts)}, key=len, reverse=True):
        text = text.replace(part, "****")
    return text[:_LONGEST_REASON]
