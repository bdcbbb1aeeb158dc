"""The one place that imports MT5Manager, connects, and turns its False into words.

Every other module of this gateway gets a `Connection`. Rules kept here: `LastError` is read at
once after a False and never at another time; sinks are subscribed before `Connect`; arguments go
positionally; no call that waits for the network while holding the GIL.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import platformdirs
import psutil  # type: ignore[import-untyped, unused-ignore]  # it ships no types

from rms_tui.feed import Cause, FeedError
from rms_tui.gateways import ManagerSpec, NotNow
from rms_tui.gateways.manager.sinks import Sinks
from rms_tui.gateways.text import readable

logger = logging.getLogger(__name__)

PUMP = 0x1389
"""USERS 1 | ORDERS 8 | POSITIONS 128 | GROUPS 256 | SYMBOLS 512 | TIME 4096."""

NO_ROWS = (1, 13)
"""MT_RET_OK_NONE and MT_RET_ERR_NOTFOUND: failures that mean "nothing there"."""

MASK_LIMIT = 127
"""Longest group mask the server documents for deals; the wrapper's own buffer holds 255."""

RETRIED = frozenset({7, 9, 10, 11, 12, 15})
"""Network, timeout, no connection, no service, too frequent, shutdown: the link or the server is
away for now."""

_REFUSALS = range(1000, 1035)
_PERMISSIONS = 8

_HINTS = {
    8: "The manager account needs the rights to read accounts and trades.",
    1000: "The server does not accept this kind of connection.",
    1001: "Check MT5_MANAGER_USER and MT5_MANAGER_PASS.",
    1011: "This login is not a manager: ask the administrator for a manager account.",
    1012: "Ask the administrator to add this computer's address to the manager's IP list.",
    1024: "Ask the administrator to permit the Manager API for this manager.",
    1026: "Change the password once in MetaTrader 5 Manager.",
    1027: "The manager uses one-time passwords: use one without.",
    1028: "The manager uses one-time passwords: use one without.",
    1034: "Ask the administrator to enable API connections for this manager.",
    9: "The server did not answer in time.",
    10: "Check MT5_HOST and MT5_PORT, and the network.",
}


class Connection:
    """One ManagerAPI object. Used by one thread."""

    def __init__(self, spec: ManagerSpec) -> None:
        self._spec = spec
        self._vendor: Any = None
        self._folder: Path | None = None
        self._sinks: Sinks | None = None
        self._let_go: list[tuple[Any, Any]] = []
        self.api: Any = None
        self.live_deals = False
        """Whether deals arrive by events; without them they are asked for more often."""

    def open(self, sinks: Sinks) -> None:
        """Import, subscribe, connect and wait for the pumped tables. Raises FeedError."""
        self._vendor, self._folder = _package()
        try:
            self.api = self._vendor.ManagerAPI()
        except SystemError as error:
            raise _no_library("ManagerAPI() has no library behind it") from error
        self._sinks = sinks
        if not self._subscribe("Subscribe", "Unsubscribe", sinks.link):
            raise self.failure("subscribe to the connection's events")
        self._subscribe("UserSubscribe", "UserUnsubscribe", sinks.users)
        self._subscribe("GroupSubscribe", "GroupUnsubscribe", sinks.groups)
        self._subscribe("SymbolSubscribe", "SymbolUnsubscribe", sinks.symbols)
        self._subscribe("PositionSubscribe", "PositionUnsubscribe", sinks.positions)
        self.live_deals = self._subscribe("DealSubscribe", "DealUnsubscribe", sinks.deals)
        spec = self._spec
        answer = self.api.Connect(
            f"{spec.host}:{spec.port}",
            spec.login,
            spec.password.get_secret_value(),
            PUMP,
            int(spec.connect_timeout * 1000),
        )
        if answer is False:
            raise self.failure(f"connect to {spec.host}:{spec.port} as {spec.login}")

    def _subscribe(self, subscribe: str, unsubscribe: str, sink: object) -> bool:
        call = getattr(self.api, subscribe, None)
        if call is None or call(sink) is False:
            logger.warning("MT5Manager: no events by %s: %s", subscribe, self._last_error())
            return False
        self._let_go.append((getattr(self.api, unsubscribe), sink))
        return True

    def rows(self, answer: Any, asked: str) -> Any:
        """The answer of a call just made, `[]` where its False means "none".

        Raises NotNow for a False that passes by itself, FeedError for any other.
        """
        if answer is not False:
            return answer
        code, retcode, text = self._last_error()
        if retcode in NO_ROWS:
            return []
        raise _refusal(asked, code, retcode, text)

    def held(self, found: Sequence[Any], key: str, asked: str) -> Sequence[Any]:
        """These objects, when the package still holds every one of them.

        A getter of one it let go of gives None, also `key`, which is never None otherwise: then
        the answer is not whole, and NotNow is raised.
        """
        if None in map(attrgetter(key), found):
            raise NotNow("connection", f"Could not {asked}: the package let go of them meanwhile.")
        return found

    def failure(self, asked: str) -> FeedError:
        """Why the call that just returned False did so."""
        return _refusal(asked, *self._last_error())

    def _last_error(self) -> tuple[int, int, str]:
        return _plain(self._vendor.LastError())

    def close(self) -> None:
        """Unsubscribe, disconnect and drop every vendor object; never raises."""
        for unsubscribe, sink in self._let_go:
            _quietly(unsubscribe, sink)
        if self.api is not None:
            _quietly(self.api.Disconnect)
        self._let_go.clear()
        self._sinks = self.api = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _quietly(call: Any, *arguments: object) -> None:
    try:
        call(*arguments)
    except Exception:
        logger.exception("MT5Manager: closing went wrong")


