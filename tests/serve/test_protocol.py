"""RMS's protocol and the newer verbs, spoken by another library than the server's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests import feeds
from tests.serve.desks import Bench, bench, poorer

from rms_tui.risk.scenario import Scenario
from rms_tui.serve import wire
from rms_tui.serve.replies import MESSAGES

LOGIN = 70_100


@pytest.fixture
def desk() -> Iterator[Bench]:
    with bench(feeds.book(12)) as made:
        yield made


def test_a_client_gets_initial_on_connect_and_an_update_each_poll(desk):
    client = desk.connect("/")
    first = client.receive()
    assert set(first) == {"type", "data", "stats", "timestamp"}
    assert first["type"] == "initial"
    snapshot = first["data"][str(LOGIN)]
    assert set(snapshot) == {"account", "positions", "trades"}
    assert first["stats"]["monitored_count"] == 12
    desk.poll()
    update = client.receive()
    assert set(update) == {"type", "data", "timestamp"}
    assert update["type"] == "update"
    assert len(update["data"]) == 12
    assert set(update["data"][0]) == {"account", "positions", "trades_summary"}
    assert set(update["data"][0]["trades_summary"]) == {"trade_count", "last_update"}
    assert update["data"][0]["account"]["login_id"] == LOGIN


def test_before_the_first_book_initial_has_no_accounts_and_the_stats_say_so():
    with bench() as made:
        first = made.connect("/").receive()
        assert first["data"] == {}
        assert first["stats"]["monitored_count"] == 0


def test_a_snapshot_is_of_one_account_or_of_all(desk):
    client = desk.connect()
    one = client.ask(type="get_snapshot", login_id=LOGIN, id="a")
    assert one["type"] == "snapshot"
    assert one["login_id"] == LOGIN
    assert one["data"]["account"]["login_id"] == LOGIN
    every = client.ask(type="get_snapshot")
    assert len(every["data"]) == 12
    unknown = client.ask(type="get_snapshot", login_id=1, id=7)
    assert (unknown["type"], unknown["code"], unknown["field"]) == (
        "error",
        "not_found",
        "login_id",
    )


def test_exposure_is_of_one_symbol_or_of_all(desk):
    client = desk.connect()
    every = client.ask(type="get_exposure")
    assert every["type"] == "exposure"
    assert {"volume", "accounts", "positions"} <= set(every["data"]["EURUSD"])
    one = client.ask(type="get_exposure", symbol="EURUSD")
    assert list(one["data"]) == ["EURUSD"]
    assert client.ask(type="get_exposure", symbol="NOPE")["code"] == "not_found"


def test_stats_name_what_rms_named(desk):
    stats = desk.connect().ask(type="get_stats")["data"]
    assert {
        "total_updates", "last_update", "errors", "monitored_count", "running", "update_interval",
    } <= set(stats)  # fmt: skip


def test_accounts_join_and_leave_by_request(desk):
    client = desk.connect()
    removed = client.ask(type="remove_account", login_id=LOGIN, operator="ann")
    assert removed["type"] == "success"
    assert not desk.monitor.selection.watches(LOGIN)
    assert client.ask(type="remove_account", login_id=LOGIN)["code"] == "not_found"
    added = client.ask(type="add_account", login_id=LOGIN, operator="ann")
    assert added["type"] == "success"
    assert desk.monitor.selection.watches(LOGIN)
    assert client.ask(type="add_account", login_id=5)["code"] == "not_found"
    facts = [(fact.login, fact.action, fact.operator) for fact in desk.monitor.outbox.oldest(9)]
    assert facts == [(LOGIN, "remove", "ann"), (LOGIN, "add", "ann")]


@pytest.mark.parametrize(
    ("more", "who"),
    [
        ({"header": {"User-Agent": "night-report/2"}}, "night-report/2 (127.0.0.1)"),
        ({"header": {"User-Agent": "a\u00fc" + "x" * 90}}, f"a{'x' * 37} (127.0.0.1)"),
        ({}, "websocket (127.0.0.1)"),
        ({"origin": "OWN"}, "page (127.0.0.1)"),
    ],
)
def test_who_gives_no_name_is_named_by_its_program_and_address(desk, more, who):
    if "origin" in more:
        more = {"origin": desk.url.replace("ws:", "http:")}
    else:
        more = {**more, "suppress_origin": True}
    client = desk.connect(**more)
    client.ask(type="remove_account", login_id=LOGIN)
    (fact,) = desk.monitor.outbox.oldest(9)
    assert fact.operator == who


def test_an_alert_is_acknowledged_and_snoozed_once(desk):
    client = desk.connect()
    book = desk.feed.newest
    for _ in range(3):
        desk.poll(poorer(book, [LOGIN], 5_000.0))
    found = client.ask(type="get_alerts", login_id=LOGIN)
    assert found["open"]
    alert = found["open"][0]
    done = client.ask(type="acknowledge", alert_id=alert["id"], note="seen", operator="ann")
    assert done["type"] == "success"
    assert client.ask(type="acknowledge", alert_id=alert["id"])["code"] == "refused"
    assert client.ask(type="snooze", alert_id=alert["id"], seconds=60)["type"] == "success"
    assert client.ask(type="snooze", alert_id="nothing", seconds=60)["code"] == "not_found"
    again = client.ask(type="get_alerts", login_id=LOGIN, rule=alert["rule"])["open"][0]
    assert (again["operator"], again["stage"]) == ("ann", "snoozed")


def test_the_interval_and_a_profile_are_set_and_nonsense_is_refused(desk):
    client = desk.connect()
    assert client.ask(type="set_interval", seconds=2)["type"] == "success"
    assert desk.monitor.interval == 2.0
    assert client.ask(type="set_interval", seconds=0)["field"] == "seconds"
    given = {"rules": [{"rule": "open_positions", "count": 1}]}
    done = client.ask(type="assign_profile", login_id=LOGIN, profile=given, operator="ann")
    assert done["type"] == "success"
    desk.poll()
    assert desk.monitor.frames.value.assessment.scope.applied[-1].rule.count == 1
    wrong = client.ask(type="assign_profile", login_id=LOGIN, profile="no such profile")
    assert wrong["code"] == "refused"
    assert client.ask(type="assign_profile", login_id=1, profile=None)["code"] == "refused"


def test_a_base_and_a_peak_are_entered_and_what_became_of_them_is_said(desk):
    client = desk.connect()
    based = client.ask(type="enter_base", login_id=LOGIN, balance=1, equity=1)
    assert based["type"] == "success"
    assert based["data"]["outcomes"][0]["of"] == {"zone": "server", "at": "00:00"}
    peak = client.ask(
        type="enter_peak", login_id=LOGIN, source="equity", withdrawals="ignore", value=1
    )
    assert peak["code"] == "refused"


def test_a_stress_answers_both_ways_and_refuses_what_is_not_there(desk):
    client = desk.connect()
    reply = client.ask(type="stress", symbol="EURUSD", percent=3)
    assert reply["up"]["percent"] == 3
    assert reply["down"]["percent"] == -3
    assert reply["up"]["clients"] == pytest.approx(-reply["down"]["clients"])
    assert client.ask(type="stress", symbol="NOPE", percent=3)["code"] == "refused"
    assert client.ask(type="stress", percent=3)["code"] == "invalid_field"


def test_a_saved_scenario_is_asked_for_by_its_name(desk):
    moves = {"EURUSD": -3.0, "JPY": 5.0, "NOPE": 1.0, "US500": 2.0}
    saved = (
        Scenario(name="Risk off", moves=moves),
        Scenario(name="one", moves={"EURUSD": 3.0}),
        Scenario(name="nothing", moves={"NOPE": 3.0}),
    )
    desk.monitor.set_plan(desk.monitor.plan.model_copy(update={"scenarios": saved}))
    desk.poll()
    client = desk.connect()
    reply = client.ask(type="stress", scenario="Risk off")
    assert (reply["scenario"], reply["absent"]) == ("Risk off", ["NOPE", "US500"])
    assert reply["up"]["moves"] == {"EURUSD": -3.0, "JPY": 5.0}
    assert reply["down"]["moves"] == {"EURUSD": 3.0, "JPY": -5.0}
    assert reply["up"]["percent"] is None
    MESSAGES.validate_python(reply)
    one, same = (
        client.ask(type="stress", scenario="one"),
        client.ask(type="stress", symbol="EURUSD", percent=3),
    )
    assert (one["up"], one["down"]) == (same["up"], same["down"])
    assert "no scenario 'nope'" in client.ask(type="stress", scenario="nope")["message"]
    assert "NOPE" in client.ask(type="stress", scenario="nothing")["message"]
    for wrong in (
        {"scenario": "one", "percent": 3},
        {"scenario": "one", "symbol": "EURUSD"},
        {"symbol": "EURUSD"},
    ):
        assert client.ask(type="stress", **wrong)["code"] == "invalid_field"


def test_accounts_are_found_by_login_or_by_group(desk):
    client = desk.connect()
    reply = client.ask(type="find_accounts", login_ids=[LOGIN, 1])
    assert (reply["found"], reply["absent"]) == ([LOGIN], [1])
    assert LOGIN in client.ask(type="find_accounts", groups="*")["found"]
    assert client.ask(type="find_accounts", groups="none\\*")["found"] == []
    assert client.ask(type="find_accounts")["code"] == "invalid_field"
    assert client.ask(type="find_accounts", groups="*", login_ids=[1])["code"] == "invalid_field"


def test_deals_come_as_packed_columns(desk):
    reply = desk.connect().ask(type="get_deals", login_id=LOGIN)
    assert reply["data"]["rows"] == 6
    assert reply["data"]["columns"]["symbol"]["text"][1] == "EURUSD"


def test_every_reply_carries_the_request_id(desk):
    client = desk.connect()
    for number, kind in enumerate(("get_stats", "get_exposure", "get_snapshot", "get_alerts")):
        assert client.ask(type=kind, id=number)["id"] == number
        assert client.ask(type=kind, id=f"text {number}")["id"] == f"text {number}"
    assert "id" not in client.ask(type="get_stats")


def test_everything_that_is_sent_fits_its_model(desk):
    client, rms = desk.connect(), desk.connect("/")
    book = desk.feed.newest
    client.send(type="subscribe", id=1)
    seen = [rms.receive(), client.receive(), client.receive()]
    for _ in range(3):
        desk.poll(poorer(book, [LOGIN], 5_000.0))
        seen += [rms.receive(), client.receive()]
    for request in (
        {"type": "get_snapshot"}, {"type": "get_exposure"}, {"type": "get_stats"},
        {"type": "get_alerts"}, {"type": "get_deals"}, {"type": "stress", "symbol": "EURUSD",
        "percent": 1}, {"type": "set_interval", "seconds": 1}, {"type": "nonsense"},
    ):  # fmt: skip
        seen.append(client.ask(**request))
    whole = desk.connect()
    whole.send(type="subscribe", detail="book")
    seen += [whole.receive(), whole.receive()]
    desk.poll(poorer(book, [LOGIN], 1.0))
    seen.append(whole.receive())
    for message in seen:
        MESSAGES.validate_python(message)
    assert {"initial", "update", "subscribed", "frame", "delta", "error", "success"} <= {
        message["type"] for message in seen
    }


def test_the_schema_holds_every_request_and_every_reply():
    schema = wire.schema()
    assert len(schema["in"]["oneOf"]) == len(wire.MODELS)
    names = set(schema["out"]["$defs"])
    assert {"Initial", "Update", "Snapshot", "StreamFrame", "Delta", "Error"} <= names
