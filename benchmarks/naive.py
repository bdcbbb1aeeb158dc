"""The baseline: the same six rules and exposure over pydantic objects made anew each poll."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from pydantic import BaseModel

from rms_tui.book import Book


class PositionObject(BaseModel):
    login: int
    symbol: str
    side: int
    lots: float
    price_open: float
    sl: float
    contract: float
    rate: float
    price: float
    profit: float
    swap: float


class VerdictObject(BaseModel):
    rule: str
    state: str
    value: float
    limit: float
    used: float
    distance: float


class AccountObject(BaseModel):
    login: int
    balance: float
    credit: float
    equity: float
    margin: float
    margin_free: float
    margin_level: float
    floating: float
    base_balance: float
    so_level: float
    currency: str
    group: str
    positions: list[PositionObject]
    verdicts: list[VerdictObject]


class ExposureObject(BaseModel):
    symbol: str
    buy: float = 0.0
    sell: float = 0.0
    floating: float = 0.0
    accounts: set[int] = set()
    positions: int = 0


def objects(book: Book) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """What a source without columns hands out each poll: an account and its positions."""
    accounts, held, symbols = book.accounts, book.positions, book.symbols
    columns: dict[str, npt.NDArray[Any]] = {
        "side": held.side,
        "lots": held.lots,
        "price_open": held.price_open,
        "sl": held.sl,
        "contract": symbols.contract[held.symbol],
        "rate": held.rate,
        "price": held.price,
        "profit": held.profit,
        "swap": held.swap,
    }
    names = [symbols.name[code] for code in held.symbol.tolist()]
    logins = accounts.login[held.account].tolist()
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    positions = [
        {"login": login, "symbol": name, **dict(zip(columns, row, strict=True))}
        for login, name, row in zip(logins, names, rows, strict=True)
    ]
    each = len(positions) // max(len(accounts), 1)
    figures = ("login", "balance", "credit", "equity", "margin", "margin_free", "margin_level",
               "floating", "so_level")  # fmt: skip
    lists = [getattr(accounts, name).tolist() for name in figures]
    return [
        (
            {
                **dict(zip(figures, values, strict=True)),
                "base_balance": values[1],
                "currency": "USD",
                "group": "real\\standard",
            },
            positions[row * each : (row + 1) * each],
        )
        for row, values in enumerate(zip(*lists, strict=True))
    ]


class NaiveCycle:
    """The same six rules and exposure over pydantic objects made anew each poll.

    It keeps the newest picture as `{login: account}`, as a monitor must.
    """

    def __init__(self) -> None:
        self.accounts: dict[int, AccountObject] = {}
        self.exposure: dict[str, ExposureObject] = {}

    def run(self, rows: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
        accounts: dict[int, AccountObject] = {}
        exposure: dict[str, ExposureObject] = {}
        for figures, held in rows:
            positions = [PositionObject(**position) for position in held]
            account = AccountObject(**figures, positions=positions, verdicts=[])
            account.verdicts = _naive_verdicts(account)
            for position in positions:
                _add(exposure, account.login, position)
            accounts[account.login] = account
        self.accounts, self.exposure = accounts, exposure


def _naive_verdicts(account: AccountObject) -> list[VerdictObject]:
    equity, balance = account.equity, account.balance
    verdicts = []
    if account.margin > 0:
        level = equity / account.margin * 100
        verdicts.append(
            _said("margin_level", level, 100.0, 100 / level, equity - account.margin, level <= 100)
        )
    floating = account.floating
    verdicts.append(
        _said("max_loss", floating, -1000.0, floating / -1000, floating + 1000, floating <= -1000)
    )
    floor, allowed = account.base_balance * 0.95, account.base_balance * 0.05
    left = equity - floor
    verdicts.append(_said("daily_loss", equity, floor, 1 - left / allowed, left, left <= 0))
    risk = 0.0
    for held in account.positions:
        loss = held.side * (held.price_open - held.sl) * held.lots * held.contract * held.rate
        risk = max(risk, loss - held.swap)
    cap = balance * 0.1
    verdicts.append(_said("position_risk", risk, cap, risk / cap, cap - risk, risk >= cap))
    gained = equity - 50_000
    verdicts.append(
        _said("max_profit", gained, 5000.0, gained / 5000, 5000 - gained, gained >= 5000)
    )
    count = len(account.positions)
    verdicts.append(_said("open_positions", count, 20.0, count / 20, 20 - count, count >= 20))
    return verdicts


def _said(
    rule: str, value: float, limit: float, used: float, distance: float, beyond: bool
) -> VerdictObject:
    return VerdictObject(
        rule=rule,
        state=_word(used, beyond),
        value=value,
        limit=limit,
        used=used,
        distance=distance,
    )


def _add(exposure: dict[str, ExposureObject], login: int, held: PositionObject) -> None:
    row = exposure.setdefault(held.symbol, ExposureObject(symbol=held.symbol))
    if held.side > 0:
        row.buy += held.lots
    else:
        row.sell += held.lots
    row.floating += held.profit + held.swap
    row.accounts.add(login)
    row.positions += 1


def _word(used: float, beyond: bool) -> str:
    if beyond:
        return "breached"
    return "critical" if used >= 0.95 else "caution" if used >= 0.8 else "ok"
