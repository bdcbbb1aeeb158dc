"""One account through one MT5 terminal: the only file that imports MetaTrader5.

The package never releases the GIL and has no timeout on most calls, so this gateway lives in a
process of its own and the parent's watchdog bounds it. No number leaves this file before the
terminal has said, after it was read, that it is still logged in to the account asked for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rms_tui.book import Accounts, Book, Deals, Positions, Symbols, build, empty, kept, take
from rms_tui.feed import Cause, FeedError
from rms_tui.gateways import Gateway, NotNow, TerminalSpec
from rms_tui.gateways.dealt import (
    DAY,
    DealRow,
    closings,
    day_figures,
    day_start,
    deals_table,
)
from rms_tui.gateways.server_clock import server_offset
from rms_tui.gateways.text import readable

logger = logging.getLogger(__name__)

DEALS_EVERY = 5.0
"""Seconds between readings of deals while neither positions nor balance change."""

RATES_EVERY = 60.0
"""Seconds between readings of the conversion rate of a symbol in a foreign currency."""

UNKNOWN_EVERY = 5.0
"""Seconds after which a symbol that the terminal said nothing about is asked for again."""

LIQUID = ("EURUSD", "GBPUSD", "USDJPY", "BTCUSD")
"""Symbols quoted day and night, whose ticks tell the server's clock: while no position is open, and
before any tick was seen to move. A share's last one may stand for most of a trading day, gold's for
an hour of every night."""

AGREEING = 60.0
"""Seconds by which the newest tick of these may be older than the newest of all and still vouch for
it."""

UNKNOWN_DIGITS = 5
"""Decimals of the prices of a symbol that the terminal says nothing about (its name is too long to
be asked for, or the call failed): with none of them 1.101 would be shown as 1."""

_CALL_FAILED = -1
"""One call failed; the pipe to the terminal is open as before."""

_NAN = float("nan")

_CAUSES: dict[int, Cause] = {
    -2: "configuration",
    -5: "configuration",
    -6: "authorisation",
    -7: "authorisation",
}

_HINTS = {
    -5: "Update the terminal and the MetaTrader5 package.",
    -6: "Check login, password and server by logging in by hand with just these; a broken"
    " terminal installation gives the same error.",
    -7: "Accounts with one-time passwords or certificates cannot be logged in from outside.",
    -10001: "The terminal was closed or crashed.",
    -10002: "The terminal was closed or crashed.",
    -10003: "Check MT5_PATH, or the instance's path: the full one of terminal64.exe, started by the"
    " same Windows user.",
    -10004: "The terminal is not running.",
    -10005: "Switch on the Algo Trading button in the terminal (with it off, newer builds do not"
    " answer at all), and see that Tools > Options > Expert Advisors does not disable automatic"
    " trading through the external Python API; log in by hand once.",
}


def gateway(spec: TerminalSpec) -> Gateway:
    """The gateway of a spec, not yet connected."""
    return TerminalGateway(spec)


@dataclass(slots=True)
class _Symbol:
    """What a Book needs of a symbol, and when its conversion rate was read."""

    base: str
    quote: str
    digits: int
    contract: float
    rate: float
    rate_read: float


@dataclass(frozen=True, slots=True)
class _DealsRead:
    """Deals of the whole window, and what the terminal showed when they were read."""

    state: object
    elapsed: float
    day: int
    recent: Deals
    count: int


class TerminalGateway:
    """See `rms_tui.gateways.Gateway`. `clock` is UTC seconds, `elapsed` a monotonic clock."""

    def __init__(
        self,
        spec: TerminalSpec,
        clock: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spec = spec
        self._clock = clock
        self._elapsed = elapsed
        self._api: Any = None
        self._login, self._server = spec.login, spec.server
        self._symbols: dict[str, _Symbol] = {}
        self._newest_tick = 0.0
        self._ticking = False
        self._offset: float | None = None
        self._linked_at: float | None = None
        self._dealt: _DealsRead | None = None
        self._book: Book | None = None
        self._failed = False

    def open(self, doing: Callable[[str], None]) -> None:
        """Start or find the terminal, log in, and see that it is the account asked for."""
        spec = self._spec
        if not spec.path.strip():
            raise FeedError(
                "configuration",
                "Source `terminal` needs MT5_PATH, the full path of terminal64.exe: without it"
                " the package takes whichever terminal was used last.",
                final=True,
            )
        self._api = _package()
        doing(f"starting {spec.path} and waiting for its login (up to two minutes)")
        keywords: dict[str, object] = {"timeout": int(spec.connect_timeout * 1000)}
        if spec.login is not None:
            keywords["login"] = spec.login
        if spec.server is not None:
            keywords["server"] = spec.server
        if spec.password is not None:
            keywords["password"] = spec.password.get_secret_value()
        if spec.portable:
            keywords["portable"] = True
        if not self._api.initialize(spec.path, **keywords):
            raise self._failure(f"start the terminal {spec.path}")
        self._account()

    def read(self) -> Book:
        """The account as the terminal shows it now; `connected` is the terminal's own link.

        While that is down the terminal goes on showing its last figures, so they are as old as
        the last Book that had it. Raises NotNow when a call failed this once, FeedError when it
        does again or the terminal is gone.
        """
        try:
            book = self._read()
        except NotNow as error:
            if self._failed:
                raise FeedError(error.cause, error.text) from error
            self._failed = True
            raise
        self._failed = False
        return book

    def _read(self) -> Book:
        api = self._api
        terminal = self._asked(api.terminal_info(), "read the terminal's state")._asdict()
        held = [
            position._asdict() for position in self._asked(api.positions_get(), "read positions")
        ]
        account = self._account()
        now, connected = self._clock(), bool(terminal["connected"])
        if connected or self._linked_at is None:
            self._linked_at = now
        names = sorted({str(position["symbol"]) for position in held} | set(self._symbols))
        self._know(names, str(account["currency"]))
        ticks = self._ticks(names, now)
        deals = self._deals(account, held)
        before = self._book
        positions = self._positions(held, names)
        self._book = Book(
            source="terminal",
            server=str(account["server"]),
            taken_at=self._linked_at,
            server_offset=self._offset,
            connected=connected,
            accounts=kept(
                _account_table(account, positions, deals), before.accounts if before else None
            ),
            positions=kept(positions, before.positions if before else None),
            symbols=kept(self._symbol_table(names, ticks), before.symbols if before else None),
            deals=deals.recent,
            deals_since=deals.day - DAY,
        )
        return self._book

    def history(self, logins: Sequence[int]) -> Deals:
        """Deals of the account since the start of the history window, if it is asked for."""
        login = int(self._account()["login"])
        if login not in {int(asked) for asked in logins}:
            return empty(Deals)
        deals = self._window(login)
        self._account()
        return deals

    def close(self) -> None:
        """Close the pipe; the terminal itself stays up."""
        if self._api is None:
            return
        try:
            self._api.shutdown()
        except Exception:
            logger.exception("MetaTrader5: closing went wrong")
        self._api = None

    def _asked(self, answer: Any, what: str) -> Any:
        """The answer of a call just made; raises FeedError for None. An empty one is an answer."""
        if answer is None:
            raise self._failure(what)
        return answer

    def _failure(self, what: str) -> FeedError:
        code, text = self._api.last_error()
        cause = _CAUSES.get(int(code), "connection")
        hint = _HINTS.get(int(code), "")
        kind = NotNow if int(code) == _CALL_FAILED else FeedError
        return kind(cause, f"Could not {what}: {readable(text)} ({code}). {hint}".rstrip())

    def _account(self) -> Mapping[str, Any]:
        """The account logged in, if it is still the one asked for. Raises FeedError.

        Without a login asked for, the first one seen is the one from then on: the operator can
        switch accounts in the terminal at any moment.
        """
        shown: dict[str, Any] = self._asked(self._api.account_info(), "read the account")._asdict()
        login, server = int(shown["login"]), readable(shown["server"])
        if login == 0 and self._spec.password is not None:  # nobody refused it
            raise FeedError(
                "connection", f"The terminal {self._spec.path} is not logged in to any account yet."
            )
        if login == 0:
            raise FeedError(
                "authorisation",
                f"The terminal {self._spec.path} is not logged in to any account: log in by hand"
                " once, or give login, password and server.",
            )
        expected = self._login if self._login is not None else login
        at = self._server if self._server is not None else server
        if login != expected or server.casefold() != at.casefold():
            raise FeedError(
                "wrong-account",
                f"The terminal {self._spec.path} is logged in to {login}@{server}, expected"
                f" {expected}@{at}: log it in to that account, or correct the login or the"
                " server asked for. Each account needs a terminal installation of its own.",
            )
        self._login, self._server = login, server
        return shown

    def _know(self, names: Sequence[str], currency: str) -> None:
        """Read what is not known of these symbols, and conversion rates that grew old."""
        now = self._elapsed()
        for name in names:
            known = self._symbols.get(name)
            lasting = known and (
                known.quote == currency
                or now - known.rate_read < (RATES_EVERY if known.quote else UNKNOWN_EVERY)
            )
            if not lasting:
                shown = self._api.symbol_info(name)
                fields = {} if shown is None else shown._asdict()
                self._symbols[name] = _symbol(fields, currency, now)

    def _ticks(self, names: Sequence[str], now: float) -> list[tuple[float, float]]:
        """Bid and ask of each symbol, and from the newest stamp the server's clock."""
        ticks = {name: self._tick(name) for name in names}
        stamps = {name: tick.get("time_msc", 0) / 1000 for name, tick in ticks.items()}
        for name in LIQUID if not self._ticking or not any(stamps.values()) else ():
            if _day_and_night(stamps):
                break
            stamps[name] = self._tick(name).get("time_msc", 0) / 1000
        newest = max(stamps.values(), default=0.0)
        moved = self._newest_tick > 0.0 and newest > self._newest_tick
        if moved or (self._offset is None and _day_and_night(stamps) >= newest - AGREEING):
            offset = server_offset(newest, now, moved=moved)
            self._offset = self._offset if offset is None else offset
        self._ticking = self._ticking or moved
        self._newest_tick = max(newest, self._newest_tick)
        return [
            (tick.get("bid", 0.0) or _NAN, tick.get("ask", 0.0) or _NAN) for tick in ticks.values()
        ]

    def _tick(self, name: str) -> dict[str, Any]:
        tick = self._api.symbol_info_tick(name)
        return {} if tick is None else dict(tick._asdict())

    def _server_now(self) -> int:
        return int(self._clock() + (self._offset or 0.0))

    def _window(self, login: int) -> Deals:
        """Deals of the history window. Its end lies a day ahead: the clock may be unknown."""
        now = self._server_now()
        first = day_start(now) - max(self._spec.history_days, 1) * DAY
        found = self._asked(self._api.history_deals_get(first, now + DAY), "read deals")
        return deals_table(_deal_row(deal._asdict(), login) for deal in found)

    def _deals(self, account: Mapping[str, Any], held: Sequence[Mapping[str, Any]]) -> _DealsRead:
        """Deals, read again when what is held or the balance changed, and every few seconds."""
        day = day_start(self._server_now())
        open_now = frozenset((position["ticket"], position["volume"]) for position in held)
        state = (open_now, account["balance"], account["credit"])
        last, now = self._dealt, self._elapsed()
        if last and last.state == state and last.day == day and now - last.elapsed < DEALS_EVERY:
            return last
        window = self._window(int(account["login"]))
        self._account()
        recent = take(window, window.time >= day - DAY)
        self._dealt = _DealsRead(
            state,
            now,
            day,
            kept(recent, last.recent if last else None),
            int(closings(window).sum()),
        )
        return self._dealt

    def _positions(self, held: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Positions:
        code = {name: at for at, name in enumerate(names)}
        ordered = sorted(held, key=lambda position: int(position["ticket"]))
        if not held:
            return empty(Positions)
        rows = [
            (
                position["ticket"],
                0,
                code[position["symbol"]],
                -1 if position["type"] == 1 else 1,
                position["volume"],
                position["price_open"],
                position["sl"] or _NAN,
                position["tp"] or _NAN,
                position["time"],
                self._symbols[position["symbol"]].rate,
                position["price_current"],
                position["profit"],
                position["swap"],
            )
            for position in ordered
        ]
        columns = (
            "ticket", "account", "symbol", "side", "lots", "price_open", "sl", "tp", "opened",
            "rate", "price", "profit", "swap",
        )  # fmt: skip
        return build(Positions, dict(zip(columns, zip(*rows, strict=True), strict=True)))

    def _symbol_table(self, names: Sequence[str], quotes: Sequence[tuple[float, float]]) -> Symbols:
        known = [self._symbols[name] for name in names]
        return build(
            Symbols,
            {
                "name": [readable(name) for name in names],
                "base": [symbol.base for symbol in known],
                "quote": [symbol.quote for symbol in known],
                "digits": [symbol.digits for symbol in known],
                "contract": [symbol.contract for symbol in known],
                "bid": [bid for bid, _ in quotes],
                "ask": [ask for _, ask in quotes],
            },
        )


def _day_and_night(stamps: Mapping[str, float]) -> float:
    """The newest tick of a LIQUID symbol, also of one with a suffix; 0 without any."""
    return max((at for name, at in stamps.items() if name.startswith(LIQUID)), default=0.0)


def _package() -> Any:
    try:
        import MetaTrader5
    except ImportError as error:
        raise FeedError(
            "missing-package",
            "Source `terminal` needs the MetaTrader5 package, which runs on 64-bit Windows only:"
            f" install rms-tui there (`uv sync` or `pip install MetaTrader5`). [{error}]",
            final=True,
        ) from error
    return MetaTrader5


def _symbol(fields: Mapping[str, Any], currency: str, now: float) -> _Symbol:
    """A symbol from `symbol_info`; with what is not known empty or NaN."""
    quote = readable(fields.get("currency_profit", ""))
    contract = float(fields.get("trade_contract_size", 0.0)) or _NAN
    step = float(fields.get("trade_tick_size", 0.0)) * contract
    value = float(fields.get("trade_tick_value", 0.0))
    rate = 1.0 if quote == currency else (value / step if value and step else _NAN)
    return _Symbol(
        base=readable(fields.get("currency_base", "")),
        quote=quote,
        digits=int(fields.get("digits", UNKNOWN_DIGITS)),
        contract=contract,
        rate=rate,
        rate_read=now,
    )


def _deal_row(deal: Mapping[str, Any], login: int) -> DealRow:
    """A TradeDeal as a row of Deals; the fee is part of the commission."""
    return (
        deal["ticket"], login, deal["time"], deal["type"], deal["entry"],
        readable(deal["symbol"]), deal["volume"], deal["price"], deal["profit"], deal["swap"],
        deal["commission"] + deal["fee"], deal["position_id"],
    )  # fmt: skip


def _account_table(account: Mapping[str, Any], positions: Positions, deals: _DealsRead) -> Accounts:
    """The one row of Accounts. The terminal's profit includes swap, a Book's does not."""
    only_row = np.zeros(len(deals.recent), dtype=np.int64)
    trades, lots, profit = day_figures(deals.recent, only_row, 1, deals.day)
    floating = float(account["profit"])
    swap = float(positions.swap.sum())
    only: dict[str, object] = {
        "login": account["login"],
        "name": readable(account["name"]),
        "group": "",
        "currency": readable(account["currency"]),
        "digits": account["currency_digits"],
        "leverage": account["leverage"],
        "so_mode": account["margin_so_mode"],
        "so_call": account["margin_so_call"],
        "so_level": account["margin_so_so"],
        "balance": account["balance"],
        "credit": account["credit"],
        "equity": account["equity"],
        "margin": account["margin"],
        "margin_free": account["margin_free"],
        "margin_level": account["margin_level"],
        "profit": round(floating - swap, 8),
        "floating": floating,
        "prev_balance": _NAN,
        "prev_equity": _NAN,
        "trades_today": trades[0],
        "lots_today": lots[0],
        "profit_today": profit[0],
        "trade_count": deals.count,
    }
    return build(Accounts, {name: (value,) for name, value in only.items()})
