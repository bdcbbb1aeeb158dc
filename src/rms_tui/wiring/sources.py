"""From settings to running parts: the spec of a source, its feed and its monitor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rms_tui.alerts import Times
from rms_tui.feed import Selection
from rms_tui.frame import FeedState
from rms_tui.gateways import ManagerSpec, SimulatorSpec, Spec, TerminalSpec
from rms_tui.gateways.process import GatewayProcess
from rms_tui.monitor import Monitor
from rms_tui.risk.profile import Plan
from rms_tui.serve.clock import Clock
from rms_tui.settings import Loaded, Settings, SettingsError, Source, load
from rms_tui.wiring.demo import demo_plan
from rms_tui.wiring.given import Given

DEMO_INTERVAL = 1.0
DEFAULT_CLIENTS = 250
MOST_CLIENTS = 100_000

LIVE_WORD: dict[str, FeedState] = {
    "simulator": FeedState.DEMO,
    "replay": FeedState.REPLAY,
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Settings and what they describe, not yet started."""

    loaded: Loaded
    source: Source
    spec: Spec
    plan: Plan
    interval: float

    @property
    def settings(self) -> Settings:
        return self.loaded.settings


def loaded(shared: Given) -> Loaded:
    """All layers of settings under these options. Raises SettingsError."""
    if shared.demo and shared.source not in (None, "simulator"):
        raise SettingsError(
            f"--demo is --source simulator: expected no --source {shared.source} beside it"
        )
    options: dict[str, object] = {
        "RMS_SOURCE": "simulator" if shared.demo else shared.source,
        "RMS_UPDATE_INTERVAL": shared.interval,
        "RMS_MONGODB_URI": shared.mongodb,
        "RMS_LOG_JSON": shared.log_json,
    }
    return load(options, env_file=shared.env_file)


def desk(shared: Given) -> Desk | None:
    """What the options and settings describe; None when no source is configured at all."""
    all_loaded = loaded(shared)
    settings = all_loaded.settings
    source = settings.rms_source or _implied(settings)
    if source is None:
        return None
    if source == "fleet":
        raise SettingsError(
            "source fleet is for the console: its accounts are polled by their workers, and "
            "`rms-tui element list` prints them"
        )
    spec = _SPECS[source](settings, shared)
    demo = source == "simulator"
    interval = settings.rms_update_interval
    if demo and "RMS_UPDATE_INTERVAL" not in all_loaded.origins:
        interval = DEMO_INTERVAL
    plan = demo_plan(all_loaded.plan) if demo and len(all_loaded.plan.profiles) == 1 else None
    return Desk(all_loaded, source, spec, plan or all_loaded.plan, interval)


def monitor_of(made: Desk, **more: Any) -> Monitor:
    """A monitor of the desk's source, not yet started."""
    everything = made.settings.rms_accounts == "all"
    if made.source == "replay":
        more.setdefault("clock", None)
    return Monitor(
        GatewayProcess(made.spec),
        made.plan,
        interval=made.interval,
        report_currency=made.settings.rms_report_currency,
        selection=Selection(everything=everything),
        live=LIVE_WORD.get(made.source, FeedState.LIVE),
        times=times_of(made.settings),
        **more,
    )


def clocked_monitor(made: Desk, clock: Clock) -> Monitor:
    """The same, on a clock that may be another process's; recorded prices have a time of their
    own."""
    return monitor_of(made) if made.source == "replay" else monitor_of(made, clock=clock.now)


def times_of(settings: Settings) -> Times:
    """The seconds of an alert's life."""
    return Times(escalate=settings.rms_escalate_after, feed=settings.rms_feed_alert_after)


def _implied(settings: Settings) -> Source | None:
    """A source that needs no RMS_SOURCE: what is configured says which one is meant."""
    if settings.mt5_host:
        return "manager"
    return "terminal" if settings.mt5_path else None


def _needed(what: str, source: str, **values: object) -> None:
    missing = [name for name, value in values.items() if value in (None, "")]
    if missing:
        raise SettingsError(f"source {source} needs {', '.join(missing)}: {what}")


def _manager(settings: Settings, _: Given) -> ManagerSpec:
    _needed(
        "put it into .env or the environment",
        "manager",
        MT5_HOST=settings.mt5_host,
        MT5_MANAGER_USER=settings.mt5_manager_user,
        MT5_MANAGER_PASS=settings.mt5_manager_pass,
    )
    assert settings.mt5_host
    assert settings.mt5_manager_user
    assert settings.mt5_manager_pass
    return ManagerSpec(
        host=settings.mt5_host,
        port=settings.mt5_port,
        login=settings.mt5_manager_user,
        password=settings.mt5_manager_pass,
        groups=tuple(mask.strip() for mask in settings.rms_groups.split(",") if mask.strip()),
        history_days=settings.rms_trade_history_days,
    )


def _terminal(settings: Settings, _: Given) -> TerminalSpec:
    _needed("the full path of terminal64.exe", "terminal", MT5_PATH=settings.mt5_path)
    assert settings.mt5_path
    return TerminalSpec(
        path=settings.mt5_path,
        login=settings.mt5_login,
        server=settings.mt5_server,
        password=settings.mt5_password,
        portable=settings.mt5_portable,
        history_days=settings.rms_trade_history_days,
    )


def _simulator(settings: Settings, shared: Given) -> SimulatorSpec:
    clients = DEFAULT_CLIENTS if shared.accounts is None else shared.accounts
    if not 1 <= clients <= MOST_CLIENTS:
        raise SettingsError(f"--accounts {clients}: expected 1 to {MOST_CLIENTS} (from option)")
    seed = 1 if shared.seed is None else shared.seed
    if seed < 0:
        raise SettingsError(f"--seed {seed}: expected a whole number from 0 (from option)")
    return SimulatorSpec(
        accounts=clients,
        seed=seed,
        prices=_folder(shared.prices),
        history_days=settings.rms_trade_history_days,
        groups=settings.rms_groups,
    )


def _replay(settings: Settings, shared: Given) -> SimulatorSpec:
    _needed("a folder of recorded prices", "replay", **{"--prices": shared.prices})
    made = _simulator(settings, shared)
    return replace(made, recorded_clock=True)


def _folder(path: Path | None) -> Path | None:
    if path is not None and not path.is_dir():
        raise SettingsError(f"--prices {path}: expected a folder of CSV files (from option)")
    return None if path is None else path.resolve()


_SPECS: dict[str, Callable[[Settings, Given], Spec]] = {
    "manager": _manager,
    "terminal": _terminal,
    "simulator": _simulator,
    "replay": _replay,
}
