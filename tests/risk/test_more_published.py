"""More worked numbers that firms publish, through `assess`: what their pages say of a floor.

Read in stored copies of the pages named. A number that its own page contradicts is left out.
"""

from __future__ import annotations

import json

import pytest

from rms_tui.assess import assess
from rms_tui.timeline import read

NEW_YORK = {"zone": "America/New_York", "rollover": "17:00"}
CASES: list[tuple[str, dict, dict, list[tuple]]] = [
    (
        "https://help.fundednext.com/en/articles/9941519-daily-drawdown-limit-vs-overall-drawdown-limit",
        {"initial_balance": 100_000, "zone": "Etc/GMT-3"},
        {"rule": "daily_loss", "base": "balance", "percent": 5, "of": "initial"},
        [("2026-01-05T00:00:00+03:00", 100_000, 100_000, 95_000, "ok"),
         ("2026-01-05T12:00:00+03:00", 102_000, 102_000, 95_000, "ok", 7_000)],
    ),
    (
        "https://help.fundednext.com/es/articles/8394569-que-son-el-limite-de-perdida-permitida-y-el-limite-de-perdida-maxima-permitida-actuales",
        {"initial_balance": 100_000},
        {"rule": "total_loss", "percent": 10},
        [("2026-01-05T10:00:00Z", 93_000, 93_000, 90_000, "ok", 3_000)],
    ),
    (
        "https://myforexfunds.com/faq/how-is-the-daily-drawdown-calculated/",
        {"initial_balance": 100_000, **NEW_YORK},
        {"rule": "daily_loss", "base": "max_balance_equity", "percent": 5, "of": "base"},
        [("2026-01-05T17:00:00-05:00", 102_000, 105_000, 99_750, "ok", 5_250)],
    ),
    (
        "https://help.fundedtradingplus.com/daily-drawdown-daily-simulated-loss-equity-or-balanced-based",
        {"zone": "America/New_York", "rollover": "16:59"},
        {"rule": "daily_loss", "base": "max_balance_equity", "percent": 3, "of": "base",
         "boundary": "exclusive", "value": "worst"},
        [("2026-01-05T16:59:00-05:00", 104_000, 106_000, 102_820, "ok"),
         ("2026-01-06T12:00:00-05:00", 104_000, 102_820, 102_820, "critical", 0),
         ("2026-01-06T12:01:00-05:00", 104_000, 102_819.99, 102_820, "breached")],
    ),
    (
        "https://topfundr.com/faq/how-does-the-daily-drawdown-work-on-topfundr/",
        {"initial_balance": 100_000, **NEW_YORK},
        {"rule": "daily_loss", "base": "equity", "percent": 5, "of": "base",
         "boundary": "exclusive"},
        [("2026-01-05T17:00:00-05:00", 100_000, 100_000, 95_000, "ok"),
         ("2026-01-06T16:00:00-05:00", 95_001, 95_001, 95_000, "critical"),
         ("2026-01-06T17:00:00-05:00", 95_001, 95_001, 90_250.95, "ok", 4_750.05),
         ("2026-01-07T17:00:00-05:00", 105_000, 105_000, 99_750, "ok", 5_250)],
    ),
    (
        "https://summitstrike.crunch.help/en/account-rules/how-does-the-daily-dd-work-standard-challenge",
        {"initial_balance": 100_000, **NEW_YORK},
        {"rule": "daily_loss", "base": "balance", "percent": 5, "of": "base", "value": "worst"},
        [("2026-01-05T17:00:00-05:00", 103_500, 101_000, 98_325, "ok")],
    ),
    (
        "https://protraderfund.com/how-do-you-calculate-the-4-daily-loss-limit/",
        {"initial_balance": 100_000, **NEW_YORK},
        {"rule": "daily_loss", "base": "balance", "percent": 4, "of": "base"},
        [("2026-01-05T17:00:00-05:00", 100_000, 106_000, 96_000, "ok"),
         ("2026-01-06T10:00:00-05:00", 100_000, 96_000, 96_000, "breached", 0)],
    ),
    (
        "https://www.fortraders.com/es/general-rules-page",
        {"initial_balance": 100_000},
        {"rule": "trailing_drawdown", "peak": "balance", "percent": 6, "of": "peak",
         "lock": 100_000},
        [("2026-01-05T10:00:00Z", 100_000, 100_000, 94_000, "ok"),
         ("2026-01-05T11:00:00Z", 103_000, 103_000, 96_820, "ok"),
         ("2026-01-05T12:00:00Z", 108_000, 108_000, 100_000, "ok"),
         ("2026-01-05T13:00:00Z", 110_000, 110_000, 100_000, "ok")],
    ),
    (
        "https://intercom.help/ckcapitaluk/en/articles/11504807-how-max-trailing-drawdown-works-on-instant-accounts",
        {"initial_balance": 50_000},
        {"rule": "trailing_drawdown", "peak": "equity", "percent": 5, "boundary": "exclusive"},
        [("2026-01-05T10:00:00Z", 50_000, 50_000, 47_500, "ok"),
         ("2026-01-05T11:00:00Z", 50_000, 51_500, 48_925, "ok"),
         ("2026-01-05T12:00:00Z", 50_000, 49_500, 48_925, "ok"),
         ("2026-01-05T13:00:00Z", 55_000, 55_000, 52_250, "ok"),
         ("2026-01-05T14:00:00Z", 53_000, 53_000, 52_250, "ok"),
         ("2026-01-05T15:00:00Z", 53_000, 60_000, 57_000, "ok"),
         ("2026-01-05T16:00:00Z", 53_000, 56_500, 57_000, "breached")],
    ),
    (
        "https://fxify.com/faqs/all-faqs/instant-funding-lite-how-does-the-max-trailing-drawdown-work-how-does-the-payout-affect-it/",
        {"initial_balance": 1_000},
        {"rule": "trailing_drawdown", "peak": "balance", "percent": 4, "of": "initial",
         "lock": 1_000, "boundary": "exclusive"},
        [("2026-01-05T10:00:00Z", 1_000, 1_000, 960, "ok"),
         ("2026-01-05T11:00:00Z", 1_020, 1_020, 980, "ok"),
         ("2026-01-05T12:00:00Z", 1_040, 1_040, 1_000, "ok"),
         ("2026-01-05T13:00:00Z", 1_100, 1_100, 1_000, "ok"),
         ("2026-01-05T14:00:00Z", 1_000, 1_000, 1_000, "critical", 0, -100),
         ("2026-01-05T15:00:00Z", 1_000, 999.99, 1_000, "breached")],
    ),
    (
        "https://help.toponetrader.com/en/articles/12606920-understanding-the-max-trailing-drawdown-instant-prime-funding",
        {"initial_balance": 10_000},
        {"rule": "trailing_drawdown", "peak": "balance", "percent": 5, "of": "initial",
         "lock": 10_000},
        [("2026-01-05T10:00:00Z", 10_000, 10_000, 9_500, "ok"),
         ("2026-01-05T11:00:00Z", 10_400, 10_400, 9_900, "ok"),
         ("2026-01-05T12:00:00Z", 10_500, 10_500, 10_000, "ok"),
         ("2026-01-05T13:00:00Z", 15_000, 15_000, 10_000, "ok")],
    ),
    (
        "https://fundingtrading.com/faq/how-does-end-of-day-drawdown-work",
        {"initial_balance": 50_000, "zone": "America/Chicago", "rollover": "17:00"},
        {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 2_000, "lock": 50_000},
        [("2026-01-05T10:00:00-06:00", 50_000, 50_000, 48_000, "ok"),
         ("2026-01-05T17:00:00-06:00", 51_000, 51_000, 49_000, "ok"),
         ("2026-01-06T17:00:00-06:00", 50_500, 50_500, 49_000, "ok"),
         ("2026-01-07T17:00:00-06:00", 51_500, 51_500, 49_500, "ok"),
         ("2026-01-08T17:00:00-06:00", 53_000, 53_000, 50_000, "ok")],
    ),
    (
        "https://intercom.help/funded-futures-family/en/articles/10114602-rules-trailing-max-drawdowns-risk-parameters-explained",
        {"initial_balance": 50_000, **NEW_YORK},
        {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 2_000},
        [("2026-01-05T10:00:00-05:00", 50_000, 50_000, 48_000, "ok"),
         ("2026-01-05T11:00:00-05:00", 50_000, 51_000, 48_000, "ok"),
         ("2026-01-05T16:59:00-05:00", 51_000, 51_000, 48_000, "ok"),
         ("2026-01-05T18:00:00-05:00", 51_000, 51_000, 49_000, "ok")],
    ),
    (
        "https://intercom.help/funded-futures-family/en/articles/10114602-rules-trailing-max-drawdowns-risk-parameters-explained",
        {"initial_balance": 50_000},
        {"rule": "trailing_drawdown", "peak": "equity", "amount": 2_000, "boundary": "exclusive"},
        [("2026-01-05T10:00:00-05:00", 50_000, 50_000, 48_000, "ok"),
         ("2026-01-05T11:00:00-05:00", 50_000, 51_500, 49_500, "ok"),
         ("2026-01-05T12:00:00-05:00", 50_000, 52_500, 50_500, "ok"),
         ("2026-01-05T13:00:00-05:00", 51_000, 51_000, 50_500, "ok"),
         ("2026-01-05T14:00:00-05:00", 51_000, 50_499.99, 50_500, "breached")],
    ),
    (
        "https://help.fx.topstep.com/hc/en-us/articles/115015644108-What-Is-the-Account-Loss-Limit-",
        {"initial_balance": 3_000},
        {"rule": "trailing_drawdown", "peak": "balance", "amount": 2_000, "lock": 3_000,
         "value": "worst", "boundary": "exclusive"},
        [("2026-01-05T10:00:00-06:00", 3_000, 3_000, 1_000, "ok"),
         ("2026-01-05T11:00:00-06:00", 3_500, 3_500, 1_500, "ok"),
         ("2026-01-05T12:00:00-06:00", 6_000, 6_000, 3_000, "ok"),
         ("2026-01-05T13:00:00-06:00", 6_000, 2_999, 3_000, "breached")],
    ),
    (
        "https://thetraderforge.com/max-overall-loss/",
        {"initial_balance": 100_000},
        {"rule": "total_loss", "percent": 12, "value": "balance", "boundary": "exclusive"},
        [("2026-01-05T10:00:00Z", 100_000, 100_000, 88_000, "ok"),
         ("2026-01-05T11:00:00Z", 150_000, 150_000, 88_000, "ok", 62_000)],
    ),
    (
        "https://boldfund.io/en/2024/08/10/when-will-i-breach-the-maximum-loss-limit/",
        {"initial_balance": 100_000},
        {"rule": "total_loss", "percent": 10, "value": "worst", "boundary": "exclusive"},
        [("2026-01-05T10:00:00Z", 100_000, 90_000, 90_000, "critical", 0),
         ("2026-01-05T11:00:00Z", 89_999.99, 91_000, 90_000, "breached")],
    ),
    (
        "https://faq.fundedelite.com/en/articles/10523166-what-is-the-profit-target",
        {"initial_balance": 100_000},
        {"rule": "profit_target", "percent": 8, "value": "balance", "flat": True},
        [("2026-01-05T10:00:00Z", 108_000, 108_500, 108_000, "ok"),
         ("2026-01-05T11:00:00Z", 108_000, 108_000, 108_000, "reached")],
    ),
    (
        "https://proptrader-help.oanda.com/how-do-i-calculate-the-new-maximum-drawdown-limit-when-requesting-a-payout",
        {"initial_balance": 100_000},
        {"rule": "trailing_drawdown", "peak": "balance", "percent": 10, "of": "initial",
         "lock": 100_000, "withdrawals": "lower_peak"},
        [("2026-01-05T10:00:00Z", 105_000, 105_000, 95_000, "ok", 10_000),
         ("2026-01-05T11:00:00Z", 103_000, 103_000, 95_000, "ok", 8_000),
         ("2026-01-05T12:00:00Z", 100_000, 100_000, 92_000, "ok", 8_000, -3_000)],
    ),
    (
        "https://help.sirokfutures.com/en/articles/12500021-how-do-payouts-impact-my-account",
        {"initial_balance": 100_000},
        {"rule": "trailing_drawdown", "peak": "balance", "amount": 3_000, "lock": 100_000},
        [("2026-01-05T10:00:00Z", 106_000, 106_000, 100_000, "ok", 6_000),
         ("2026-01-05T11:00:00Z", 102_000, 102_000, 100_000, "ok", 2_000, -4_000)],
    ),
    (
        "https://www.fundedengineer.com/faqs/how-does-the-trailing-overall-drawdown-affect-payouts-in-a-simulated-turbo-funded-account/",
        {"initial_balance": 100_000},
        {"rule": "trailing_drawdown", "peak": "balance", "percent": 6, "lock": 100_000},
        [("2026-01-05T10:00:00Z", 105_000, 105_000, 98_700, "ok"),
         ("2026-01-05T11:00:00Z", 104_000, 104_000, 98_700, "ok"),
         ("2026-01-05T12:00:00Z", 100_000, 100_000, 98_700, "ok", 1_300, -4_000)],
    ),
    (
        "https://help.tx3funding.com/en/articles/10164728-max-eod-trailing-drawdown",
        {"initial_balance": 100_000, **NEW_YORK},
        {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 3_500, "lock": 100_100},
        [("2026-01-05T10:00:00-05:00", 100_000, 100_000, 96_500, "ok"),
         ("2026-01-05T17:00:00-05:00", 101_000, 101_000, 97_500, "ok"),
         ("2026-01-06T17:00:00-05:00", 102_300, 102_300, 98_800, "ok"),
         ("2026-01-07T17:00:00-05:00", 103_600, 103_600, 100_100, "ok")],
    ),
    (
        "https://help.earn2trade.com/en/articles/3292356-what-is-a-trailing-drawdown",
        {"initial_balance": 25_000},
        {"rule": "trailing_drawdown", "peak": "equity", "amount": 1_500, "lock": 25_000},
        [("2026-01-05T10:00:00Z", 25_000, 25_000, 23_500, "ok"),
         ("2026-01-05T11:00:00Z", 25_100, 25_100, 23_600, "ok"),
         ("2026-01-05T12:00:00Z", 27_000, 27_000, 25_000, "ok")],
    ),
    (
        "http://help.blueberryfunded.com/en/articles/11880026-what-are-the-daily-and-maximum-loss-limits-for-instant-funding-accounts",
        {"initial_balance": 10_000},
        {"rule": "trailing_drawdown", "peak": "equity", "amount": 400, "lock": 10_000},
        [("2026-01-05T10:00:00Z", 10_200, 10_200, 9_800, "ok"),
         ("2026-01-06T10:00:00Z", 10_100, 10_100, 9_800, "ok"),
         ("2026-01-07T10:00:00Z", 10_100, 10_450, 10_000, "ok")],
    ),
    (
        "https://intercom.help/e8/en/articles/11864638-daily-pause",
        {"initial_balance": 100_000, "zone": "server"},
        {"rule": "daily_loss", "base": "balance", "percent": 2, "of": "initial",
         "value": "worst"},
        [("2026-01-05T10:00:00+02:00", 100_000, 100_000, 98_000, "ok"),
         ("2026-01-06T00:00:00+02:00", 102_435, 102_435, 100_435, "ok"),
         ("2026-01-06T10:00:00+02:00", 100_435, 101_000, 100_435, "breached")],
    ),
    (
        "https://help.leveledupsociety.com/en/articles/6192173-how-do-the-max-daily-drawdown-and-max-total-drawdowns-work",
        {"initial_balance": 100_000, **NEW_YORK},
        {"rule": "daily_loss", "base": "max_balance_equity", "percent": 5, "of": "initial",
         "boundary": "exclusive"},
        [("2026-01-05T17:00:00-05:00", 100_000, 110_000, 105_000, "ok"),
         ("2026-01-06T10:00:00-05:00", 100_000, 104_999, 105_000, "breached")],
    ),
    (
        "https://help.aeonfunded.com/en/articles/11096519-daily-maximum-loss-explanation-and-calculation-for-instant-aeon-classic-account",
        {"initial_balance": 50_000, "zone": "Etc/GMT-3", "rollover": "03:00"},
        {"rule": "daily_loss", "base": "max_balance_equity", "percent": 3, "of": "base"},
        [("2026-01-05T03:00:00+03:00", 50_000, 52_000, 50_440, "ok", 1_560)],
    ),
    (
        "https://secure.fundedpropbx.com/faq/how-do-i-determine-the-daily-drawdown",
        {"initial_balance": 100_000, "zone": "server"},
        {"rule": "daily_loss", "base": "balance", "percent": 5, "of": "initial",
         "boundary": "exclusive"},
        [("2026-01-05T00:00:00+02:00", 100_000, 100_000, 95_000, "ok"),
         ("2026-01-05T10:00:00+02:00", 97_000, 97_000, 95_000, "ok", 2_000),
         ("2026-01-05T11:00:00+02:00", 105_000, 105_000, 95_000, "ok", 10_000),
         ("2026-01-05T23:00:00+02:00", 102_000, 96_000, 95_000, "caution"),
         ("2026-01-06T00:00:00+02:00", 102_000, 96_000, 97_000, "breached")],
    ),
    (
        "https://docs.propfunding.com/disallowed-strategies/profit-surge-cap",
        {"initial_balance": 100_000, "zone": "UTC"},
        {"rule": "max_profit", "percent": 3.2, "period": "day"},
        [("2026-01-05T00:00:00Z", 100_000, 100_000, 3_200, "ok"),
         ("2026-01-05T10:00:00Z", 103_200, 103_200, 3_200, "reached"),
         ("2026-01-06T00:00:00Z", 103_200, 103_200, 3_200, "ok")],
    ),
    (
        "http://help.tx3funding.com/forex/en/articles/12326033-what-is-the-profit-cap",
        {"initial_balance": 100_000, **NEW_YORK},
        {"rule": "max_profit", "percent": 2, "period": "day", "base": "equity"},
        [("2026-01-05T17:00:00-05:00", 100_000, 97_000, 2_000, "ok"),
         ("2026-01-06T10:00:00-05:00", 100_000, 99_000, 2_000, "reached")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "profile", "rule", "rows"), CASES, ids=[case[0].split("/")[2] for case in CASES]
)
def test_a_page_of_a_firm_is_reproduced(source, profile, rule, rows):
    """A row is time, balance, equity, floor or goal, state, and what is left and what flowed."""
    del source
    timeline = [
        {"time": at, "balance": balance, "equity": equity, "flow": more[1] if len(more) > 1 else 0}
        for at, balance, equity, _, _, *more in rows
    ]
    document = {"profile": {**profile, "rules": [rule]}, "timeline": timeline}
    said = [row["rules"][0] for row in assess(read(json.dumps(document), "page"))]
    assert [(one["limit"], one["state"]) for one in said] == [(row[3], row[4]) for row in rows]
    for one, (*_, left) in zip(said, [(*row[:5], *row[5:6]) for row in rows], strict=True):
        assert isinstance(left, str) or one["distance"] == left


SECURE_THE_BAG = {"rule": "position_size", "lots": 5, "symbols": "US30,US100,NAS100,GER30",
                  "boundary": "exclusive"}  # fmt: skip


@pytest.mark.parametrize(
    ("held", "state"),
    [
        ([("US30", 1)] * 5, "critical"),
        ([("US30", 5)], "critical"),
        ([("US30", 1)] * 3 + [("US100", 1)] * 2, "critical"),
        ([("GER30", 3)] * 2, "breached"),
        ([("NAS100", 1)] * 3 + [("US30", 2)] * 3, "breached"),
    ],
)
def test_lots_of_a_group_of_symbols_as_published(held, state):
    """https://help.securethebag.com/en/articles/6390491-lot-size-limit, indices of 100K."""
    positions = [{"symbol": symbol, "side": "buy", "lots": lots} for symbol, lots in held]
    row = {"time": "2026-01-05T10:00:00Z", "balance": 100_000, "equity": 100_000,
           "positions": positions}  # fmt: skip
    document = {"profile": {"rules": [SECURE_THE_BAG]}, "timeline": [row]}
    (said,) = assess(read(json.dumps(document), "page"))
    assert said["rules"][0]["state"] == state


PIPFARM = {"rule": "position_risk", "percent": 2, "of": "initial", "idea": 3600}


def test_two_losses_of_one_idea_are_judged_together_as_published():
    """https://help.pipfarm.com/en/articles/11790932-maximum-risk-per-trade-idea, its first example:
    150 and 50 of two overlapping buys are the 2 % of 10 000 that one idea may not lose."""
    first = {"symbol": "XAUUSD", "side": "buy", "lots": 1, "open": 2000, "price": 2000, "sl": 2000,
             "contract": 100, "rate": 1}  # fmt: skip
    second = {**first, "open": 2001, "sl": 2001}
    timeline = [
        {"time": f"2026-01-05T{hour:02}:00:00Z", "balance": balance, "equity": balance,
         "positions": held}
        for hour, balance, held in (
            (9, 10_000, [first]), (10, 10_000, [first, second]), (11, 9_850, [second]),
            (12, 9_800, []),
        )
    ]  # fmt: skip
    document = {"profile": {"initial_balance": 10_000, "rules": [PIPFARM]}, "timeline": timeline}
    said = [row["rules"][0] for row in assess(read(json.dumps(document), "page"))]
    assert [(one["value"], one["state"]) for one in said] == [
        (0, "ok"), (0, "ok"), (150, "ok"), (200, "breached"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("warning", "critical", "equity", "margin", "level", "state"),
    [
        (100, 50, 2282.71, 309.81, 736.81, "ok"),
        (100, 50, 6_000, 6_300, 95.24, "caution"),
        (100, 40, 80, 200, 40, "critical"),
        (50, 20, 60, 300, 20, "critical"),
        (100, 50, 150, 300, 50, "critical"),
        (100, 50, 3969.3, 7938.6, 50, "critical"),
    ],
)
def test_margin_levels_that_brokers_publish(warning, critical, equity, margin, level, state):
    """https://help.ice-markets.com/en/articles/3343736-calculation-of-the-stop-out-level,
    https://dailyforex.pk/trading-scenario-margin-call-level-at-100-and-stop-out-level-at-50/,
    http://help.mdfx.tradersway.net/knowledge-base/general-trading/what-is-your-stop-out-level-how-is-it-calculated/,
    https://hercules.finance/faq/how-is-stop-out-level-affected-by-esmas-new-regulation/ (twice),
    https://www.mql5.com/en/forum/2271."""
    rule = {"rule": "margin_level", "warning": warning, "critical": critical}
    row = {"time": "2026-01-05T10:00:00Z", "balance": 10_000, "equity": equity, "margin": margin}
    document = {"profile": {"rules": [rule]}, "timeline": [row]}
    (said,) = assess(read(json.dumps(document), "page"))
    verdict = said["rules"][0]
    assert (round(verdict["value"], 2), verdict["state"]) == (level, state)


TOPTIER = {"rule": "position_risk", "percent": 3, "of": "initial", "idea": 0,
           "boundary": "exclusive"}  # fmt: skip


@pytest.mark.parametrize(("lost", "state"), [([2800], "caution"), ([1500, 2000], "breached")])
def test_losses_of_trades_that_overlap_are_one_as_published(lost, state):
    """https://help.toptiertrader.com/en/articles/11047802-3-loss-limit-per-trade-rule."""
    held = [
        {"symbol": "XAUUSD", "side": "buy", "lots": 1, "open": 2000 + at, "sl": 2000 + at,
         "price": 2000, "contract": 100, "rate": 1}
        for at in range(len(lost))
    ]  # fmt: skip
    timeline, balance = [], 100_000
    for hour in range(len(lost) + 1):
        timeline.append(
            {"time": f"2026-01-05T{15 + hour}:00:00Z", "balance": balance, "equity": balance,
             "positions": held[hour:]}
        )  # fmt: skip
        balance -= lost[hour] if hour < len(lost) else 0
    document = {"profile": {"initial_balance": 100_000, "rules": [TOPTIER]}, "timeline": timeline}
    *_, said = assess(read(json.dumps(document), "page"))
    assert (said["rules"][0]["value"], said["rules"][0]["state"]) == (sum(lost), state)
