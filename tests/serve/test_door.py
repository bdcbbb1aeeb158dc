"""Who comes in: tokens, TLS, origins; and what is refused before anything listens."""

from __future__ import annotations

import logging
import ssl
import subprocess
from base64 import urlsafe_b64encode
from http.client import HTTPConnection
from pathlib import Path
from shutil import which

import orjson
import pytest
import websocket
from hypothesis import given
from hypothesis import strategies as st
from tests import feeds
from tests.serve.desks import Bench, bench

from rms_tui.serve.access import Access, Unsafe, checked, origin_allowed, role
from rms_tui.serve.page import read_page
from rms_tui.serve.websocket import Unserved

OPERATOR, READER = "operator-token-0123456789", "reader-token-0123456789ab"


def hidden(token: str) -> str:
    return "rms-token." + urlsafe_b64encode(token.encode()).decode().rstrip("=")


def bearer(token: str) -> dict[str, list[str]]:
    return {"header": [f"Authorization: Bearer {token}"]}


def status_of(desk: Bench, path: str = "/stream", **more: object) -> int:
    """101 when a WebSocket comes in, or the status it is refused with."""
    try:
        desk.connect(path, **more)
    except websocket.WebSocketBadStatusException as refused:
        return int(refused.status_code)
    return 101


def http(desk: Bench, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", desk.server.port, timeout=5)
    connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    return response.status, dict(response.getheaders()), response.read()


@pytest.fixture(scope="module")
def desk():
    with bench(feeds.book(5), operator_token=OPERATOR, reader_token=READER) as made:
        yield made


def test_a_token_makes_an_operator_or_a_reader_and_a_wrong_one_nothing(desk):
    assert status_of(desk, **bearer(OPERATOR)) == 101
    assert status_of(desk, **bearer(READER)) == 101
    assert status_of(desk) == 401
    assert status_of(desk, **bearer("wrong-token-0123456789")) == 401
    assert status_of(desk, **bearer(OPERATOR[:-1])) == 401
    assert status_of(desk, **bearer("")) == 401
    assert status_of(desk, header=[f"Authorization: Basic {OPERATOR}"]) == 401


def test_a_token_in_the_url_is_not_taken(desk):
    assert status_of(desk, f"/stream?token={OPERATOR}") == 401


def test_a_browser_sends_its_token_as_a_subprotocol_that_is_not_repeated(desk):
    client = desk.connect(subprotocols=["rms", hidden(OPERATOR)])
    assert client.socket.getsubprotocol() == "rms"
    assert client.ask(type="set_interval", seconds=1)["type"] == "success"
    assert status_of(desk, subprotocols=["rms", hidden("wrong-token-0123456789")]) == 401
    assert status_of(desk, subprotocols=["rms", "rms-token.%%%"]) == 401
    assert status_of(desk, subprotocols=["rms"]) == 401


@pytest.mark.parametrize(
    "command",
    [
        {"type": "add_account", "login_id": 1},
        {"type": "remove_account", "login_id": 1},
        {"type": "acknowledge", "alert_id": "a"},
        {"type": "snooze", "alert_id": "a", "seconds": 1},
        {"type": "set_interval", "seconds": 1},
        {"type": "assign_profile", "login_id": 1, "profile": None},
        {"type": "enter_base", "login_id": 1, "balance": 1, "equity": 1},
        {"type": "enter_peak", "login_id": 1, "source": "equity", "withdrawals": "ignore",
         "value": 1},
    ],
)  # fmt: skip
def test_a_reader_may_change_nothing(desk, command):
    client = desk.connect(**bearer(READER))
    assert client.ask(**command)["code"] == "read_only"
    assert client.ask(type="get_stats")["type"] == "stats"
    client.send(type="subscribe")
    assert client.receive()["role"] == "reader"


def test_on_this_machine_without_a_token_everyone_is_the_operator():
    with bench(feeds.book(5)) as made:
        assert made.connect().ask(type="set_interval", seconds=1)["type"] == "success"


def test_on_this_machine_with_an_operators_token_the_others_read():
    with bench(feeds.book(5), operator_token=OPERATOR) as made:
        assert made.connect().ask(type="set_interval", seconds=1)["code"] == "read_only"
        assert status_of(made, **bearer("wrong-token-0123456789")) == 401


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1.evil.example", "null", "file://", "http://"],
)
def test_a_page_from_elsewhere_is_refused(desk, origin):
    assert status_of(desk, origin=origin, **bearer(OPERATOR)) == 403
    assert http(desk, "/health", Origin=origin, Authorization=f"Bearer {OPERATOR}")[0] == 403


def test_a_name_that_points_here_is_not_this_server(desk):
    """DNS rebinding: the attacker's own name resolves to 127.0.0.1 and is its own origin."""
    port = desk.server.port
    name = f"rebound.example:{port}"
    assert status_of(desk, origin=f"http://{name}", host=name, **bearer(OPERATOR)) == 403


def test_its_own_page_may_connect_and_an_allowed_origin_too(desk):
    own = f"http://127.0.0.1:{desk.server.port}"
    assert status_of(desk, origin=own, **bearer(OPERATOR)) == 101
    with bench(feeds.book(5), origins=("https://desk.example.com",)) as made:
        assert status_of(made, origin="https://desk.example.com") == 101
        assert status_of(made, origin="https://desk.example.com.evil.example") == 403


