"""Who is told of which alert, when, in which words, and what a dead service costs: nothing."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms_tui.alert_edges import Edges
from rms_tui.alerts import FEED_RULE, Alert, AlertEvent, Severity, Stage
from rms_tui.frame import Frame
from rms_tui.latest import Latest
from rms_tui.risk.verdict import Reason
from rms_tui.serve.notify.apprise_post import sender
from rms_tui.serve.notify.channel import Channel, channels_of
from rms_tui.serve.notify.notice import (
    MOST_LINES,
    Notice,
    message_of,
    notice_of,
    test_message,
)
from rms_tui.serve.notify.notifier import Notifier
from rms_tui.serve.notify.post import FIRST_PAUSE, MOST_WAITING, Post

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0

test_message.__test__ = False  # its name says what it sends, not that it is a test


def channel(**more):
    return Channel.model_validate({"name": "desk", "url": "json://nowhere/s3cret", **more})


def alert(login=7001, severity=Severity.BREACH, at=NOON, **more):
    made = Alert(
        id=f"id{login}", login=login, server="prod", name=f"Client {login}", group="real\\A",
        currency="USD", profile="std", rule="daily_loss", key="daily_loss", severity=severity,
        stage=Stage.RAISED, first_seen=at, raised_at=at, changed_at=at, value=-5100.0,
        limit=-5000.0, used=1.02, distance=-100.0, reason=Reason.BEYOND, rung_at=at,
    )  # fmt: skip
    return replace(made, **more)


def raised(*logins, severity=Severity.BREACH, at=NOON):
    return [Notice("raised", alert(login, severity, at), at) for login in logins]


class Service:
    """Takes messages, or says why not; its clock is set by hand."""

    def __init__(self, made, now=NOON):
        self.now = now
        self.sent = []
        self.refusal = None
        self.post = Post(made, self.take, clock=lambda: self.now)

    def take(self, message):
        if self.refusal is None:
            self.sent.append(message)
        return self.refusal

    def tell(self, *notices, after=0.0):
        for notice in notices:
            self.post.tell(notice)
        self.now += after
        return self.post.step()


def test_many_alerts_at_once_are_one_message_with_the_worst_first():
    service = Service(channel(gather=5))
    assert service.tell(*raised(1, 2, severity=Severity.CRITICAL), *raised(3)) == 5.0
    assert service.sent == []
    service.tell(after=5)
    (message,) = service.sent
    assert message.title == "3 alerts: 1 BREACH, 2 CRITICAL"
    assert message.body.splitlines()[0].startswith("BREACH 3 (Client 3 real\\A) daily loss: value")
    assert service.post.delivery.delivered == 3


def test_a_message_lists_a_screenful_and_counts_the_rest():
    message = message_of(raised(*range(1, MOST_LINES + 31)))
    assert len(message.body.splitlines()) == MOST_LINES + 1
    assert message.body.endswith("… and 30 more: rms-tui alerts --open")


def test_a_risk_without_a_bound_is_said_in_words():
    unlimited = alert(
        rule="position_risk", value=math.inf, limit=50.0, used=math.inf, distance=-math.inf,
        reason=Reason.NO_STOP_LOSS,
    )  # fmt: skip
    body = message_of([Notice("raised", unlimited, NOON)]).body
    assert "position risk: value unlimited, limit 50.00, a position has no stop loss" in body


def test_severities_edges_and_groups_choose_what_a_channel_is_told():
    service = Service(channel(severities=["breach"], edges=["raised"], groups="real\\*,!real\\B*"))
    other = Notice("raised", alert(5, group="real\\B2"), NOON)
    recovered = Notice("recovered", alert(6), NOON)
    service.tell(*raised(1), *raised(2, severity=Severity.WARNING), other, recovered, after=10)
    assert [message.title for message in service.sent] == ["BREACH 1 daily loss"]


def test_the_feed_s_own_alert_reaches_a_channel_of_any_group():
    service = Service(channel(severities=["warning"], groups="real\\*"))
    feed = alert(0, Severity.WARNING, rule=FEED_RULE, group="")
    service.tell(Notice("raised", feed, NOON), after=10)
    assert service.sent[0].title == "WARNING feed feed"


def test_in_quiet_hours_only_the_worst_goes_out_and_the_rest_comes_as_one_at_their_end():
    made = channel(quiet="22:00-07:00", quiet_zone="Europe/London", gather=0)
    night = datetime(2026, 3, 2, 23, 30, tzinfo=UTC).timestamp()
    service = Service(made, night)
    service.tell(*raised(1, severity=Severity.CRITICAL, at=night), *raised(2, at=night))
    assert [message.title for message in service.sent] == ["BREACH 2 daily loss"]
    assert service.post.step() == 7.5 * HOUR
    assert service.post.delivery.state == "quiet"
    recovered = Notice("recovered", alert(1, Severity.CRITICAL), night + 60)
    service.tell(recovered, after=7.5 * HOUR)
    assert service.sent[-1].title == "CRITICAL recovered 1 daily loss"
    assert service.post.delivery.waiting == 0


def test_a_refused_message_is_tried_again_with_longer_pauses_and_nothing_is_lost():
    service = Service(channel(gather=0))
    service.refusal = "error=503"
    service.tell(*raised(1))
    assert service.post.delivery.state == "retrying"
    assert service.post.delivery.error == "error=503"
    assert service.post.delivery.next_attempt == NOON + FIRST_PAUSE
    service.tell(*raised(2), after=FIRST_PAUSE)
    assert service.post.delivery.next_attempt == service.now + 2 * FIRST_PAUSE
    service.refusal = None
    service.tell(after=2 * FIRST_PAUSE)
    assert [message.notices for message in service.sent] == [2]
    assert service.post.delivery.error is None


def test_what_a_dead_channel_holds_is_bounded_and_what_it_gives_up_is_counted():
    service = Service(channel())
    for notice in raised(*range(1, MOST_WAITING + 11)):
        service.post.tell(notice)
    assert service.post.delivery.waiting == MOST_WAITING
    assert service.post.delivery.dropped == 10


def test_a_service_s_library_that_raises_is_a_refusal():
    def broken(_):
        raise RuntimeError("token 123456 is bad")

    post = Post(channel(gather=0), broken, clock=lambda: NOON)
    post.tell(raised(1)[0])
    post.step()
    assert post.delivery.error == "RuntimeError"


def test_an_alert_that_comes_back_after_a_restart_is_not_told_of_again():
    old = alert(at=NOON - HOUR)
    assert notice_of(AlertEvent("raised", old, NOON)) is None
    assert notice_of(AlertEvent("raised", alert(), NOON)) == Notice("raised", alert(), NOON)
    escalated = alert(at=NOON - HOUR, escalated_at=NOON)
    assert notice_of(AlertEvent("escalated", escalated, NOON)).edge == "escalated"
    assert notice_of(AlertEvent("acknowledged", alert(), NOON)) is None


def test_every_edge_of_a_monitor_is_told_once_and_a_hanging_service_holds_up_no_other():
    hanging, released, arrived = threading.Event(), threading.Event(), threading.Event()
    sent = []

    def hangs(_):
        hanging.set()
        released.wait(30)

    def works(message):
        sent.append(message)
        if sum(each.notices for each in sent) == 3:
            arrived.set()

    edges, frames = Edges(), Latest()
    dead, alive = channel(name="dead", gather=0), channel(name="alive", gather=0)
    notifier = Notifier(frames, edges, [(dead, hangs), (alive, works)], clock=lambda: NOON)
    notifier.start()
    try:
        for login in (1, 2, 3):
            edges.add([AlertEvent("raised", alert(login), NOON)])
            frames.put(replace(EMPTY_FRAME, seq=login, edges=edges.count))
        assert arrived.wait(10)
        assert hanging.wait(10)
        assert {line.split()[1] for each in sent for line in each.body.splitlines()} == {
            "1", "2", "3",
        }  # fmt: skip
        assert {each.channel for each in notifier.status.value} == {"dead", "alive"}
    finally:
        released.set()
        notifier.stop()


EMPTY_FRAME = Frame(seq=0, at=NOON, health=None)


class _Taker(BaseHTTPRequestHandler):
    status, got = 200, None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).got = json.loads(body)
        self.send_response(type(self).status)
        self.end_headers()

    def log_message(self, *_):
        return None


@pytest.fixture
def taker():
    made = type("Taker", (_Taker,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made, server.server_address[1]
    server.shutdown()
    thread.join(5)
    server.server_close()


def test_a_message_arrives_at_a_real_service_word_for_word(taker):
    made, port = taker
    hostile = alert(name="<b>Bob</b> [x](http://e) *y*\nBREACH 9 fake\x1b[31m")
    message = message_of([Notice("raised", hostile, NOON)])
    assert sender(channel(url=f"json://127.0.0.1:{port}/hook"))(message) is None
    assert made.got["title"] == "BREACH 7001 daily loss"
    assert "<b>Bob</b> [x](http://e) *y* BREACH 9 fake" in made.got["message"]
    assert len(made.got["message"].splitlines()) == 1
    assert "\x1b" not in made.got["message"]


def test_why_a_service_refused_is_said_without_the_url_s_secrets(taker, caplog):
    made, port = taker
    made.status = 403
    url = f"json://user:hunter2secret@127.0.0.1:{port}/t0ken%2Dpath"
    with caplog.at_level("DEBUG"):
        refused = sender(channel(url=url))(test_message(NOON))
    assert "403" in refused
    for text in (refused, caplog.text):
        assert "hunter2secret" not in text
        assert "t0ken" not in text


def test_why_one_service_refused_is_not_told_of_another(taker):
    made, port = taker
    here, there = threading.Event(), threading.Event()

    class Slow(made):
        status = 403

        def do_POST(self):
            here.set()
            assert there.wait(10)
            super().do_POST()

    slow = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=slow.serve_forever, daemon=True).start()
    said = []
    first = sender(channel(url=f"json://127.0.0.1:{slow.server_address[1]}/first-s3cret"))
    asking = threading.Thread(target=lambda: said.append(first(test_message(NOON))))
    asking.start()
    assert here.wait(10)
    made.status = 500
    second = sender(channel(url=f"json://127.0.0.1:{port}/second-s3cret"))(test_message(NOON))
    there.set()
    asking.join(10)
    slow.shutdown()
    slow.server_close()
    assert "403" in said[0]
    assert "500" not in said[0]
    assert "500" in second


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"url": "nothing"}, "url"),
        ({}, "notify.desk.url: is missing"),
        ({"url": "json://h/s3cret", "quiet": "25:00-07:00"}, "notify.desk.quiet: expected two"),
        ({"url": "json://h/s3cret", "quiet": "07:00-07:00"}, "notify.desk.quiet: expected two"),
        ({"url": "json://h/s3cret", "quiet_zone": "Mars/X"}, "notify.desk.quiet_zone: expected an"),
        ({"url": "json://h/s3cret", "severities": ["loud"]}, "notify.desk.severities.0: expected"),
        ({"url": "json://h/s3cret", "severity": ["breach"]}, "notify.desk.severity: unknown key"),
        ({"url_env": "NOT_SET"}, "notify.desk.url_env: the variable NOT_SET is not set"),
        ({"url": "json://h/s3cret", "url_env": "X"}, "expected url or url_env, got both"),
    ],
)
def test_a_wrong_table_is_refused_with_its_key_and_without_its_secret(table, words):
    with pytest.raises(ValueError, match="notify") as refused:
        channels_of([{"name": "desk", **table}])
    assert words in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_url_may_come_from_the_environment_and_an_unknown_service_is_named():
    (found,) = channels_of([{"name": "a", "url_env": "hook"}], {"HOOK": "nonsense://s3cret"})
    with pytest.raises(ValueError, match=r"notify\.a\.url: .*scheme 'nonsense'") as refused:
        sender(found)
    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in repr(found)


@given(
    now=st.integers(1_760_000_000, 1_800_000_000),
    begin=st.integers(0, 1439),
    length=st.integers(1, 1439),
    zone=st.sampled_from(["UTC", "Europe/Prague", "America/New_York", "Asia/Kolkata"]),
)
def test_quiet_hours_are_those_of_the_wall_clock_and_end_when_it_says(now, begin, length, zone):
    end = (begin + length) % 1440
    made = channel(
        quiet=f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}", quiet_zone=zone
    )
    local = datetime.fromtimestamp(now, ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    inside = (minute - begin) % 1440 < length
    until = made.quiet_until(now)
    day_is_plain = all(
        datetime.fromtimestamp(now + h * HOUR, ZoneInfo(zone)).utcoffset() == local.utcoffset()
        for h in range(-26, 27)
    )
    if day_is_plain:
        assert (until is not None) == inside
    if until is not None:
        last = datetime.fromtimestamp(until, ZoneInfo(zone))
        assert now < until <= now + 25 * HOUR
        assert day_is_plain is False or (last.hour, last.minute) == (end // 60, end % 60)


@given(name=st.text(max_size=200), rule=st.sampled_from(["daily_loss", "max_loss"]))
def test_whatever_a_client_is_called_a_notice_is_one_line(name, rule):
    message = message_of([Notice("raised", alert(name=name, rule=rule), NOON)])
    assert len(message.body.splitlines()) == 1
    assert message.body.isprintable()
