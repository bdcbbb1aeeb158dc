"""The simulated broker: exact money, the same from the same seed, and something to see at once."""

from __future__ import annotations

import os
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rms_tui.book import Book, Deals, first_positions, rows_of
from rms_tui.feed import FeedError
from rms_tui.gateways import SimulatorSpec
from rms_tui.gateways.simulator import Simulator
from rms_tui.gateways.simulator.calendar import DAY, nights_charged, offset_at, trading_day
from rms_tui.gateways.simulator.names import HOSTILE

SHARED = Path(os.environ.get("RMS_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
recorded = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"recorded prices are not at {SHARED} (set RMS_SHARED_DATA)"
)

WEDNESDAY_NOON = 1_710_331_200.0  # 2024-03-13 12:00 UTC, 14:00 on the server
TIMES = {"taken_at", "time", "opened", "deals_since", "server_offset"}


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, now: float = WEDNESDAY_NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock | None = None, **spec: object) -> Simulator:
    simulator = Simulator(SimulatorSpec(**spec), clock or Clock())  # type: ignore[arg-type]
    simulator.open(lambda _: None)
    return simulator


def cents(money: np.ndarray) -> list[int]:
    whole = np.rint(money * 100)
    assert np.abs(money * 100 - whole).max(initial=0.0) < 1e-4
    return whole.astype(int).tolist()


def without_times(book: Book) -> list[object]:
    values: list[object] = []
    for table in (book.accounts, book.positions, book.symbols, book.deals):
        for column in fields(table):
            if column.name not in TIMES:
                value = getattr(table, column.name)
                values.append(value if isinstance(value, tuple) else np.nan_to_num(value).tolist())
    return values


def check_identities(book: Book) -> None:
    """Every sum of the book, to the cent."""
    a, p = book.accounts, book.positions
    n = len(a)
    equity = np.array(cents(a.balance)) + cents(a.credit) + cents(a.floating)
    assert equity.tolist() == cents(a.equity)
    assert np.array_equal(np.round(a.balance + a.credit + a.floating, 2), a.equity)
    held = np.bincount(p.account, weights=np.array(cents(p.profit)) + cents(p.swap), minlength=n)
    assert held.astype(int).tolist() == cents(a.floating)
    gained = np.bincount(p.account, weights=cents(p.profit), minlength=n)
    assert gained.astype(int).tolist() == cents(a.profit)
    free = np.array(cents(a.equity)) - cents(a.margin)
    assert free.tolist() == cents(a.margin_free)
    flat = a.margin == 0
    assert (a.margin_level[flat] == 0.0).all()
    level = 100 * a.equity[~flat] / a.margin[~flat]
    assert np.allclose(a.margin_level[~flat], level, atol=0.0051, rtol=0)
    assert np.array_equal(np.bincount(p.account, minlength=n) == 0, flat)
    assert (np.diff(a.login) > 0).all()
    same = np.diff(p.account) == 0
    assert (np.diff(p.account) >= 0).all()
    assert (np.diff(p.ticket)[same] > 0).all()
    assert len(set(p.ticket.tolist())) == len(p)
    bid, ask = book.symbols.bid[p.symbol], book.symbols.ask[p.symbol]
    assert np.array_equal(p.price, np.where(p.side > 0, bid, ask))
    profit = (p.price - p.price_open) * p.side * p.lots * book.symbols.contract[p.symbol] * p.rate
    assert np.abs(profit - p.profit).max(initial=0.0) < 0.0051
    assert (book.symbols.ask > book.symbols.bid).all()


def check_history(simulator: Simulator, book: Book) -> Deals:
    """Deals add up to the balance, to the cent; the recent ones are among them."""
    a = book.accounts
    deals = simulator.history(a.login.tolist())
    rows = rows_of(a.login, deals.login)
    made = np.array(cents(deals.profit)) + cents(deals.swap) + cents(deals.commission)
    total = np.bincount(rows, weights=made, minlength=len(a))
    assert total.astype(int).tolist() == cents(a.balance)
    assert len(set(deals.ticket.tolist())) == len(deals)
    order = np.lexsort((deals.ticket, deals.time))
    assert order.tolist() == list(range(len(deals)))
    first = np.unique(deals.login, return_index=True)[1]
    assert (deals.type[first] == 2).all(), "an account begins with its deposit"
    since = deals.time >= book.deals_since
    assert set(deals.ticket[since].tolist()) == set(book.deals.ticket.tolist())
    return deals


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**32),
    accounts=st.integers(1, 60),
    days=st.integers(0, 60),
    steps=st.integers(1, 25),
)
def test_money_adds_up_to_the_cent_for_any_seed_and_size(seed, accounts, days, steps):
    simulator = opened(seed=seed, accounts=accounts, history_days=days)
    for _ in range(steps):
        book = simulator.read()
    check_identities(book)
    check_history(simulator, book)


