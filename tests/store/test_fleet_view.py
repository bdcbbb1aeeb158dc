"""The fleet's documents followed in a real MongoDB, and the desk that shows and writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import raised, until
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from rms_tui.account_keys import SPAN, AccountKeys, login_of
from rms_tui.alerts.asked import Asked
from rms_tui.fleet.desk import FleetDesk
from rms_tui.risk.profile import Plan, limits_profile
from rms_tui.risk.verdict import Reason, State
from rms_tui.settings import load
from rms_tui.store import alerts, rotation
from rms_tui.store.database import Rms, connect
from rms_tui.store.embedded import Remote
from rms_tui.store.fleet_book import fleet_rows, fleet_state
from rms_tui.store.fleet_view import FleetDocuments, FleetView
from rms_tui.store.risk_rules import judged_from
from rms_tui.store.secrets import open_vault
from rms_tui.wiring.fleet_desk import add_element, remove_element

PLAN = Plan(
    profiles=(limits_profile(margin_warning=150, margin_critical=100, max_loss=-1000),),
    default="limits",
)
PASSWORD = "typed-hunter2"


def account(equity: float = 9_900.0) -> dict[str, Any]:
    return {
        "name": "Dana", "currency": "USD", "balance": 10_000.0, "credit": 0.0, "equity": equity,
        "margin": 0.0, "free_margin": equity, "margin_level": None, "profit": equity - 10_000.0,
        "floating": equity - 10_000.0, "day_profit": None, "digits": 2, "leverage": 100,
    }  # fmt: skip


def insert(database: Rms, login: int, server: str = "S", **more: Any) -> Any:
    """An element that pinged just now, by the database's clock."""
    made = {
        "login": login, "server": server, "source": "terminal", "status": "ACTIVE",
        "account": account(), "risk": {"state": "ok"}, "password": b"secret", **more,
    }  # fmt: skip
    id_ = database.elements.insert_one(made).inserted_id
    ping(database, id_)
    return id_


def ping(database: Rms, id_: Any) -> None:
    database.elements.update_one({"_id": id_}, {"$currentDate": {"last_ping": True}})


@pytest.fixture
def shown(server_uri: str, database: Rms) -> Iterator[FleetDesk]:
    made = FleetDesk(Remote(server_uri), database.name, PLAN, interval=0.2, ping=1.0)
    made.start()
    yield made
    made.stop(5.0)


def state_of(desk: FleetDesk, login: int) -> tuple[str, str] | None:
    """State and reason of an account's row, None while there is none."""
    frame = desk.monitor.frames.value
    if frame is None or frame.book is None or frame.assessment is None:
        return None
    logins = frame.book.accounts.login.tolist()
    if login not in logins:
        return None
    row = logins.index(login)
    made = frame.assessment
    return State(int(made.state[row])).word, Reason(int(made.undecided[row])).name


def test_a_change_is_known_and_no_password_ever_is(database: Rms) -> None:
    known = FleetDocuments()
    first = insert(database, 1)
    view = FleetView(database, known)
    assert set(known.elements) == {first}
    second = insert(database, 2)
    database.elements.update_one({"_id": first}, {"$set": {"account.equity": 1.0}})
    until(lambda: view.wait(0.2) or second in known.elements)
    until(lambda: view.wait(0.2) or known.elements[first]["account"]["equity"] == 1.0)
    assert all("password" not in one for one in known.elements.values())
    database.elements.update_one({"_id": second}, {"$set": {"status": "REMOVED"}})
    until(lambda: view.wait(0.2) or second not in known.elements)
    view.close()


