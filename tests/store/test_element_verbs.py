"""`element add|edit|remove|list|show`: what operators say becomes documents of the fleet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fleet_console import Run, console
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.api.scripts import environment
from tests.patience import patient

from rms_tui.store.claims import Ending, Patience, claim, give_back
from rms_tui.store.database import Rms
from rms_tui.store.instances import add as add_instance
from rms_tui.store.secrets import open_vault
from rms_tui.store.upkeep import revive

SERVER = "Broker-Live"
PASSWORD = "hunter2-Äö☃"


@pytest.fixture
def rms(
    server_uri: str,
    database: Rms,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Run:
    run = console(server_uri, database, tmp_path, monkeypatch, capfdbinary)
    assert run("secrets", "init").status == 0
    return run


def typed(password: str) -> bytes:
    return password.encode("utf-8") + b"\n"


def only(database: Rms) -> dict[str, Any]:
    (element,) = database.elements.find()
    return element


def stored_password(database: Rms, tmp_path: Path) -> str:
    vault = open_vault(database, tmp_path / "data" / "master.key")
    return vault.decrypt(only(database)["password"]).get_secret_value()


def test_an_added_element_is_pending_with_an_encrypted_password_and_an_audit_row(
    rms: Run, database: Rms, tmp_path: Path
) -> None:
    done = rms("element", "add", "5001", SERVER, "--investor", typed=typed(PASSWORD))
    assert (done.status, done.err) == (0, "")
    element = only(database)
    assert (element["login"], element["server"], element["source"]) == (5001, SERVER, "terminal")
    assert (element["status"], element["error"], element["investor"]) == ("PENDING", None, True)
    assert element["password"].subtype == 6
    assert stored_password(database, tmp_path) == PASSWORD
    (row,) = database.audit.find()
    assert (row["action"], row["login"], row["fields"]) == ("add", 5001, ["investor", "password"])
    assert "@" in row["operator"]
    for text in (done.out, str(row)):
        assert PASSWORD not in text


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\r"), min_size=1))
@example(" spaces around ")
@example("-x --y")
@example("$(id)\x00\x1b[31m")
def test_any_password_from_stdin_is_kept_as_it_is(
    rms: Run, database: Rms, tmp_path: Path, password: str
) -> None:
    if password.startswith("\ufeff"):
        return  # shells put that mark before a text; it is no part of a password
    database.elements.delete_many({})
    assert rms("element", "add", "5001", SERVER, typed=typed(password)).status == 0
    assert stored_password(database, tmp_path) == password


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"\nmore\n"])
def test_the_first_line_of_stdin_is_the_password_whatever_ends_it(
    rms: Run, database: Rms, tmp_path: Path, ending: bytes
) -> None:
    rms("element", "add", "5001", SERVER, typed=b"\xef\xbb\xbfpass word" + ending)
    assert stored_password(database, tmp_path) == "pass word"


@pytest.mark.parametrize("given_", [b"", b"\n", b"\xff\xfe secret", b"x" * 5000])
def test_no_password_or_one_that_is_no_text_is_refused_and_not_repeated(
    rms: Run, database: Rms, given_: bytes
) -> None:
    done = rms("element", "add", "5001", SERVER, typed=given_)
    assert done.status == 2
    assert "5001 on Broker-Live" in done.err
    assert "secret" not in done.err
    assert database.elements.count_documents({}) == 0


def test_without_a_master_key_nothing_is_asked_and_nothing_is_written(
    rms: Run, database: Rms, tmp_path: Path
) -> None:
    (tmp_path / "data" / "master.key").unlink()
    done = rms("element", "add", "5001", SERVER, typed=typed(PASSWORD))
    assert done.status == 2
    assert "rms-tui secrets init" in done.err
    assert database.elements.count_documents({}) == 0


def test_accounts_of_a_manager_and_those_the_terminal_knows_need_no_password(
    rms: Run, database: Rms
) -> None:
    assert rms("element", "add", "5001", SERVER, "--source", "manager").status == 0
    assert rms("element", "add", "5002", SERVER, "--no-password").status == 0
    found = {element["login"]: element for element in database.elements.find()}
    assert (found[5001]["source"], found[5002]["source"]) == ("manager", "terminal")
    assert not any("password" in element for element in found.values())


def test_a_second_element_for_an_account_is_refused(rms: Run, database: Rms) -> None:
    rms("element", "add", "5001", SERVER, typed=typed("a"))
    done = rms("element", "add", "5001", SERVER, typed=typed("b"))
    assert done.status == 2
    assert "is there already (PENDING)" in done.err
    assert "rms-tui element edit 5001" in done.err
    same = rms("element", "add", "5001", SERVER.upper(), typed=typed("b"))
    assert (same.status, f"is there already, on {SERVER}" in same.err) == (2, True)
    assert rms("element", "add", "5001", "Other", typed=typed("c")).status == 0
    assert database.audit.count_documents({}) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["5001x", SERVER], "expected an account's login"),
        (["0", SERVER], "expected an account's login"),
        (["-5", SERVER], ""),
        (["9223372036854775808", SERVER], "expected an account's login"),
        (["5001", "  "], "expected the name of the trade server"),
        (["5001", SERVER, "--source", "simulator"], "expected terminal or manager"),
        (["5001", SERVER, "--profile", "nope"], "no profile 'nope'"),
        (["5001", SERVER, "--max-daily-loss", "nan"], "--max-daily-loss nan: expected"),
        (["5001", SERVER, "--max-daily-loss", "inf"], "--max-daily-loss inf: expected"),
        (["5001", SERVER, "--max-profit", "-5"], "--max-profit -5: expected"),
        (["5001", SERVER, "--max-profit", "0"], "--max-profit 0: expected"),
        (["5001", SERVER, "--max-position-risk", "101%"], "--max-position-risk 101%: expected"),
        (["5001", SERVER, "--max-position-risk", "much"], "--max-position-risk much: expected"),
        (["5001", SERVER, "--max-profit", "8%"], "add --initial-balance"),
        (
            ["5001", SERVER, "--initial-balance", "nan"],
            "--initial-balance nan: expected",
        ),
        (["5001", SERVER, "--max-profit", "8%", "--initial-balance", "-1"], "initial_balance"),
        (["5001", SERVER, "--profile", "limits", "--max-profit", "5"], "exclude each other"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_with_status_2(
    rms: Run, database: Rms, words: list[str], said: str
) -> None:
    done = rms("element", "add", *words, typed=typed("x"))
    assert done.status == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert database.elements.count_documents({}) == 0


def test_limits_are_amounts_or_percents_and_an_edit_changes_only_what_it_names(
    rms: Run, database: Rms
) -> None:
    rms("element", "add", "5001", SERVER, "--max-daily-loss", "5%", "--max-position-risk", "1_00",
        typed=typed("x"))  # fmt: skip
    assert only(database)["profile"] == {
        "max_position_risk": 100.0,
        "rules": [{"rule": "daily_loss", "base": "balance", "of": "base", "percent": 5.0}],
    }
    rms("element", "edit", "5001", "--max-daily-loss", "500")
    assert only(database)["profile"] == {"max_position_risk": 100.0, "max_daily_loss": 500.0}
    done = rms("element", "edit", "5001", "--max-profit", "8%", "--initial-balance", "100000")
    assert done.status == 0, done.err
    assert only(database)["profile"]["initial_balance"] == 100_000
    assert "daily loss 500, position risk 100, profit 8%" in rms("element", "list").out
    assert rms("element", "edit", "5001", "--no-profile").status == 0
    assert "profile" not in only(database)


def test_a_profile_by_name_is_one_of_rms_toml_or_a_preset(
    rms: Run, database: Rms, tmp_path: Path
) -> None:
    (tmp_path / "rms.toml").write_text(
        '[profile.strict]\n[[profile.strict.rules]]\nrule = "max_loss"\namount = -10\n'
    )
    assert rms("element", "add", "5001", SERVER, "--profile", "strict", "--no-password").status == 0
    assert only(database)["profile"] == "strict"
    done = rms("element", "edit", "5001", "--profile", "strickt")
    assert done.status == 2
    assert "strict" in done.err.partition("there are")[2]


def test_a_preset_without_an_initial_balance_is_said_and_one_can_be_given(
    rms: Run, database: Rms
) -> None:
    done = rms("element", "add", "5001", SERVER, "--profile", "ftmo-2step", "--no-password")
    assert done.status == 0
    assert "ftmo-2step has no initial balance, without which daily_loss, total_loss" in done.err
    done = rms("element", "edit", "5001", "--profile", "ftmo-2step", "--initial-balance", "50000")
    assert (done.status, done.err) == (0, "")
    assert only(database)["profile"] == {"preset": "ftmo-2step", "initial_balance": 50_000}


def test_editing_limits_leaves_status_password_and_its_date_alone(rms: Run, database: Rms) -> None:
    rms("element", "add", "5001", SERVER, typed=typed("x"))
    database.elements.update_one({}, {"$set": {"status": "BREACHED"}})
    before = only(database)
    assert rms("element", "edit", "5001", "--max-daily-loss", "700").status == 0
    after = only(database)
    for name in ("status", "password", "password_at", "login", "server", "created_by"):
        assert after[name] == before[name]
    rows = [row["action"] for row in database.audit.find().sort("at")]
    assert rows == ["add", "edit"]


def test_an_element_with_error_is_tried_again_after_an_edit(rms: Run, database: Rms) -> None:
    rms("element", "add", "5001", SERVER, typed=typed("wrong"))
    add_instance(database, "here", "C:\\terminal64.exe", "ann")
    patience = Patience(failures=1)
    held = claim(database, only(database)["_id"], "here")
    assert held is not None
    give_back(database, held, Ending.AUTHORISATION, patience, "Invalid account")
    assert (only(database)["status"], only(database)["refused"]) == ("ERROR", 1)
    assert revive(database) == 0
    rms("element", "edit", "5001", "--max-daily-loss", "5")
    element = only(database)
    assert (element["status"], element["error"], element["refused"]) == ("PENDING", None, 1)
    database.elements.update_one({}, {"$set": {"status": "ERROR"}})
    done = rms("element", "edit", "5001", "--password", typed=typed("right"))
    assert "edited, tried again: PENDING" in done.out
    assert only(database)["refused"] == 0


def test_a_rotation_of_keys_does_not_have_a_refused_login_tried_again(
    rms: Run, database: Rms
) -> None:
    rms("element", "add", "5001", SERVER, typed=typed("wrong"))
    add_instance(database, "here", "C:\\terminal64.exe", "ann")
    held = claim(database, only(database)["_id"], "here")
    assert held is not None
    give_back(database, held, Ending.AUTHORISATION, Patience(failures=1), "Invalid account")
    before = only(database)["password"]
    assert rms("secrets", "rotate").status == 0
    assert only(database)["password"] != before
    assert revive(database) == 0
    rms("element", "edit", "5001", "--password", typed=typed("wrong"))
    assert only(database)["status"] == "PENDING"


def test_removing_keeps_the_element_and_adding_again_keeps_nothing_of_it(
    rms: Run, database: Rms, tmp_path: Path
) -> None:
    rms("element", "add", "5001", SERVER, "--max-profit", "5", "--investor", typed=typed("old"))
    id_ = only(database)["_id"]
    done = rms("element", "remove", "5001")
    assert (done.status, only(database)["status"]) == (0, "REMOVED")
    assert "already removed" in rms("element", "remove", str(id_)).out
    done = rms("element", "edit", "5001", "--max-profit", "7")
    assert done.status == 2
    assert "was removed" in done.err
    rms("element", "add", "5001", SERVER, typed=typed("new"))
    element = only(database)
    assert (element["_id"], element["status"]) == (id_, "PENDING")
    assert not {"profile", "investor"} & set(element)
    assert stored_password(database, tmp_path) == "new"
    actions = [row["action"] for row in database.audit.find().sort("at")]
    assert actions == ["add", "remove", "add"]


def test_an_element_is_named_by_login_or_id_and_by_its_server_where_there_are_two(
    rms: Run, database: Rms
) -> None:
    rms("element", "add", "5001", SERVER, "--no-password")
    rms("element", "add", "5001", "Other", "--no-password")
    for verb in ("show", "remove", "edit"):
        done = rms("element", verb, "5001")
        assert done.status == 2
        assert "on 2 servers (Broker-Live, Other): say which by --server" in done.err
    assert rms("element", "show", "5001", "--server", "Other", "--json").json["server"] == "Other"
    other = database.elements.find_one({"server": "Other"})
    assert other is not None
    assert rms("element", "show", str(other["_id"]), "--json").json["server"] == "Other"
    rms("element", "remove", "5001", "--server", SERVER)
    assert rms("element", "show", "5001", "--json").json["server"] == "Other"
    for unknown in ("5002", "6b0059e8594aa0199d501ee0", "nonsense", "5001 "):
        done = rms("element", "show", unknown, *(["--server", "X"] if unknown == "5001 " else []))
        assert done.status == 2
        assert "no element" in done.err


@pytest.mark.parametrize("word", ["9" * 23, "--5", "²", '{"a": 99999999999999999999}', "-"])
def test_a_word_that_no_id_can_be_names_no_element(rms: Run, word: str) -> None:
    done = rms("element", "show", "--", word)
    assert (done.status, done.out) == (2, "")
    assert f"no element {word}" in done.err


def test_an_edit_of_nothing_says_what_can_be_given(rms: Run) -> None:
    rms("element", "add", "5001", SERVER, "--no-password")
    done = rms("element", "edit", "5001")
    assert done.status == 2
    assert "nothing to change" in done.err


def test_show_tells_everything_but_the_password(rms: Run, database: Rms) -> None:
    rms("element", "add", "5001", SERVER, typed=typed(PASSWORD))
    database.elements.update_one(
        {}, {"$set": {"account": {"equity": 9_900.5, "margin_level": None}, "desk": "London"}}
    )
    done = rms("element", "show", "5001")
    for word in ("5001", SERVER, "PENDING", "9 900.50", "London", "set, encrypted with key"):
        assert word in done.out
    shape = rms("element", "show", "5001", "--json").json
    assert shape["account"] == {"equity": 9900.5, "margin_level": None}
    assert PASSWORD not in done.out + str(shape)
    raw = bytes(only(database)["password"])
    assert raw.hex() not in done.out
    assert repr(raw)[2:20] not in done.out


def test_what_is_nested_in_an_element_is_shown_a_line_a_value(rms: Run, database: Rms) -> None:
    own = ("--max-daily-loss", "5%", "--no-investor")
    rms("element", "add", "5001", SERVER, *own, typed=typed(PASSWORD))
    risk = {"state": "breached", "rule": "daily_loss", "value": 510.25, "limit": None, "by": {}}
    database.elements.update_one(
        {}, {"$set": {"risk": risk, "seen": [1, {"a": [2.0]}], "bad": {"\x1b[31m": "\x1b[0m"}}}
    )
    done = rms("element", "show", "5001")
    shown = {line.split()[0]: line.split("  ")[-1] for line in done.out.splitlines()}
    assert shown["risk.state"] == "breached"
    assert shown["risk.value"] == "510.25"
    assert shown["risk.limit"] == "n/a"
    assert shown["risk.by"] == "none"
    assert shown["profile.rules.1.percent"] == "5.00"
    assert (shown["seen.1"], shown["seen.2.a.1"]) == ("1", "2.00")
    assert shown["investor"] == "no"
    for sign in ("{", "}", "'", "None", "False", "\x1b"):
        assert sign not in done.out


def test_the_table_has_what_adm_printed_and_hostile_text_does_nothing(
    rms: Run, database: Rms
) -> None:
    assert rms("element", "list").out.startswith("no elements")
    assert rms("element", "list", "--json").json == []
    rms("element", "add", "5001", SERVER, typed=typed(PASSWORD))
    database.elements.update_one(
        {},
        {
            "$set": {"risk": {"state": "breach", "rule": "max_loss"}, "error": "\x1b[31m\n[/red]",
                     "instance": "I1"},
            "$currentDate": {"last_ping": True},
        },
    )  # fmt: skip
    database.elements.insert_one({"login": 1, "server": "by plain pymongo"})
    done = rms("element", "list")
    title, *lines = done.out.splitlines()
    for word in ("Element", "Server", "Account", "Status", "Limits", "Risk", "Ping", "Instance"):
        assert word in title
    assert len(lines) == 2
    assert "\x1b" not in done.out
    mine = next(line for line in lines if "5001" in line)
    for word in (SERVER, "PENDING", "breach max_loss", "< 1 min", "I1", "[/red]"):
        assert word in mine
    shapes = rms("element", "list", "--json", "--server", SERVER).json
    assert [shape["login"] for shape in shapes] == [5001]
    assert shapes[0]["has_password"] is True
    assert 0 <= shapes[0]["ping_age"] < 60
    assert PASSWORD not in str(shapes)


def test_a_text_of_any_length_leaves_the_table_readable(rms: Run, database: Rms) -> None:
    long, why = "x" * 5_000, "y" * 500
    database.elements.insert_one({"login": 1, "server": long, "error": why})
    _, line = rms("element", "list").out.splitlines()
    assert len(line) < 800
    assert f"{'x' * 119}…" in line
    assert why in line
    assert rms("element", "list", "--json").json[0]["server"] == long


def test_the_age_of_a_ping_is_by_the_servers_clock(rms: Run, database: Rms) -> None:
    rms("element", "add", "5001", SERVER, "--no-password")
    minutes = {"$subtract": ["$$NOW", 7 * 60_000 + 5_000]}
    database.elements.update_one({}, [{"$set": {"last_ping": minutes}}])
    assert "7 min" in rms("element", "list").out


def test_the_older_verbs_add_and_remove_go_on_working_on_the_same_elements(
    rms: Run, database: Rms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RMS_SOURCE", "terminal")
    monkeypatch.setenv("MT5_PATH", "C:\\terminal64.exe")
    monkeypatch.setenv("MT5_SERVER", SERVER)
    rms("element", "add", "5001", SERVER, typed=typed("x"))
    assert rms("remove", "5001").status == 0
    assert only(database)["status"] == "REMOVED"
    assert rms("add", "5001").status == 0
    assert only(database)["status"] == "PENDING"
    assert "password" not in only(database), "erased with the removal, and `add` asks for none"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_is_full_is_not_said_of_the_database(
    tmp_path: Path, server_uri: str, database: Rms
) -> None:
    place = {"RMS_MONGODB_URI": patient(server_uri), "RMS_MONGODB_DATABASE": database.name}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rms_tui", "element", "list", "--json"], cwd=tmp_path,
            env=environment(**place), stdout=full, stderr=subprocess.PIPE, text=True,
            timeout=120, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1, "rms-tui: the output cannot be written: No space left on device\n"
    )  # fmt: skip