def test_money_adds_up_over_many_steps_and_three_midnights():
    clock = Clock()
    simulator = opened(clock, accounts=400, seed=5)
    for step in range(300):
        book = simulator.read()
        clock.now += 900
        if step % 30 == 0:
            check_identities(book)
    check_identities(book)
    deals = check_history(simulator, book)
    assert {0, 1, 2} <= set(deals.type.tolist())
    assert set(deals.entry.tolist()) == {0, 1}


def test_the_same_seed_and_number_of_reads_give_the_same_figures_at_any_hour():
    early, late = Clock(), Clock(WEDNESDAY_NOON + 3 * 3600)
    one, other = opened(early, accounts=80, seed=9), opened(late, accounts=80, seed=9)
    for _ in range(20):
        first, second = one.read(), other.read()
        early.now += 1
        late.now += 17
    assert without_times(first) == without_times(second)
    logins = first.accounts.login.tolist()
    here, there = one.history(logins), other.history(logins)
    assert here.ticket.tolist() == there.ticket.tolist()
    assert here.profit.tolist() == there.profit.tolist()


def test_another_day_changes_times_only():
    clock = Clock(WEDNESDAY_NOON + 12 * DAY)
    first = opened(accounts=50, seed=7).read()
    assert without_times(first) == without_times(opened(clock, accounts=50, seed=7).read())


def test_another_seed_is_another_broker():
    one, other = opened(seed=1).read(), opened(seed=2).read()
    assert one.accounts.balance.tolist() != other.accounts.balance.tolist()


def test_an_accounts_past_is_the_same_whoever_asks_for_it():
    simulator = opened(accounts=40, seed=2)
    logins = simulator.read().accounts.login.tolist()
    everybody = simulator.history(logins)
    alone = simulator.history([logins[7], 1])
    theirs = everybody.login == logins[7]
    assert everybody.ticket[theirs].tolist() == alone.ticket.tolist()
    assert everybody.profit[theirs].tolist() == alone.profit.tolist()
    assert len(simulator.history([1])) == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_demo_has_every_kind_of_trouble_from_the_first_book_on(seed):
    a = (book := opened(seed=seed).read()).accounts
    level = a.margin_level[a.margin > 0]
    assert ((level > 100) & (level < 160)).sum() >= 4
    assert (level < 100).sum() >= 2
    assert (a.floating < -1000).sum() >= 4
    lost = (a.prev_equity - a.equity) / a.prev_balance
    assert (lost > 0.05).sum() >= 1
    assert ((lost > 0.04) & (lost < 0.05)).sum() >= 1
    assert (a.margin == 0).sum() >= 5
    assert 0.1 < np.isnan(book.positions.sl).mean() < 0.7
    assert 3 < len(book.positions) / len(a) < 7
    most = np.mean(level > 300)
    assert most > 0.8, "most clients are calm"


def test_groups_currencies_and_symbols_look_like_a_brokers():
    book = opened(accounts=300).read()
    assert set(book.accounts.group) == {
        "real\\standard-usd",
        "real\\pro-eur",
        "real\\raw-gbp",
        "demo\\contest-usd",
    }
    assert set(book.accounts.currency) == {"USD", "EUR", "GBP"}
    assert len(book.symbols) >= 12
    assert {"EURUSD", "XAUUSD", "US500", "GER40", "BTCUSD"} <= set(book.symbols.name)


def test_hostile_names_are_among_the_clients():
    assert set(HOSTILE) <= set(opened(accounts=100).read().accounts.name)


def test_crosses_agree_with_their_majors():
    simulator = opened(accounts=5)
    for _ in range(50):
        s = simulator.read().symbols
        mid = dict(zip(s.name, ((s.bid + s.ask) / 2).tolist(), strict=True))
        assert mid["EURGBP"] == pytest.approx(mid["EURUSD"] / mid["GBPUSD"], rel=2e-4)
        assert mid["GBPJPY"] == pytest.approx(mid["GBPUSD"] * mid["USDJPY"], rel=3e-4)


