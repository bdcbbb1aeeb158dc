"""The only way to MT5 data: gateways live in a child process and turn a source into Books.

`rms_tui.gateways.process.GatewayProcess` is the parent's side (a `rms_tui.feed.Feed`); the
Gateway protocol below is the child's side, implemented by manager, terminal, simulator and replay.
A Spec is plain data: it crosses the pipe, and `open_gateway` builds the gateway in the child.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeAlias, cast

from pydantic import SecretStr

from rms_tui.book import Book, Deals
from rms_tui.feed import FeedError


class NotNow(FeedError):
    """A question failed, the source is still there: ask again. Its process need not end."""


class Gateway(Protocol):
    """One source, inside its child process. Methods block; the parent's watchdog bounds them."""

    def open(self, doing: Callable[[str], None]) -> None:
        """Connect. `doing` tells the parent what takes so long. Raises FeedError."""
        ...

    def read(self) -> Book:
        """Everything the source shows now. Raises NotNow, and FeedError when it is over."""
        ...

    def history(self, logins: Sequence[int]) -> Deals:
        """Deals of these accounts in the history window. Raises FeedError."""
        ...

    def close(self) -> None:
        """Let go of the source; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class ManagerSpec:
    """One MT5 server through its Manager API."""

    host: str
    port: int
    login: int
    password: SecretStr
    groups: tuple[str, ...] = ("*",)
    history_days: int = 30
    connect_timeout: float = 120.0
    flow_types: tuple[int, ...] = (2, 3, 4, 5, 6, 19, 20)


@dataclass(frozen=True, slots=True)
class TerminalSpec:
    """One account through one MT5 terminal. Without a password, its stored one is used."""

    path: str
    login: int | None = None
    server: str | None = None
    password: SecretStr | None = None
    portable: bool = False
    history_days: int = 30
    connect_timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class SimulatorSpec:
    """A broker made up from a seed, on invented or recorded prices."""

    accounts: int = 250
    seed: int = 1
    prices: Path | None = None
    history_days: int = 30
    recorded_clock: bool = False
    """True (source `replay`): server time is the recording's, one step a poll."""
    started_at: float | None = None
    """UTC seconds that the first Book is taken at, so that a seed gives the same one again; None:
    the real clock."""
    groups: str = "*"
    """MT5 masks of the groups that are shown."""


Spec: TypeAlias = ManagerSpec | TerminalSpec | SimulatorSpec

_MODULES: dict[type[Spec], str] = {
    ManagerSpec: "manager",
    TerminalSpec: "terminal",
    SimulatorSpec: "simulator",
}


def open_gateway(spec: Spec) -> Gateway:
    """The gateway a spec describes, not yet connected; imports its module now, in the child."""
    module = import_module(f"{__name__}.{_MODULES[type(spec)]}")
    return cast("Gateway", module.gateway(spec))


SIMULATED, REPLAYED = "Simulated-Server", "Replay"
"""Server names of the brokers that are made up here."""


def server_of(spec: Spec) -> str | None:
    """The trade server as Books and elements name it; None while only the terminal knows."""
    match spec:
        case ManagerSpec():
            return f"{spec.host}:{spec.port}"
        case TerminalSpec():
            return spec.server
        case SimulatorSpec():
            return REPLAYED if spec.recorded_clock else SIMULATED


def title_of(spec: Spec) -> str:
    """A source in words, for headers and messages; holds no secret."""
    match spec:
        case ManagerSpec():
            return f"MT5 Manager {spec.host}:{spec.port}"
        case TerminalSpec():
            account = f"{spec.login}@{spec.server}" if spec.login else "its last account"
            return f"MT5 terminal {account}"
        case SimulatorSpec() if spec.recorded_clock:
            return f"Replay of {spec.prices}"
        case SimulatorSpec():
            return f"Simulated broker, seed {spec.seed}"