def _package() -> tuple[Any, Path]:
    """MT5Manager, imported from a private writable folder: it makes the current one its own."""
    folder = _private_folder()
    first = "MT5Manager" not in sys.modules
    try:
        with contextlib.chdir(folder):
            import MT5Manager
    except ImportError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise FeedError(
            "missing-package",
            "Source `manager` needs the MT5Manager package, which runs on 64-bit Windows only:"
            f" install rms-tui there (`uv sync` or `pip install MT5Manager`). [{error}]",
            final=True,
        ) from error
    if first:
        code, _, text = _plain(MT5Manager.LastError())
        if code < 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise _no_library(text)
    return MT5Manager, folder


def _no_library(detail: str) -> FeedError:
    return FeedError(
        "missing-package",
        "MT5Manager is installed, but its MT5APIManager64.dll could not be loaded: reinstall the"
        f" package (`pip install --force-reinstall MT5Manager`) on 64-bit Windows. [{detail}]",
        final=True,
    )


def _private_folder() -> Path:
    """A folder of this process for the package's local bases; those of dead processes go."""
    above = platformdirs.user_cache_path("rms-tui") / "mt5manager"
    try:
        above.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in above.iterdir():
            if left.name.isdigit() and not psutil.pid_exists(int(left.name)):
                shutil.rmtree(left, ignore_errors=True)
        folder = above / str(os.getpid())
        folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        logger.warning("%s is not writable (%s): using a temporary folder", above, error.strerror)
        return Path(tempfile.mkdtemp(prefix="rms-tui-mt5manager-"))
    return folder


def _plain(last_error: Any) -> tuple[int, int, str]:
    code, retcode, text = last_error
    return int(code), int(retcode), readable(str(text))


def _refusal(asked: str, code: int, retcode: int, text: str) -> FeedError:
    cause: Cause = "connection"
    if retcode in _REFUSALS or retcode == _PERMISSIONS:
        cause = "authorisation"
    elif code in (-2, -3):
        cause = "configuration"
    number = retcode if code == -1 else code
    hint = _HINTS.get(retcode, "")
    kind = NotNow if code == -1 and retcode in RETRIED else FeedError
    return kind(cause, f"Could not {asked}: {text} ({number}). {hint}".rstrip())


def masks_of(groups: tuple[str, ...]) -> list[str]:
    """Group masks as few calls: one if it fits, else several that each keep every exclusion.

    Raises FeedError (configuration) when a mask cannot be made short enough.
    """
    parts = [part.strip() for mask in groups for part in mask.split(",") if part.strip()]
    if not any(not part.startswith("!") for part in parts):
        parts.insert(0, "*")
    whole = ",".join(parts)
    if len(whole) <= MASK_LIMIT:
        return [whole]
    without = "".join("," + part for part in parts if part.startswith("!"))
    calls: list[str] = []
    current = ""
    for part in (part for part in parts if not part.startswith("!")):
        if len(part) + len(without) > MASK_LIMIT:
            raise FeedError(
                "configuration",
                f"RMS_GROUPS: `{part}{without}` is longer than the {MASK_LIMIT} characters"
                " a mask may have; use shorter masks or fewer exclusions.",
                final=True,
            )
        longer = f"{current},{part}" if current else part
        if len(longer) + len(without) > MASK_LIMIT:
            calls.append(current + without)
            longer = part
        current = longer
    return [*calls, current + without]