def test_it_goes_on_from_its_place_and_reads_all_again_where_that_is_lost(database: Rms) -> None:
    known = FleetDocuments()
    id_ = insert(database, 1)
    view = FleetView(database, known)
    view.wait(0.3)
    view.close()
    database.elements.update_one({"_id": id_}, {"$set": {"error": "while nobody looked"}})
    again = FleetView(database, known)
    until(lambda: again.wait(0.2) or known.elements[id_].get("error") == "while nobody looked")
    again.close()
    known.token = {"_data": "82ffffffff"}
    known.elements.clear()
    anew = FleetView(database, known)
    assert set(known.elements) == {id_}
    anew.close()


def test_a_worker_that_falls_silent_makes_its_row_stale_and_one_that_pings_again_live(
    database: Rms, shown: FleetDesk
) -> None:
    id_ = insert(database, 1)
    until(lambda: state_of(shown, 1) == ("ok", "NONE"))
    until(lambda: state_of(shown, 1) == ("unknown", "SILENT"))
    ping(database, id_)
    until(lambda: state_of(shown, 1) == ("ok", "NONE"))
    database.elements.update_one({"_id": id_}, {"$set": {"status": "PENDING"}})
    until(lambda: state_of(shown, 1) == ("unknown", "NO_TERMINAL"))


def test_whether_limits_can_be_used_its_worker_says_and_not_the_console(
    database: Rms, shown: FleetDesk
) -> None:
    """A console may know another rms.toml than the worker."""
    refused = {"state": "unknown", "reason": "limits_refused"}
    insert(database, 1, profile="only-the-worker-knows")
    insert(database, 2, profile={"max_daily_loss": 500.0}, risk=refused)
    until(lambda: state_of(shown, 2) == ("unknown", "LIMITS_REFUSED"))
    until(lambda: state_of(shown, 1) == ("ok", "NONE"))
    database.elements.update_one({"login": 2}, {"$set": {"risk": {"state": "ok"}}})
    until(lambda: state_of(shown, 2) == ("ok", "NONE"))


def test_what_an_operator_does_about_an_alert_stands_in_mongodb_under_the_real_login(
    database: Rms, shown: FleetDesk
) -> None:
    event = raised(1)
    alert = event.alert
    insert(database, alert.login, "First")
    until(lambda: state_of(shown, alert.login) is not None)
    insert(database, alert.login, alert.server)
    alerts.apply(database, [event])
    until(lambda: shown.monitor.frames.value is not None and shown.monitor.frames.value.alerts)
    frame = shown.monitor.frames.value
    assert frame is not None
    found = frame.alerts
    assert login_of(found[0].login) == alert.login
    assert found[0].login != alert.login, "another server has that login already"
    assert shown.monitor.acknowledge(alert.id, "jane@desk", "called")
    until(lambda: database.alerts.find_one({"_id": alert.id, "stage": "acknowledged"}))
    row = database.audit.find_one({"alert": alert.id})
    assert row is not None
    assert (row["login"], row["server"]) == (alert.login, alert.server)
    (past,) = shown.history(Asked(login=found[0].login))
    assert past.operator == "jane@desk"
    assert not shown.history(Asked(login=alert.login)), "of the first server's account"


def test_limits_given_here_stand_on_the_element(database: Rms, shown: FleetDesk) -> None:
    insert(database, 1)
    until(lambda: state_of(shown, 1) is not None)
    shown.monitor.assign(1, {"max_daily_loss": 500.0}, "jane@desk")
    until(lambda: database.elements.find_one({"login": 1, "profile.max_daily_loss": 500.0}))
    until(lambda: shown.monitor.own_profiles.get(1) == {"max_daily_loss": 500.0})


