"""What a careless or hostile client sends: it gets an error or a close, and the server lives."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import orjson
import pytest
import websocket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import feeds
from tests.serve.desks import PATIENCE, Bench, Client, bench

from rms_tui.serve import wire
from rms_tui.serve.door import Limits


@pytest.fixture(scope="module")
def desk() -> Iterator[Bench]:
    with bench(feeds.book(5), limits=Limits(rate=1e6, burst=1e6, slow=1.0)) as made:
        yield made


@pytest.fixture
def client(desk: Bench) -> Iterator[Client]:
    made = desk.connect()
    yield made
    made.socket.shutdown()


def spoken(client: Client, message: str) -> None:
    """Say it, and hear replies until the connection ends, which is raised."""
    client.socket.send(message)
    while True:
        assert client.receive()["type"] == "error"


def swamped(client: Client, messages: int) -> list[str | None]:
    """The codes of the replies to so many requests without a pause, until the connection ends."""
    codes: list[str | None] = []
    try:
        for number in range(messages):
            client.send(type="get_stats", id=number)
        while len(codes) < messages:
            codes.append(client.receive().get("code"))
    except (websocket.WebSocketException, OSError):
        return codes
    return codes


def unread(client: Client, seconds: float) -> bool:
    """Ask and never read until the other side ends it; False when it does not."""
    client.socket.settimeout(0.5)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            client.send(type="get_snapshot")
        except websocket.WebSocketTimeoutException:
            continue
        except (OSError, websocket.WebSocketException):
            return True
    return False


def alive(desk: Bench) -> bool:
    return desk.connect().ask(type="get_stats")["type"] == "stats"


@pytest.mark.parametrize(
    ("message", "code", "field"),
    [
        ("", "invalid_json", None),
        ("{", "invalid_json", None),
        ("nonsense", "invalid_json", None),
        ("[" * 5_000, "invalid_json", None),
        ("[]", "invalid_message", None),
        ('"text"', "invalid_message", None),
        ("null", "invalid_message", None),
        ("{}", "missing_field", "type"),
        ('{"type": 7}', "invalid_field", "type"),
        ('{"type": null}', "invalid_field", "type"),
        ('{"type": "get_stats", "id": {"a": 1}}', "invalid_field", "id"),
        ('{"type": "drop_tables"}', "unknown_type", "type"),
        ('{"type": "add_account"}', "missing_field", "login_id"),
        ('{"type": "add_account", "login_id": "7"}', "invalid_field", "login_id"),
        ('{"type": "add_account", "login_id": 7.5}', "invalid_field", "login_id"),
        ('{"type": "add_account", "login_id": true}', "invalid_field", "login_id"),
        ('{"type": "add_account", "login_id": -1}', "invalid_field", "login_id"),
        ('{"type": "add_account", "login_id": 99999999999999999999}', "invalid_field", "login_id"),
        ('{"type": "acknowledge", "alert_id": {"$gt": ""}}', "invalid_field", "alert_id"),
        ('{"type": "acknowledge", "alert_id": "a", "operator": "a\\u0000b"}', "invalid_field",
         "operator"),
        ('{"type": "acknowledge", "alert_id": "a", "opreator": "b"}', "unknown_field", "opreator"),
        ('{"type": "snooze", "alert_id": "a", "seconds": 1e9}', "invalid_field", "seconds"),
        ('{"type": "set_interval", "seconds": "fast"}', "invalid_field", "seconds"),
        ('{"type": "subscribe", "sections": ["passwords"]}', "invalid_field", "sections.0"),
        ('{"type": "subscribe", "from_seq": -1}', "invalid_field", "from_seq"),
        ('{"type": "get_snapshot", "login_id": []}', "invalid_field", "login_id"),
    ],
)  # fmt: skip
def test_a_message_that_is_no_request_gets_an_error_that_names_the_field(
    client, message, code, field
):
    client.socket.send(message)
    reply = client.receive()
    assert (reply["type"], reply["code"], reply.get("field")) == ("error", code, field)
    assert client.ask(type="get_stats")["type"] == "stats"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ('{"type": "get_stats", "id": [1]}', "id: expected a valid string or a valid integer"),
        (
            '{"type": "assign_profile", "login_id": 7, "profile": 7}',
            "profile: expected a valid string or a valid dictionary, got 7",
        ),
        (
            '{"type": "snooze", "alert_id": "a", "seconds": -1}',
            "seconds: expected greater than 0, got -1",
        ),
    ],
)
def test_an_error_says_everything_that_would_have_been_right(client, message, words):
    client.socket.send(message)
    assert client.receive()["message"] == words


def test_a_binary_message_gets_an_error(client):
    client.socket.send_binary(b'{"type": "get_stats"}')
    assert client.receive()["code"] == "invalid_message"


def test_ten_megabytes_close_the_connection_and_not_the_server(desk, client):
    big = orjson.dumps({"type": "get_stats", "id": "x" * 10_000_000}).decode()
    with pytest.raises((websocket.WebSocketException, OSError)):
        spoken(client, big)
    assert alive(desk)


def test_a_thousand_messages_a_second_end_with_an_error_and_a_close():
    with bench(feeds.book(5), limits=Limits(rate=50, burst=100)) as made:
        codes = swamped(made.connect(), 1_000)
        assert len(codes) < 1_000
        assert set(codes) <= {None, "rate"}
        assert codes.count("rate") <= 1
        assert alive(made)


def test_a_client_at_fifty_messages_a_second_is_served():
    with bench(feeds.book(5), limits=Limits(rate=50, burst=100)) as made:
        client = made.connect()
        for number in range(90):
            assert client.ask(type="get_stats", id=number)["type"] == "stats"


def test_a_client_that_asks_and_never_reads_is_closed(desk):
    """Its replies fill the way back; the server waits a while and gives it up."""
    client = desk.connect(sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096),))
    assert unread(client, PATIENCE)
    assert alive(desk)


def test_garbage_instead_of_a_handshake_is_closed(desk):
    for garbage in (b"\x00" * 100, b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 500, b"\x16\x03\x01" * 9):
        with socket.create_connection(("127.0.0.1", desk.server.port), PATIENCE) as raw:
            raw.sendall(garbage)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4_096):
                pass
    assert alive(desk)


def test_more_clients_than_allowed_are_refused():
    with bench(feeds.book(5), limits=Limits(clients=3)) as made:
        held = [made.connect() for _ in range(3)]
        assert all(client.ask(type="get_stats")["type"] == "stats" for client in held)
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            made.connect()
        assert refused.value.status_code == 503


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats()
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner,
                                                                max_size=3),
    max_leaves=8,
)  # fmt: skip
fields = st.dictionaries(
    st.sampled_from(["id", "login_id", "symbol", "alert_id", "seconds", "note", "operator",
                     "from_seq", "stream", "detail", "sections", "percent", "currency", "profile",
                     "balance", "equity", "value", "source", "history", "most", "rule"]),
    values, max_size=6,
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kind=st.sampled_from(sorted(wire.MODELS)) | st.text(max_size=9), more=fields)
def test_whatever_the_fields_a_message_is_a_request_or_is_refused_in_words(kind, more):
    message = orjson.dumps({**more, "type": kind}).decode()
    assert understood(message) in {
        kind, "missing_field", "unknown_field", "invalid_field", "unknown_type",
    }  # fmt: skip


def understood(message: str) -> str:
    """The type of the request a message is, or the code it is refused with."""
    try:
        return wire.request(message).type
    except wire.Refused as refused:
        return refused.code if refused.text else "without a word"


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=200))
def test_whatever_the_text_it_is_a_request_or_is_refused(text):
    with pytest.raises(wire.Refused):
        wire.request(text)
