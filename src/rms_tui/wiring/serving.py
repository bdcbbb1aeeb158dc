"""From settings and options to a WebSocket server over a monitor, not yet started."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rms_tui import __version__
from rms_tui.monitor import Monitor
from rms_tui.settings import Settings, SettingsError

if TYPE_CHECKING:  # the server is imported when somebody really serves
    from rms_tui.alerts import Alert
    from rms_tui.alerts.asked import Asked
    from rms_tui.latest import Latest
    from rms_tui.serve.access import Access
    from rms_tui.serve.websocket import Server

AskHistory = Callable[["Asked"], Sequence["Alert"]]
"""The newest stored alerts that were asked for; raises an error with a `text` when it cannot."""


@dataclass(frozen=True, slots=True)
class Served:
    """What was given for the options of the server; None where nothing was."""

    host: str | None = None
    port: int | None = None
    certificate: Path | None = None
    key: Path | None = None
    insecure: bool = False
    origins: tuple[str, ...] = ()


def access_of(settings: Settings, given: Served) -> Access:
    """Where to listen and whom to let in. Raises SettingsError when that is not safe."""
    from rms_tui.serve.access import Access, Unsafe, checked

    if given.port is not None and not 1 <= given.port <= 65_535:
        raise SettingsError(f"--port {given.port}: expected 1 to 65535 (from option)")
    operator, reader = settings.rms_ws_token, settings.rms_ws_token_read
    written = [origin.strip() for origin in settings.ws_origins.split(",")]
    access = Access(
        host=given.host or settings.ws_host,
        port=given.port or settings.ws_port,
        operator_token=None if operator is None else operator.get_secret_value(),
        reader_token=None if reader is None else reader.get_secret_value(),
        certificate=given.certificate or settings.ws_cert,
        key=given.key or settings.ws_key,
        insecure=given.insecure or settings.ws_insecure,
        origins=given.origins or tuple(origin for origin in written if origin),
    )
    try:
        return checked(access)
    except Unsafe as error:
        raise SettingsError(str(error)) from None


def reached_at(access: Access, port: int) -> str:
    """The address by which another process finds a server that listens so."""
    everywhere = access.host in ("0.0.0.0", "::", "")
    return (replace(access, host=socket.gethostname()) if everywhere else access).url(port)


def websocket_of(
    monitor: Monitor, access: Access, *, store: Latest[Any], history: AskHistory
) -> Server:
    """The server of a monitor's frames; `store` is where the newest status of MongoDB lies."""
    from rms_tui.serve.answers import Desk
    from rms_tui.serve.websocket import Server

    return Server(
        Desk(monitor, _past_alerts(history)),
        access,
        host=socket.gethostname(),
        version=__version__,
        store=lambda: store.value,
        clock=monitor.now,
    )


def _past_alerts(
    history: AskHistory,
) -> Callable[[int | None, str | None, int], Sequence[Alert]]:
    from rms_tui.alerts.asked import Asked
    from rms_tui.serve.wire import Refused

    def past(login: int | None, rule: str | None, most: int) -> Sequence[Alert]:
        try:
            return history(Asked(login=login, rule=rule, most=most))
        except Exception as error:
            text = getattr(error, "text", None)
            if text is None:
                raise
            raise Refused("not_ready", str(text), field="history") from None

    return past
