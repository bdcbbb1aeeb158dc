"""`instance add|remove|list|reset`: what is done to a terminal in use goes by its term."""

from __future__ import annotations

from pathlib import Path

import pytest
from fleet_console import Run, console

from rms_tui.store import claims, instances
from rms_tui.store.claims import Claim, Ending, Fenced, Patience, claim, give_back, ping
from rms_tui.store.database import Document, Rms

HOST = "trading-1"
PATH = "C:\\MT5\\1\\terminal64.exe"
OTHER = "C:\\MT5\\2\\terminal64.exe"


@pytest.fixture
def rms(
    server_uri: str,
    database: Rms,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Run:
    monkeypatch.setenv("RMS_FLEET_HOST", HOST)
    return console(server_uri, database, tmp_path, monkeypatch, capfdbinary)


def only(database: Rms) -> Document:
    (instance,) = database.instances.find()
    return instance


def element(database: Rms) -> Document:
    (found,) = database.elements.find()
    return found


def claimed(rms: Run, database: Rms) -> Claim:
    rms("instance", "add", PATH, "--portable")
    rms("element", "add", "5001", "Broker-Live", "--no-password")
    held = claim(database, element(database)["_id"], HOST)
    assert held is not None
    ping(database, held, {"status": "ACTIVE"})
    return held


def test_an_added_instance_is_free_on_this_host_and_an_element_can_claim_it(
    rms: Run, database: Rms
) -> None:
    held = claimed(rms, database)
    assert (held.host, held.path, held.portable) == (HOST, PATH, True)
    actions = [row["action"] for row in database.audit.find().sort("at")]
    assert actions == ["instance add", "add"]


def test_the_same_terminal_twice_is_refused_but_not_on_another_host(
    rms: Run, database: Rms
) -> None:
    rms("instance", "add", PATH)
    done = rms("instance", "add", PATH)
    assert done.status == 2
    assert f"host {HOST} has an instance at {PATH} already" in done.err
    assert rms("instance", "add", PATH, "--host", "trading-2").status == 0
    done = rms("instance", "reset", PATH)
    assert done.status == 2
    assert "on 2 hosts (trading-1, trading-2): say which by --host" in done.err
    assert rms("instance", "remove", PATH, "--host", "trading-2").status == 0
    assert only(database)["host"] == HOST


@pytest.mark.parametrize("path", ["", "terminal64.exe", "MT5\\terminal64.exe"])
def test_a_path_that_is_not_a_full_one_is_refused(rms: Run, database: Rms, path: str) -> None:
    done = rms("instance", "add", path)
    assert done.status == 2
    assert "expected the full path" in done.err
    assert database.instances.count_documents({}) == 0


def test_an_instance_in_use_is_removed_with_force_only(rms: Run, database: Rms) -> None:
    claimed(rms, database)
    for verb in ("remove", "reset"):
        done = rms("instance", verb, PATH)
        assert done.status == 2
        assert "is OCCUPIED by element" in done.err
        assert "--force" in done.err
    assert only(database)["status"] == "OCCUPIED"
    assert element(database)["status"] == "ACTIVE"


def test_forced_removal_has_the_element_wait_for_another_and_fences_its_worker(
    rms: Run, database: Rms
) -> None:
    held = claimed(rms, database)
    done = rms("instance", "remove", PATH, "--force")
    assert (done.status, f"element {held.element} is PENDING again" in done.out) == (0, True)
    found = element(database)
    assert (found["status"], found["instance"], found["term"]) == ("PENDING", None, held.term + 1)
    assert database.instances.count_documents({}) == 0
    with pytest.raises(Fenced):
        ping(database, held, {"status": "BREACHED"})
    with pytest.raises(Fenced):
        claims.write_element(database, held, {"status": "BREACHED"}, restated=True)
    assert not give_back(database, held, Ending.RELEASED, Patience())
    assert element(database)["status"] == "PENDING"
    rms("instance", "add", OTHER)
    again = claim(database, held.element, HOST)
    assert again is not None
    assert again.term > held.term
    ends = [(row["event"], row["term"]) for row in database.claims.find().sort("at")]
    assert ends == [("claimed", held.term), ("ended", held.term), ("claimed", again.term)]


def test_forced_removal_leaves_a_removed_element_removed(rms: Run, database: Rms) -> None:
    claimed(rms, database)
    rms("element", "remove", "5001")
    done = rms("instance", "remove", PATH, "--force", "--json")
    assert done.json["pending"] is None
    assert (element(database)["status"], element(database)["instance"]) == ("REMOVED", None)


def test_a_forced_reset_frees_the_instance_under_a_new_term(rms: Run, database: Rms) -> None:
    held = claimed(rms, database)
    assert "reset, was OCCUPIED: FREE" in rms("instance", "reset", PATH, "--force").out
    with pytest.raises(Fenced):
        ping(database, held)
    again = claim(database, held.element, HOST)
    assert again is not None
    assert again.term > held.term


def test_a_faulty_instance_is_free_after_a_reset_and_its_failures_are_forgotten(
    rms: Run, database: Rms
) -> None:
    held = claimed(rms, database)
    give_back(database, held, Ending.TERMINAL, Patience(failures=1), "no answer")
    assert only(database)["status"] == "FAULTY"
    assert "no answer" in rms("instance", "list").out
    shape = rms("instance", "reset", str(held.instance), "--json").json
    assert (shape["outcome"], shape["status"]) == ("reset, was FAULTY", "FREE")
    assert (only(database)["failures"], only(database)["error"]) == (0, None)


def test_the_list_tells_ages_by_the_servers_clock_and_hostile_text_does_nothing(
    rms: Run, database: Rms
) -> None:
    assert rms("instance", "list").out.startswith("no instances")
    rms("instance", "add", PATH)
    rms("instance", "add", "/opt/\x1b[31mmt5\n/terminal64.exe", "--host", "evil\x07host")
    later = {"$subtract": ["$$NOW", 3 * 3_600_000 + 1_000]}
    database.instances.update_one({"path": PATH}, [{"$set": {"last_ping": later}}])
    out = rms("instance", "list").out
    assert len(out.splitlines()) == 3
    assert "3 h" in out
    assert not {"\x1b", "\x07"} & set(out)
    (shape,) = rms("instance", "list", "--host", HOST, "--json").json
    assert 3 * 3600 <= shape["ping_age"] < 3 * 3600 + 60
    assert (shape["path"], shape["status"], shape["element"]) == (PATH, "FREE", None)


def test_an_unknown_instance_is_named_back(rms: Run) -> None:
    for verb in ("remove", "reset"):
        done = rms("instance", verb, "nowhere")
        assert done.status == 2
        assert "no instance nowhere: expected an id or a path" in done.err


def test_two_who_remove_at_once_remove_once(rms: Run, database: Rms) -> None:
    rms("instance", "add", PATH)
    id_ = only(database)["_id"]
    instances.remove(database, id_, "ann")
    with pytest.raises(instances.InstanceError, match="is gone"):
        instances.remove(database, id_, "bob")
    with pytest.raises(instances.InstanceError, match="is gone"):
        instances.reset(database, id_, "bob")
    assert database.audit.count_documents({"action": "instance remove"}) == 1


@pytest.mark.parametrize(
    "words", [["instance", "add", PATH, "--host", ""], ["supervise", "--host", " "]]
)
def test_a_host_of_no_name_is_refused_and_not_this_one(
    rms: Run, database: Rms, words: list[str]
) -> None:
    done = rms(*words)
    assert (done.status, len(done.err.splitlines())) == (2, 1)
    assert "--host: expected the name of a trading host" in done.err
    assert database.instances.count_documents({}) == 0


@pytest.mark.parametrize("line", [b"not JSON\n", b"[1]\n"])
def test_a_worker_that_is_told_nonsense_says_what_it_expected(rms: Run, line: bytes) -> None:
    words = ("--element-id", "e", "--pathway", PATH, "--instance", "i", "--term", "1")
    done = rms("worker", *words, typed=line)
    assert (done.status, len(done.err.splitlines())) == (2, 1)
    assert "expected its settings, a JSON object, as the first line of stdin" in done.err


def test_doctor_says_of_a_host_that_only_supervises_what_it_has(rms: Run) -> None:
    def source() -> tuple[str, str]:
        (line,) = [one for one in rms("doctor", "--json").json if one["what"] == "source"]
        return line["grade"], line["found"]

    assert source() == ("WARN", f"a fleet's host ({HOST}) without a terminal yet")
    rms("instance", "add", OTHER, "--host", "trading-2")
    assert source()[0] == "WARN"
    rms("instance", "add", PATH)
    grade, found = source()
    assert grade == "OK"
    assert f"the fleet has 1 terminal of this host ({HOST})" in found