@given(host=st.text(max_size=40), origin=st.text(max_size=60))
def test_whatever_the_headers_an_odd_origin_is_refused_without_an_error(host, origin):
    assert origin_allowed(Access(), f"http://{origin}.example", host) is False


@given(header=st.text(max_size=60), offered=st.lists(st.text(max_size=40), max_size=4))
def test_whatever_is_sent_only_the_token_opens(header, offered):
    access = Access(host="0.0.0.0", operator_token=OPERATOR)
    assert role(access, header, [*offered, "rms-token." + header]) is None
    assert role(access, None, [f"rms-token.{name}" for name in offered]) is None


@pytest.mark.parametrize(
    ("access", "words"),
    [
        ({"host": "0.0.0.0"}, "needs a token"),
        ({"host": "192.0.2.1"}, "needs a token"),
        ({"host": "::"}, "needs a token"),
        ({"host": ""}, "needs a token"),
        ({"host": "0.0.0.0", "insecure": True}, "needs a token"),
        ({"host": "0.0.0.0", "operator_token": OPERATOR}, "without TLS"),
        ({"host": "0.0.0.0", "operator_token": "short"}, "16 characters or more, got 5"),
        ({"operator_token": OPERATOR, "reader_token": OPERATOR}, "are equal"),
        ({"certificate": Path("a.pem")}, "go together"),
        ({"certificate": Path("no.pem"), "key": Path("no.key")}, "no such file"),
        ({"origins": ("desk.example.com",)}, "expected scheme://host"),
    ],
)  # fmt: skip
def test_what_is_not_safe_is_not_started_and_says_why(access, words):
    with pytest.raises(Unsafe, match=words) as refused:
        checked(Access(**access))
    assert "\n" not in str(refused.value)
    assert OPERATOR not in str(refused.value)


def test_beyond_this_machine_a_token_with_tls_or_an_explicit_word_is_enough():
    assert checked(Access(host="0.0.0.0", operator_token=OPERATOR, insecure=True))
    assert checked(Access(host="localhost"))
    assert checked(Access(host="::1"))
    assert OPERATOR not in repr(Access(operator_token=OPERATOR))


def test_a_taken_port_is_one_clear_line(desk):
    with pytest.raises(Unserved, match="is taken") as refused, bench(port=desk.server.port):
        pass
    assert "\n" not in str(refused.value)


def test_no_token_is_ever_logged(caplog):
    caplog.set_level(logging.DEBUG)
    with bench(feeds.book(5), operator_token=OPERATOR, reader_token=READER) as made:
        status_of(made, **bearer(OPERATOR))
        status_of(made, subprotocols=["rms", hidden(READER)])
        status_of(made, **bearer("wrong-token-0123456789"))
        status_of(made, f"/stream?token={OPERATOR}")
        http(made, "/health", Authorization=f"Bearer {OPERATOR}")
        made.connect(**bearer(OPERATOR)).ask(type="set_interval", seconds=1)
    assert "wrong or missing token" in caplog.text
    for secret in (OPERATOR, READER, hidden(READER), hidden(OPERATOR), "wrong-token-0123456789"):
        assert secret not in caplog.text


def test_the_page_comes_with_a_policy_that_lets_only_itself_run(desk):
    status, headers, body = http(desk, "/")
    page = read_page()
    assert page is not None
    assert (status, body) == (200, page.body)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert len(page.scripts) == 1
    assert page.scripts[0] in policy
    assert headers["Cache-Control"] == "no-cache"
    assert http(desk, "/", If_None_Match=headers["ETag"])[0] == 304


def test_health_says_how_the_feed_is_to_who_may_know(desk):
    status, headers, body = http(desk, "/health", Authorization=f"Bearer {READER}")
    health = orjson.loads(body)
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert health["state"] == "LIVE"
    assert health["role"] == "reader"
    assert http(desk, "/health")[0] == 401
    assert http(desk, "/health", Authorization="Bearer wrong-token-0123456789")[0] == 401


@pytest.mark.parametrize("path", ["/etc/passwd", "/../../x", "/dashboard.html", "/stream", "//"])
def test_every_other_path_is_not_there(desk, path):
    assert http(desk, path)[0] == 404


@pytest.mark.skipif(which("openssl") is None, reason="openssl is not on this machine")
def test_tls_encrypts_what_goes_over_the_wire(tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
         "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    with bench(feeds.book(5), certificate=certificate, key=key) as made:
        url = f"wss://127.0.0.1:{made.server.port}/"
        socket = websocket.create_connection(url, timeout=5, sslopt={"ca_certs": certificate})
        assert orjson.loads(socket.recv())["type"] == "initial"
        socket.shutdown()
        with pytest.raises((ssl.SSLError, websocket.WebSocketException, OSError)):
            made.connect()


def test_a_certificate_that_is_none_is_one_clear_line(tmp_path):
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("not a certificate")
    with (
        pytest.raises(Unserved, match="not a certificate with its key"),
        bench(certificate=wrong, key=wrong),
    ):
        pass
