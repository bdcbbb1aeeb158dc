"""What Prometheus gets: the program's own figures, and nothing of a client."""

from __future__ import annotations

import json
import logging
import socket
import sys
import urllib.request
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from tests.feeds import NOW, PLAN, FakeFeed, book

from rms_tui.cli.log import JsonLines
from rms_tui.feed import FeedError
from rms_tui.latest import Latest
from rms_tui.monitor import Monitor
from rms_tui.risk.profile import DailyLoss, Plan, RiskProfile
from rms_tui.serve.metrics import Figures, serve_metrics
from rms_tui.serve.notify.post import Delivery


def scraped(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[(sample.name, *sample.labels.values())] = sample.value
    return found, text


@pytest.fixture
def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def desk(free_port):
    feed = FakeFeed(book())
    clock = SimpleNamespace(now=NOW + 2)
    monitor = Monitor(feed, PLAN, clock=lambda: clock.now)
    store = Latest()
    store.put(SimpleNamespace(state="down", waiting=7, refused=1, latency=0.25))
    sent = (Delivery("phone", waiting=3, delivered=5, dropped=1),)
    figures = Figures(
        monitor.frames, monitor.now, store=store, deliveries=lambda: sent, clients=lambda: 4
    )
    stop = serve_metrics("127.0.0.1", free_port, figures)
    yield SimpleNamespace(feed=feed, monitor=monitor, port=free_port, clock=clock)
    stop()


def test_before_the_first_poll_there_is_an_answer_without_figures_of_a_book(desk):
    found, _ = scraped(desk.port)
    assert ("rms_accounts",) not in found
    assert found[("rms_websocket_clients",)] == 4


def test_every_figure_is_the_newest_frame_s(desk):
    frame = desk.monitor.step()
    desk.monitor.step()
    frame = desk.monitor.frames.value
    found, text = scraped(desk.port)
    assert found[("rms_accounts",)] == len(frame.book.accounts)
    assert found[("rms_positions",)] == len(frame.book.positions)
    assert found[("rms_polls_total",)] == 2
    assert found[("rms_feed_state", "live")] == 1
    assert found[("rms_book_age_seconds",)] == 2
    states = sum(value for name, value in found.items() if name[0] == "rms_accounts_in_state")
    assert states == len(frame.book.accounts)
    alerts = sum(value for name, value in found.items() if name[0] == "rms_open_alerts")
    assert alerts == len(frame.alerts) > 0
    assert found[("rms_mongodb_up",)] == 0
    assert found[("rms_mongodb_waiting_facts",)] == 7
    assert found[("rms_notices_delivered_total", "phone")] == 5
    for login in frame.book.accounts.login.tolist():
        assert str(login) not in text


def test_accounts_whose_rules_lack_a_base_are_counted(desk):
    rules = (DailyLoss(rule="daily_loss", base="equity", percent=5, of="base"),)
    desk.monitor.set_plan(Plan(profiles=(RiskProfile(name="p", rules=rules),), default="p"))
    unknown = np.full(len(desk.feed.newest.accounts), np.nan)
    accounts = replace(desk.feed.newest.accounts, prev_balance=unknown, prev_equity=unknown)
    desk.feed.newest = replace(desk.feed.newest, accounts=accounts, deals_since=int(NOW))
    frame = desk.monitor.step()
    found, _ = scraped(desk.port)
    assert found[("rms_lacking_accounts", "base_unknown")] == len(frame.book.accounts)


def test_a_feed_that_fails_shows_its_errors_and_its_growing_age(desk):
    desk.monitor.step()
    desk.feed.error = FeedError("connection", "no route to the server")
    desk.clock.now = NOW + 60
    desk.monitor.step()
    found, text = scraped(desk.port)
    assert found[("rms_feed_state", "live")] == 0
    assert found[("rms_poll_errors_total",)] == 1
    assert found[("rms_book_age_seconds",)] == 60
    assert "no route" not in text


def record(message, exc_info=None):
    return logging.LogRecord("rms_tui", logging.INFO, "x.py", 1, message, (), exc_info)


@given(st.text(alphabet=st.characters(codec=None), max_size=300))
def test_a_log_line_of_json_is_one_line_and_says_what_was_logged(message):
    line = JsonLines().format(record(message.replace("%", "")))
    assert "\n" not in line
    told = json.loads(line)
    assert told["level"] == "INFO"
    assert told["message"] == message.replace("%", "").encode("utf-8", "replace").decode()


def test_an_exception_is_in_the_same_line_of_json():
    try:
        raise ValueError("of no use")
    except ValueError:
        line = JsonLines().format(record("failed", sys.exc_info()))
    assert "of no use" in json.loads(line)["exception"]
    assert "\n" not in line
