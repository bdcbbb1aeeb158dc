"""Recorded prices: three kinds of files read right, bad rows refused with file and line."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rms_tui.feed import FeedError
from rms_tui.gateways.prices import Series, read_prices

SHARED = Path(os.environ.get("RMS_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
recorded = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"recorded prices are not at {SHARED} (set RMS_SHARED_DATA)"
)

BARS = "time,open,high,low,close,tick_volume,spread,real_volume\n"
SIDE = "timestamp,open,high,low,close\n"
TICKS = "timestamp,bid,ask\n"


def written(folder: Path, **files: str) -> Path:
    """The folder with these files; `__` in a name stands for `-`."""
    for name, text in files.items():
        (folder / f"{name.replace('__', '-')}.csv").write_bytes(text.encode())
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(FeedError) as raised:
        read_prices(folder, {"EURUSD": 5})
    assert raised.value.cause == "refused-data"
    assert raised.value.final
    return raised.value.text


def rows(series: Series) -> list[tuple[float, float, float]]:
    columns = (series.time.tolist(), series.bid.tolist(), series.ask.tolist())
    return list(zip(*columns, strict=True))


def test_mt5_bars_become_four_quotes_a_bar_with_the_spread_on_top(tmp_path):
    text = BARS + "60,1.10,1.13,1.09,1.12,9,8,0\n120,1.12,1.14,1.10,1.11,9,0,0\n"
    series = read_prices(written(tmp_path, EURUSD_M1=text), {"EURUSD": 5})["EURUSD"]
    assert rows(series) == [
        (60.0, 1.10, 1.10008),
        (75.0, 1.09, 1.09008),
        (90.0, 1.13, 1.13008),
        (105.0, 1.12, 1.12008),
        (120.0, 1.12, 1.12),
        (135.0, 1.14, 1.14),
        (150.0, 1.10, 1.10),
        (165.0, 1.11, 1.11),
    ]


def test_what_mt5_exports_itself_is_read_tabs_dots_and_utf16(tmp_path):
    text = (
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n"
        "2024.03.04\t00:01:00\t1.084\t1.085\t1.083\t1.0845\t10\t0\t12\r\n"
    )
    (tmp_path / "EURUSD_M1_202403.csv").write_bytes(text.encode("utf-16"))
    series = read_prices(tmp_path, {"EURUSD": 5})["EURUSD"]
    assert series.time[0] == 1709510460.0
    assert series.ask[0] == 1.08412


def test_days_that_mt5_exports_have_a_date_and_no_time(tmp_path):
    text = (
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n"
        "2024.03.04\t1.084\t1.085\t1.083\t1.0845\t10\t0\t12\r\n"
    )
    series = read_prices(written(tmp_path, EURUSD_Daily=text), {"EURUSD": 5})["EURUSD"]
    assert series.time[0] == 1709510400.0


MT5_TICKS = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\r\n"


def test_ticks_that_mt5_exports_leave_out_the_side_that_did_not_move(tmp_path):
    text = (
        MT5_TICKS + "2024.03.04\t00:00:00.120\t1.084\t1.085\t\t\t6\r\n"
        "2024.03.04\t00:00:01.000\t1.083\t\t\t\t2\r\n"
        "2024.03.04\t00:00:01.500\t\t1.086\t\t\t4\r\n"
    )
    series = read_prices(written(tmp_path, EURUSD_ticks=text), {"EURUSD": 5})["EURUSD"]
    assert series.bid.tolist() == [1.084, 1.083, 1.083]
    assert series.ask.tolist() == [1.085, 1.085, 1.086]


def test_a_pair_of_bid_and_ask_bars_becomes_quotes(tmp_path):
    bid = SIDE + "2012-02-01 00:00:00+00:00,1.50,1.53,1.49,1.52\n"
    ask = SIDE + "2012-02-01 00:00:00+00:00,1.51,1.54,1.50,1.53\n"
    folder = written(tmp_path, gbpusd__m1__bid__2012=bid, gbpusd__m1__ask__2012=ask)
    series = read_prices(folder)["GBPUSD"]
    assert series.bid.tolist() == [1.50, 1.49, 1.53, 1.52]
    assert series.ask.tolist() == [1.51, 1.50, 1.54, 1.53]
    assert (series.time[0], series.digits) == (1328054400.0, 2)


def test_ticks_are_read_as_they_are(tmp_path):
    text = TICKS + "2013-01-01 22:00:00.295000+00:00,86.655,86.728\n1357077601,86.6,86.6\n"
    series = read_prices(written(tmp_path, usdjpy__ticks=text))["USDJPY"]
    assert rows(series) == [(1357077600.295, 86.655, 86.728), (1357077601.0, 86.6, 86.6)]
    assert series.digits == 3


def test_of_several_recordings_of_a_symbol_the_longest_is_taken(tmp_path):
    short = TICKS + "10,1.1,1.2\n11,1.1,1.2\n12,1.1,1.2\n"
    long = TICKS + "10,2.1,2.2\n99,2.1,2.2\n"
    assert read_prices(written(tmp_path, eurusd_a=short, eurusd_b=long))["EURUSD"].bid[0] == 2.1


def test_a_symbol_with_figures_in_its_name_is_known_by_the_broker(tmp_path):
    folder = written(tmp_path, US500_M1=TICKS + "1,5,6\n", eurusd5=TICKS + "1,1.1,1.2\n")
    assert read_prices(folder, {"US500": 1, "EURUSD": 5}).keys() == {"US500", "EURUSD"}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "empty file"),
        (TICKS, 1, "nothing below the header"),
        ("timestamp,bid\n1,1\n", 1, "no open, high, low, close, spread"),
        ("bid,ask\n1,1\n", 1, "no time"),
        (TICKS + "1,1.1,1.2\n2,1.1\n", 3, "3 columns"),
        (TICKS + "1,1.1,1.2\n\n2,1.1,1.2\n", 3, "3 columns"),
        (TICKS + "1,1.1,nan\n", 2, "ask as a number above 0; came 'nan'"),
        (TICKS + "1,inf,1.2\n", 2, "bid as a number above 0"),
        (TICKS + "1,-1.1,1.2\n", 2, "'-1.1'"),
        (TICKS + "1,1_1,12\n", 2, "'1_1'"),
        (TICKS + "1,,1.2\n", 2, "''"),
        (TICKS + "1,1.1,1.2\n2,1.3,1.2\n", 3, "at or above the bid 1.3; came 1.2"),
        (TICKS + "2,1.1,1.2\n1,1.1,1.2\n", 3, "at or after"),
        (TICKS + "yesterday,1.1,1.2\n", 2, "epoch seconds"),
        (TICKS + "1636940340000,1.1,1.2\n", 2, "epoch seconds"),
        (BARS + "60,1.1,1.2,1.0,1.1,1,8,0\n60,1.1,1.2,1.0,1.1,1,8,0\n", 3, "after that"),
        (BARS + "60,1.1,1.2,1.0,1.3,1,8,0\n", 2, "close between low 1 and high 1.2; came 1.3"),
        (BARS + "60,1.1,1.2,1.0,1.1,1,-8,0\n", 2, "spread as points"),
        (BARS + "60,1.1,1.2,1.0,1.1,1,900000,0\n", 2, "a spread below the price 1; came 900000"),
        ("<DATE>\t<BID>\t<ASK>\t<FLAGS>\n2024.03.04\t\t1.1\t4\n", 2, "bid as a number above 0"),
    ],
)
def test_a_bad_row_is_refused_with_file_line_expected_and_came(tmp_path, text, line, says):
    said = refusal(written(tmp_path, EURUSD=text))
    assert f"EURUSD.csv, line {line}:" in said
    assert says in said


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path):
    (tmp_path / "EURUSD.csv").write_bytes(TICKS.encode() + b"1,1.1,\xff\xfe\n")
    assert "EURUSD.csv, line 2:" in refusal(tmp_path)


def test_a_side_without_the_other_is_refused(tmp_path):
    said = refusal(written(tmp_path, gbpusd__m1__ask__2012=SIDE + "60,1,1,1,1\n"))
    assert "gbpusd-m1-bid-2012.csv beside it" in said


def test_sides_of_different_minutes_are_refused_where_they_part(tmp_path):
    bid = SIDE + "60,1,1,1,1\n120,1,1,1,1\n180,1,1,1,1\n"
    folder = written(tmp_path, eurusd_bid=bid, eurusd_ask=SIDE + "60,1,1,1,1\n180,1,1,1,1\n")
    assert "eurusd_ask.csv, line 3: expected time 120 as in eurusd_bid.csv" in refusal(folder)
    written(tmp_path, eurusd_ask=SIDE + "60,1,1,1,1\n120,1,1,1,1\n")
    assert "eurusd_ask.csv, line 4: expected time 180" in refusal(folder)


def test_swapped_sides_are_refused_but_bars_that_cross_by_points_are_put_in_order(tmp_path):
    good = "".join(f"{60 * n},1.5000,1.5003,1.4999,1.5001\n" for n in range(1, 40))
    above = "".join(f"{60 * n},1.5002,1.5005,1.5001,1.5003\n" for n in range(1, 40))
    folder = written(tmp_path, eurusd_bid=SIDE + above, eurusd_ask=SIDE + good)
    assert "are the two files swapped?" in refusal(folder)
    crossing = above.replace("60,1.5002,1.5005,1.5001,1.5003", "60,1.4999,1.5001,1.4998,1.5", 1)
    written(tmp_path, eurusd_bid=SIDE + good, eurusd_ask=SIDE + crossing)
    series = read_prices(folder)["EURUSD"]
    assert (series.bid[0], series.ask[0]) == (1.4999, 1.5)
    assert (series.ask >= series.bid).all()
    far = above.replace("60,1.5002,1.5005,1.5001,1.5003", "60,1.4,1.4,1.4,1.4", 1)
    written(tmp_path, eurusd_ask=SIDE + far)
    assert "eurusd_ask.csv, line 2: expected the ask above the bid" in refusal(folder)


def test_a_folder_without_recordings_or_no_folder_is_refused(tmp_path):
    assert "at least one *.csv" in refusal(tmp_path)
    assert "there is none" in refusal(tmp_path / "absent")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text() | st.lists(st.text(), max_size=4).map(lambda cells: TICKS + ",".join(cells)))
def test_hostile_text_is_refused_or_read_but_never_crashes(tmp_path, text):
    (tmp_path / "EURUSD.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
    refused, series = None, None
    try:
        series = read_prices(tmp_path)["EURUSD"]
    except FeedError as error:
        refused = error
    if series is None:
        assert refused is not None
        assert "EURUSD.csv" in refused.text
    else:
        assert np.isfinite([series.time, series.bid, series.ask]).all()


@settings(deadline=None, max_examples=40)
@given(
    quotes=st.lists(st.tuples(st.integers(1, 10**7), st.integers(0, 500)), min_size=1, max_size=30)
)
def test_ticks_written_and_read_are_the_same(tmp_path_factory, quotes):
    folder = tmp_path_factory.mktemp("ticks")
    lines = [f"{n},{b / 1e5:.5f},{(b + s) / 1e5:.5f}" for n, (b, s) in enumerate(quotes)]
    written(folder, EURUSD=TICKS + "\n".join(lines))
    series = read_prices(folder, {"EURUSD": 5})["EURUSD"]
    assert np.rint(series.bid * 1e5).tolist() == [b for b, _ in quotes]
    assert np.rint(series.ask * 1e5).tolist() == [b + s for b, s in quotes]


@recorded
def test_real_recordings_of_three_kinds_are_read():
    found = read_prices(SHARED, {"EURUSD": 5, "GBPUSD": 5, "USDJPY": 3})
    assert {name: len(series.time) for name, series in found.items()} == {
        "EURUSD": 4 * 500,
        "GBPUSD": 4 * 30_117,
        "USDJPY": 4 * 28_761,
    }
    assert (found["GBPUSD"].bid[0], found["GBPUSD"].ask[0]) == (1.57597, 1.57608)
    assert (found["EURUSD"].bid[0], found["EURUSD"].ask[0]) == (1.14711, 1.14716)
    for series in found.values():
        assert (series.ask >= series.bid).all()
        assert (np.diff(series.time) >= 0).all()


@recorded
def test_the_real_ticks_are_read(tmp_path):
    (tmp_path / "usdjpy-ticks.csv").symlink_to(SHARED / "nautilus_fx" / "usdjpy-ticks.csv")
    series = read_prices(tmp_path)["USDJPY"]
    assert (len(series.time), series.bid[0], series.ask[0]) == (1000, 86.655, 86.728)
    assert series.digits == 3
