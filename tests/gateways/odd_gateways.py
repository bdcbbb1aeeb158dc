"""Gateways that work, hang, raise and refuse: opened by name in the child of a GatewayProcess."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rms_tui.book import Accounts, Book, Deals, Positions, Symbols, build
from rms_tui.feed import FeedError
from rms_tui.gateways import Gateway, NotNow, Spec, TerminalSpec


def book_of(logins: Sequence[int], step: int) -> Book:
    """Accounts with a position each; equity moves with every step, nothing else does."""
    n = len(logins)
    flat = np.zeros(n)
    figures = dict.fromkeys(Accounts.__dataclass_fields__, flat)
    texts = dict.fromkeys(("name", "group", "currency"), ("x",) * n)
    equity = np.full(n, 1000.0 + step)
    accounts = build(Accounts, {**figures, **texts, "login": logins, "equity": equity})
    columns = {name: np.arange(n) for name in Positions.__dataclass_fields__}
    positions = build(Positions, {**columns, "symbol": np.zeros(n)})
    ones = {name: np.ones(1) for name in Symbols.__dataclass_fields__}
    symbols = build(Symbols, {**ones, "name": ["EURUSD"], "base": ["EUR"], "quote": ["USD"]})
    dealt = {name: np.arange(step) for name in Deals.__dataclass_fields__}
    deals = build(Deals, {**dealt, "login": np.full(step, logins[0]), "symbol": ("EURUSD",) * step})
    return Book("test", "test", time.time(), 7200.0, True, accounts, positions, symbols, deals)


class Steady:
    """Answers at once, one step a read."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.steps = 0

    def open(self, doing: Callable[[str], None]) -> None:
        doing("syncing accounts")

    def read(self) -> Book:
        self.steps += 1
        return book_of(range(1, 6), self.steps)

    def history(self, logins: Sequence[int]) -> Deals:
        if not logins:
            raise FeedError("configuration", "history of nobody")
        return build(
            Deals,
            {
                **{name: np.arange(len(logins)) for name in Deals.__dataclass_fields__},
                "login": logins,
                "symbol": ("",) * len(logins),
            },
        )

    def close(self) -> None:
        pass


def hold_the_gil(seconds: int) -> None:
    """Block as MetaTrader5 does: in C, with the GIL held."""
    ctypes.PyDLL(None).sleep(seconds)


class HangsOnThirdRead(Steady):
    """In the first process the third read never returns and holds the GIL."""

    def read(self) -> Book:
        marker = Path(os.environ["RMS_TEST_MARKER"])
        if self.steps == 2 and not marker.exists():
            marker.touch()
            hold_the_gil(600)
        return super().read()


class HangsOpening(Steady):
    def open(self, doing: Callable[[str], None]) -> None:
        doing("waiting for the terminal")
        hold_the_gil(600)


class SlowReads(Steady):
    """Every read takes a while, politely (the GIL is free)."""

    def read(self) -> Book:
        time.sleep(0.4)
        return super().read()


class StuckReads(Steady):
    def read(self) -> Book:
        time.sleep(600)
        return super().read()


class SometimesNot(Steady):
    """Every second read fails; the source is still there."""

    def read(self) -> Book:
        book = super().read()
        if self.steps % 2:
            raise NotNow("connection", "no answer this time")
        return book


class Raises(Steady):
    def read(self) -> Book:
        assert isinstance(self.spec, TerminalSpec)
        assert self.spec.password
        raise RuntimeError(f"vendor says no to {self.spec.password.get_secret_value()}")


class Refuses(Steady):
    def open(self, doing: Callable[[str], None]) -> None:
        doing("logging in")
        raise FeedError("authorisation", "login refused")


class Misconfigured(Steady):
    def open(self, doing: Callable[[str], None]) -> None:
        doing("looking at the account")
        raise FeedError("wrong-account", "the terminal holds 7, not 8", final=True)


class Chatty(Steady):
    """Prints to the terminal, as vendors do."""

    def read(self) -> Book:
        os.write(1, b"vendor chatter on stdout\n")
        os.write(2, b"vendor chatter on stderr\n")
        print("more chatter", flush=True)
        return super().read()


class Quits(Steady):
    def read(self) -> Book:
        os._exit(3)


def steady(spec: Spec) -> Gateway:
    return Steady(spec)


def hangs_on_third_read(spec: Spec) -> Gateway:
    return HangsOnThirdRead(spec)


def hangs_opening(spec: Spec) -> Gateway:
    return HangsOpening(spec)


def slow_reads(spec: Spec) -> Gateway:
    return SlowReads(spec)


def stuck_reads(spec: Spec) -> Gateway:
    return StuckReads(spec)


def sometimes_not(spec: Spec) -> Gateway:
    return SometimesNot(spec)


def raises(spec: Spec) -> Gateway:
    return Raises(spec)


def refuses(spec: Spec) -> Gateway:
    return Refuses(spec)


def misconfigured(spec: Spec) -> Gateway:
    return Misconfigured(spec)


def chatty(spec: Spec) -> Gateway:
    return Chatty(spec)


def quits(spec: Spec) -> Gateway:
    return Quits(spec)


def without_package(spec: Spec) -> Gateway:
    del spec
    raise ImportError("No module named 'MetaTrader5'", name="MetaTrader5")
