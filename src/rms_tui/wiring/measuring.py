"""The metrics endpoint of a desk, when a port is set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rms_tui.latest import Latest
from rms_tui.monitor import Monitor
from rms_tui.settings import Settings, SettingsError

if TYPE_CHECKING:  # the library is imported when there is a port
    from rms_tui.serve.notify.post import Delivery


def metrics_of(
    settings: Settings,
    monitor: Monitor,
    *,
    store: Latest[Any],
    deliveries: Callable[[], Sequence[Delivery]],
    clients: Callable[[], int],
) -> Callable[[], None]:
    """Serve `/metrics`; what ends it. Without a port nothing is served. Raises SettingsError."""
    port = settings.rms_metrics_port
    if port is None:
        return lambda: None
    from rms_tui.serve.metrics import Figures, serve_metrics

    figures = Figures(
        monitor.frames, monitor.now, store=store, deliveries=deliveries, clients=clients
    )
    host = settings.rms_metrics_host
    try:
        return serve_metrics(host, port, figures)
    except OSError as error:
        raise SettingsError(
            f"RMS_METRICS_PORT {port}: cannot listen on {host}: {error.strerror or error}"
        ) from None