def test_an_account_added_here_has_an_encrypted_password_and_one_removed_stays(
    database: Rms, shown: FleetDesk, server_uri: str, tmp_path: Path
) -> None:
    file = tmp_path / "master.key"
    for _said in rotation.init(database, file):
        continue
    layers = load(environ={"RMS_MONGODB_URI": server_uri, "RMS_MASTER_KEY_FILE": str(file)})
    until(lambda: shown.store.value is not None and shown.store.value.state == "connected")
    words = add_element(layers, shown, "jane", 7, "S", SecretStr(PASSWORD), None)
    assert PASSWORD not in words
    element = database.elements.find_one({"login": 7})
    assert element is not None
    assert (element["status"], element["created_by"]) == ("PENDING", "jane")
    assert PASSWORD.encode() not in bytes(element["password"])
    vault = open_vault(database, file)
    assert vault.decrypt(element["password"]).get_secret_value() == PASSWORD
    vault.close()
    with pytest.raises(ValueError, match="nothing-like-it"):
        add_element(layers, shown, "jane", 8, "S", None, "nothing-like-it")
    until(lambda: shown.state.value is not None and shown.state.value.count("PENDING") == 1)
    key = shown.state.value.rows[0].key  # type: ignore[union-attr]
    assert key == 7
    assert "removed" in remove_element(shown, "jane", key)
    assert database.elements.find_one({"login": 7, "status": "REMOVED"})


def test_while_mongodb_is_away_everything_is_unknown_and_then_it_goes_on(
    mongod_path: Path, tmp_path: Path
) -> None:
    from tests.faults.servers import killable

    with killable(mongod_path, tmp_path / "mongod") as server:
        database = connect(server.uri, "rms")
        id_ = insert(database, 1)
        desk = FleetDesk(Remote(server.uri), "rms", PLAN, interval=0.2, ping=60.0)
        desk.start()
        try:
            until(lambda: state_of(desk, 1) == ("ok", "NONE"), 20)
            server.kill()
            until(lambda: (state_of(desk, 1) or ("", ""))[0] == "unknown", 20)
            frame = desk.monitor.frames.value
            assert frame is not None
            assert frame.health.state == "DISCONNECTED"
            assert desk.state.value is not None
            assert desk.state.value.problem
            server.start()
            ping(database, id_)
            until(lambda: state_of(desk, 1) == ("ok", "NONE"), 30)
            assert desk.state.value.problem is None
        finally:
            desk.stop(5.0)
            database.client.close()


@given(st.lists(st.tuples(st.integers(0, SPAN - 1), st.text(max_size=3)), max_size=30))
def test_every_account_has_a_number_of_its_own_that_shows_its_login(
    named: list[tuple[int, str]],
) -> None:
    keys = AccountKeys()
    made = {one: keys.key(*one) for one in named}
    assert len(set(made.values())) == len(made)
    for (login, server), key in made.items():
        assert key is not None
        assert login_of(key) == login
        assert keys.name(key) == (login, server)
        assert keys.key(login, server) == key
    assert keys.key(SPAN, "S") is None


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["rules", "state", "used"]), anything))
def test_whatever_stands_where_verdicts_should_breaks_nothing(risk: dict[str, Any]) -> None:
    assert judged_from(risk) == [] or isinstance(risk["rules"], list)


@given(
    st.dictionaries(
        st.sampled_from(["equity", "margin", "digits", "leverage", "name", "currency"]), anything
    ),
    st.dictionaries(st.sampled_from(["positions", "symbols", "time", "server_offset"]), anything),
    anything,
)
def test_whatever_stands_where_figures_should_is_a_row_or_none_and_never_a_crash(
    figures: dict[str, Any], held: dict[str, Any], risk: Any
) -> None:
    element = {
        "_id": 1, "login": 1, "server": "[S]", "status": "ACTIVE", "account": figures, "risk": risk,
    }  # fmt: skip
    known = FleetDocuments({1: element}, {1: held}, {1: {"_id": 1, "element": 1}})
    rows = fleet_rows(known, AccountKeys(), 0.0, 30.0, None)
    assert rows.undecided == (Reason.SILENT,), "it never pinged"
    assert rows.book.accounts.login.tolist() == [1]
    assert abs(rows.book.server_offset or 0.0) < 86_400.0
    assert fleet_state(known, AccountKeys(), 30.0).rows[0].login == 1
