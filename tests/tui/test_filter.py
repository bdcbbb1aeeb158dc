from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.feeds import NOW, PLAN, FakeFeed, book

from rms_tui.frame import Frame
from rms_tui.monitor import Monitor
from rms_tui.tui.filter import FilterError, parse
from rms_tui.tui.panes.accounts import FIELDS, margin_level

WORDS = ("login", "name", "group")


@pytest.fixture(scope="module")
def frame() -> Frame:
    monitor = Monitor(FakeFeed(book(shock=60.0)), PLAN, clock=lambda: NOW)
    return monitor.step()


def logins(frame: Frame, text: str) -> list[int]:
    assert frame.book is not None
    mask = parse(text, FIELDS, WORDS).mask(frame)
    login = frame.book.accounts.login
    return (login if mask is None else login[mask]).tolist()


def test_a_level_below_a_number_finds_accounts_with_margin_only(frame: Frame) -> None:
    level = margin_level(frame)
    assert frame.book is not None
    wanted = frame.book.accounts.login[level < 600].tolist()
    assert logins(frame, "level<600") == wanted
    assert wanted


def test_a_group_mask_is_mt5s_own(frame: Frame) -> None:
    assert frame.book is not None
    groups = frame.book.accounts.group
    assert len(logins(frame, "group:real\\*")) == sum(g.startswith("real\\") for g in groups)
    assert len(logins(frame, "group:real\\*,!real\\VIP")) == sum(
        g in ("real\\A", "real\\B") for g in groups
    )


def test_a_symbol_finds_those_who_hold_it(frame: Frame) -> None:
    assert frame.book is not None
    held, names = frame.book.positions, frame.book.symbols.name
    holders = {
        int(a) for a, s in zip(held.account, held.symbol, strict=True) if names[s] == "XAUUSD"
    }
    assert len(logins(frame, "symbol:XAU")) == len(holders)


def test_a_state_is_a_word_and_an_order(frame: Frame) -> None:
    breached = logins(frame, "state:breached")
    assert breached
    assert set(breached) <= set(logins(frame, "state>=warning"))
    assert logins(frame, "state:breach") == breached


def test_terms_are_joined_by_and_and_turned_by_an_exclamation_mark(frame: Frame) -> None:
    both = logins(frame, "group:real\\* state>=warning")
    assert set(both) == set(logins(frame, "group:real\\*")) & set(logins(frame, "state>=warning"))
    everybody = set(logins(frame, ""))
    assert set(logins(frame, "!name~anna")) == everybody - set(logins(frame, "name~anna"))


def test_used_is_typed_in_percent(frame: Frame) -> None:
    assert frame.assessment is not None
    assert len(logins(frame, "used>80")) == int((frame.assessment.used > 0.8).sum())


def test_a_login_matches_by_its_first_digits_or_exactly(frame: Frame) -> None:
    assert logins(frame, "login:7011") == list(range(70110, 70120))
    assert logins(frame, "login=70111") == [70111]
    assert logins(frame, "70111") == [70111]


def test_a_bare_word_is_looked_for_in_names(frame: Frame) -> None:
    assert logins(frame, "weber") == logins(frame, 'name="Anna Weber"')
    assert logins(frame, "weber")


def test_a_name_like_markup_is_found_as_written(frame: Frame) -> None:
    assert len(logins(frame, "name=[red]Bob[/red]")) == 5


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("level<", 6, "expected a value after level<"),
        ("level<q", 6, "expected a number after level<, got 'q'"),
        ("colour:red", 0, "no field 'colour' here: expected level, used"),
        ("state:late", 6, "no state 'late': expected off, ok"),
        ("level~5", 5, "level is a number: expected < <="),
        ("name<5", 4, "name is text: expected : ~ = or !="),
        ("level", 5, "expected : ~ = < or > after level"),
        ('name="ann', 5, 'expected a closing "'),
        ("login:x1", 6, "expected digits after login:, got 'x1'"),
    ],
)
def test_a_mistake_says_where_it_is_and_what_was_expected(text: str, at: int, words: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text, FIELDS, WORDS)
    assert caught.value.at == at
    assert words in caught.value.text


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='levlusdgroup:<>=!~ "*\\,1 5.\u00e9[/]\x1b', max_size=24))
def test_any_text_gives_flags_or_a_filter_error(text: str) -> None:
    shown = EIGHT
    try:
        query = parse(text, FIELDS, WORDS)
    except FilterError as error:
        mistake = error
    else:
        mask = query.mask(shown)
        assert mask is None or (mask.dtype == np.bool_ and len(mask) == 8)
        return
    assert 0 <= mistake.at <= len(text)
    assert mistake.text


EIGHT = Monitor(FakeFeed(book(8)), PLAN, clock=lambda: NOW).step()


@given(st.integers(1, 10**9), st.integers(0, 9))
def test_a_number_starts_with_its_own_digits(number: int, cut: int) -> None:
    from rms_tui.tui.filter import starts_with

    digits = str(number)[: max(1, len(str(number)) - cut)]
    others = np.array([number, number * 10, int("9" + str(number))])
    expected = [str(other).startswith(digits) for other in others.tolist()]
    assert starts_with(others, digits).tolist() == expected