def test_moves_are_of_a_real_markets_size_and_go_together():
    simulator = opened(accounts=1)
    books = [simulator.read().symbols for _ in range(3000)]
    names = books[0].name
    moves = np.diff(np.log([b.bid + b.ask for b in books]), axis=0)
    yearly = moves.std(axis=0) * np.sqrt(252 * DAY / 5)
    size = dict(zip(names, yearly.tolist(), strict=True))
    assert 0.05 < size["EURUSD"] < 0.12
    assert 0.10 < size["XAUUSD"] < 0.25
    assert 0.35 < size["BTCUSD"] < 0.75
    together = np.corrcoef(moves.T)
    row = names.index
    assert together[row("EURUSD"), row("GBPUSD")] > 0.3
    assert together[row("EURUSD"), row("USDCHF")] < -0.3
    assert together[row("US500"), row("GER40")] > 0.4


def test_trades_begin_and_end_and_the_days_figures_follow_the_deals():
    simulator = opened(accounts=250)
    first = simulator.read()
    for _ in range(60):
        book = simulator.read()
    assert len(book.deals) > len(first.deals)
    assert book.positions.ticket.tolist() != first.positions.ticket.tolist()
    today = WEDNESDAY_NOON + 7200 - 14 * 3600
    d, n = book.deals, len(book.accounts)
    rows = rows_of(book.accounts.login, d.login)
    out = (d.time >= today) & (d.entry == 1)
    trades = (d.time >= today) & np.isin(d.type, (0, 1))
    assert np.bincount(rows[out], minlength=n).tolist() == book.accounts.trades_today.tolist()
    lots = np.bincount(rows[out], weights=d.lots[out], minlength=n)
    assert np.allclose(lots, book.accounts.lots_today)
    made = np.bincount(
        rows[trades], weights=(d.profit + d.swap + d.commission)[trades], minlength=n
    )
    assert np.allclose(made, book.accounts.profit_today)
    deals = simulator.history(book.accounts.login.tolist())
    closings = np.bincount(rows_of(book.accounts.login, deals.login)[deals.entry == 1], minlength=n)
    assert closings.tolist() == book.accounts.trade_count.tolist()


def test_every_open_position_has_the_deal_that_opened_it():
    simulator = opened(accounts=60)
    for _ in range(40):
        book = simulator.read()
    deals = simulator.history(book.accounts.login.tolist())
    into = deals.entry == 0
    made = dict(zip(deals.position[into].tolist(), deals.price[into].tolist(), strict=True))
    p = book.positions
    assert [made[t] for t in p.ticket.tolist()] == p.price_open.tolist()


def test_midnight_charges_swap_and_closes_the_day():
    clock = Clock(WEDNESDAY_NOON)
    simulator = opened(clock, accounts=100)
    before = simulator.read()
    clock.now += 10 * 3600 + 60
    after = simulator.read()
    assert after.deals_since == before.deals_since + DAY
    kept = np.isin(after.positions.ticket, before.positions.ticket)
    was = np.isin(before.positions.ticket, after.positions.ticket)
    assert (after.positions.swap[kept] != before.positions.swap[was]).mean() > 0.95
    calm = after.accounts.trades_today == 0
    assert np.array_equal(after.accounts.prev_balance[calm], before.accounts.balance[calm])
    assert not np.isnan(after.accounts.prev_equity).any()
    assert (after.deals.time >= after.deals_since).all()
    check_identities(after)
    check_history(simulator, after)


def test_a_stop_out_closes_the_worst_position_at_the_brokers_level():
    simulator = opened(accounts=250, seed=3)
    simulator.read()
    broker = simulator._broker
    assert broker is not None
    held = broker.held
    row = int(np.flatnonzero(np.bincount(held.account) > 2)[0])
    mine = held.account == row
    broker.held = held._replace(margin=np.where(mine, held.margin * 10_000, held.margin))
    before = set(held.ticket[mine].tolist())
    worst = held.ticket[mine][np.argmin(broker.worth.profit[mine] + held.swap[mine])]
    after = simulator.read().positions
    gone = before - set(after.ticket[after.account == row].tolist())
    assert int(worst) in gone
    assert len(gone) < len(before)


def test_a_debt_after_a_stop_out_is_compensated_by_the_broker():
    simulator = opened(accounts=50, seed=3)
    book = simulator.read()
    broker = simulator._broker
    assert broker is not None
    row = int(np.flatnonzero(book.accounts.margin == 0)[0])
    broker.balance = broker.balance.copy()
    broker.balance[row] = -123_45
    book = simulator.read()
    assert book.accounts.balance[row] >= 0
    assert (book.deals.type[-1], book.deals.profit[-1]) == (19, 123.45)


def test_columns_nobody_touched_are_the_same_objects_between_reads():
    simulator = opened(accounts=3, seed=1)
    books = [simulator.read() for _ in range(12)]
    still = [(a, b) for a, b in pairwise(books) if a.positions.ticket is b.positions.ticket]
    assert still
    for a, b in still:
        assert a.accounts.login is b.accounts.login
        assert a.positions.price_open is b.positions.price_open
        assert a.positions.lots is b.positions.lots


def test_books_already_given_never_change():
    simulator = opened(accounts=50)
    book = simulator.read()
    before = without_times(book)
    for _ in range(30):
        simulator.read()
    assert without_times(book) == before


def test_positions_of_an_account_are_found_by_row():
    book = opened(accounts=30).read()
    assert first_positions(book)[-1] == len(book.positions)


@pytest.mark.parametrize(
    "spec",
    [
        {"accounts": 0},
        {"accounts": 10**7},
        {"seed": -1},
        {"history_days": -1},
        {"recorded_clock": True},
        {"prices": Path("/nowhere/at/all")},
    ],
)
def test_settings_that_cannot_be_are_refused_for_good(spec):
    with pytest.raises(FeedError) as raised:
        opened(**spec)
    assert raised.value.final


def test_the_server_keeps_eastern_european_time_and_its_summer():
    assert offset_at(WEDNESDAY_NOON) == 7200.0
    assert offset_at(1_718_000_000.0) == 10800.0


def test_trading_days_skip_weekends_and_wednesday_night_counts_three():
    wednesday = int(WEDNESDAY_NOON // DAY) * DAY
    monday = wednesday - 2 * DAY
    assert trading_day(monday, [0, 1, 2]).tolist() == [monday, monday - 3 * DAY, monday - 4 * DAY]
    sunday = monday - DAY
    assert trading_day(sunday, [0, 1]).tolist() == [sunday, sunday - 2 * DAY]
    assert sum(nights_charged(monday + n * DAY) for n in range(7)) == 7
    assert nights_charged(wednesday + DAY) == 3


@recorded
def test_recorded_symbols_follow_their_recording_and_crosses_follow_them():
    simulator = opened(accounts=20, seed=7, prices=SHARED / "nautilus_fx")
    first, second = simulator.read(), simulator.read()
    s = first.symbols
    row = s.name.index("GBPUSD")
    assert (s.bid[row], s.ask[row]) == (1.57597, 1.57608)
    assert (second.symbols.bid[row], second.symbols.ask[row]) == (1.57606, 1.57610)
    mid = dict(zip(s.name, ((s.bid + s.ask) / 2).tolist(), strict=True))
    assert mid["GBPJPY"] == pytest.approx(mid["GBPUSD"] * mid["USDJPY"], rel=3e-4)
    check_identities(second)


@recorded
def test_a_recorded_demo_is_the_same_twice():
    spec = {"accounts": 50, "seed": 7, "prices": SHARED / "nautilus_fx"}
    one, other = opened(**spec).read(), opened(Clock(WEDNESDAY_NOON + 999), **spec).read()
    assert without_times(one) == without_times(other)


def test_a_replay_keeps_the_recordings_time_and_holds_at_its_end(tmp_path):
    (tmp_path / "EURUSD.csv").write_text(
        "timestamp,bid,ask\n86400,1.1,1.2\n86460.5,1.3,1.4\n180000,1.2,1.3\n"
    )
    (tmp_path / "EURPLN.csv").write_text("timestamp,bid,ask\n86430,4.1,4.2\n90000,4.2,4.3\n")
    simulator = opened(accounts=5, prices=tmp_path, recorded_clock=True)
    books = [simulator.read() for _ in range(5)]
    assert [b.taken_at + b.server_offset for b in books] == [86400, 86460.5, 180000, 180000, 180000]
    euro, zloty = books[0].symbols.name.index("EURUSD"), books[0].symbols.name.index("EURPLN")
    assert [b.symbols.bid[euro] for b in books] == [1.1, 1.3, 1.2, 1.2, 1.2]
    assert [b.symbols.bid[zloty] for b in books] == [4.1, 4.1, 4.2, 4.2, 4.2]
    assert books[2].deals_since == books[0].deals_since + DAY
    for book in books:
        check_identities(book)


def test_a_recording_without_its_clock_plays_forth_and_back(tmp_path):
    (tmp_path / "EURUSD.csv").write_text("timestamp,bid,ask\n1,1.1,1.2\n2,1.2,1.3\n3,1.3,1.4\n")
    simulator = opened(accounts=1, prices=tmp_path)
    assert [simulator.read().symbols.bid[0] for _ in range(6)] == [1.1, 1.2, 1.3, 1.2, 1.1, 1.2]
