"""Settings: where each value came from, and what is said of a wrong one."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from rms_tui.gateways import TerminalSpec
from rms_tui.settings import Settings, SettingsError, load
from rms_tui.wiring.given import Given
from rms_tui.wiring.sources import desk

MISSION = {
    "MT5_HOST": None, "MT5_PORT": 443, "MT5_MANAGER_USER": None, "MT5_MANAGER_PASS": None,
    "RMS_UPDATE_INTERVAL": 5, "RMS_TRADE_HISTORY_DAYS": 30, "WS_PORT": 8765,
    "MARGIN_LEVEL_WARNING": 150.0, "MARGIN_LEVEL_CRITICAL": 100.0, "MAX_LOSS_THRESHOLD": -1000.0,
    "RMS_LOG_LEVEL": "INFO", "RMS_SOURCE": None, "RMS_MONGODB_URI": None,
    "RMS_MONGODB_DATABASE": "rms", "RMS_ACCOUNTS": "all", "RMS_GROUPS": "*",
    "RMS_REPORT_CURRENCY": "USD", "MT5_PATH": None, "MT5_LOGIN": None, "MT5_SERVER": None,
    "WS_HOST": "127.0.0.1",
}  # fmt: skip


def given(folder: Path, environ=None, **options) -> Settings:
    return load(options, environ=environ or {}, folder=folder).settings


def refused(folder: Path, environ=None, **options) -> str:
    with pytest.raises(SettingsError) as caught:
        given(folder, environ, **options)
    return str(caught.value)


def test_every_documented_variable_has_its_documented_default(tmp_path):
    settings = given(tmp_path)
    assert {name: getattr(settings, name.lower()) for name in MISSION} == MISSION


def test_an_option_goes_before_the_environment_before_dotenv_before_toml(tmp_path):
    (tmp_path / "rms.toml").write_text('RMS_GROUPS = "t"\nMT5_HOST = "t"\nMT5_SERVER = "t"\n')
    (tmp_path / ".env").write_text("RMS_GROUPS=d\nMT5_HOST=d\nMT5_PATH=d\n")
    loaded = load({"RMS_GROUPS": "o"}, environ={"RMS_GROUPS": "e", "MT5_HOST": "e"},
                  folder=tmp_path)  # fmt: skip
    settings = loaded.settings
    assert (settings.rms_groups, settings.mt5_host) == ("o", "e")
    assert (settings.mt5_path, settings.mt5_server) == ("d", "t")
    assert loaded.origins == {
        "RMS_GROUPS": "option",
        "MT5_HOST": "environment",
        "MT5_PATH": str(tmp_path / ".env"),
        "MT5_SERVER": str(tmp_path / "rms.toml"),
    }


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RMS_SOURCE", "mt4", "expected one of manager, terminal, simulator, replay, fleet"),
        ("RMS_ACCOUNTS", "some", "expected one of all, added"),
        ("RMS_LOG_LEVEL", "loud", "expected one of DEBUG, INFO"),
        ("MT5_PORT", "99999", "less than or equal to 65535"),
        ("MT5_HOST", "prod-1:443", "its port is MT5_PORT"),
        ("MT5_HOST", "https://prod-1", "expected a host name or address alone"),
        ("MT5_HOST", "mt5 server", "expected a host name or address alone"),
        ("RMS_UPDATE_INTERVAL", "nan", "finite"),
        ("RMS_UPDATE_INTERVAL", "0", "greater than or equal to 0.05"),
        ("MAX_LOSS_THRESHOLD", "1000", "less than 0"),
        ("MARGIN_LEVEL_WARNING", "inf", "finite"),
        ("MT5_MANAGER_USER", "bob", "valid integer"),
        ("RMS_REPORT_CURRENCY", "US Dollar", "expected a currency of 3 to 5 letters"),
        ("RMS_MONGODB_DATABASE", "a.b", "expected 1 to 38 letters, digits, _ or -"),
        ("RMS_GROUPS", ",", "expected a mask of groups to watch"),
        ("RMS_GROUPS", "!real\\test*", "expected a mask of groups to watch"),
    ],
)
def test_a_wrong_value_names_variable_value_what_is_allowed_and_origin(tmp_path, name, value, said):
    text = refused(tmp_path, {name: value})
    assert name in text
    assert repr(value.upper() if name == "RMS_REPORT_CURRENCY" else value) in text or value in text
    assert said in text
    assert text.count("environment") == 1


def test_a_wrong_value_in_a_file_names_the_file(tmp_path):
    (tmp_path / ".env").write_text("MT5_PORT=x\n")
    assert str(tmp_path / ".env") in refused(tmp_path)


def test_a_secret_is_never_repeated_not_even_when_it_is_wrong(tmp_path):
    loaded = load({}, environ={"MT5_MANAGER_PASS": "hunter2-secret"}, folder=tmp_path)
    assert "hunter2" not in repr(loaded)
    assert "hunter2" not in str(loaded.settings)


@pytest.mark.parametrize(
    "token", ["geheim-äöü-0123456789", "two words-0123456789", "line\nfeed-012345678"]
)
@pytest.mark.parametrize("name", ["RMS_WS_TOKEN", "RMS_WS_TOKEN_READ"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_repeated(tmp_path, name, token):
    text = refused(tmp_path, {name: token})
    assert f"{name}=(hidden): expected letters, digits and signs of ASCII" in text
    assert token not in text


@pytest.mark.parametrize("uri", ["far:27017", "http://u:hunter2@far", "mongo://u:hunter2@far"])
def test_a_uri_that_is_none_of_mongodb_is_said_without_it(tmp_path, uri):
    text = refused(tmp_path, {"RMS_MONGODB_URI": uri})
    assert text == (
        "RMS_MONGODB_URI=(hidden): expected mongodb://HOST:PORT/…, mongodb+srv://…, or embedded "
        "(from environment)"
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("RMS_SORCE", "RMS_SOURCE"),
        ("RMS_MONGODB_URL", "RMS_MONGODB_URI"),
        ("MAX_LOSS_TRESHOLD", "MAX_LOSS_THRESHOLD"),
        ("MARGIN_LEVEL_WARN", "MARGIN_LEVEL_WARNING"),
        ("WS_PRT", "WS_PORT"),
    ],
)
def test_a_misspelt_variable_is_refused_instead_of_doing_nothing(tmp_path, name, meant):
    assert refused(tmp_path, {name: "1"}) == (
        f"{name}: no such setting, expected {meant}? (from environment)"
    )
    (tmp_path / ".env").write_text(f"{name}=1\n")
    assert str(tmp_path / ".env") in refused(tmp_path)


def test_variables_of_others_and_notes_of_one_s_own_are_nobody_s_mistake(tmp_path):
    others = {"MT5_HOST_2": "a", "MT5_HOST2": "b", "RMSE": "1", "RMS_TUI_TEST": "1", "WSL": "2"}
    assert given(tmp_path, others).mt5_host is None


def test_a_flag_is_no_number(tmp_path):
    (tmp_path / "rms.toml").write_text("MAX_LOSS_THRESHOLD = true\n")
    assert "MAX_LOSS_THRESHOLD=True: expected a number" in refused(tmp_path)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"# c\r\n\r\nMT5_MANAGER_PASS 'hunter2'\n", ", line 3: expected NAME=value"),
        (b'MT5_PORT=443\nMT5_MANAGER_PASS="hunter2\n', ", line 2: expected NAME=value"),
        (b"\nMT5_PORT\n", ", line 2: expected MT5_PORT=value; there is no ="),
        ("MT5_PORT=443".encode("utf-16"), "expected text in UTF-8"),
        (b"MT5_MANAGER_PASS=hunter2\xe4\n", "expected text in UTF-8"),
    ],
)
def test_a_line_of_dotenv_that_is_none_is_refused_and_not_repeated(tmp_path, written, said):
    (tmp_path / ".env").write_bytes(written)
    text = refused(tmp_path)
    assert text.startswith(str(tmp_path / ".env"))
    assert said in text
    assert "hunter2" not in text


def test_dotenv_may_have_comments_quotes_export_and_the_mark_of_notepad(tmp_path):
    (tmp_path / ".env").write_bytes(
        b"\xef\xbb\xbfexport MT5_SERVER='mt5 # 1'  # ours\r\nMT5_MANAGER_PASS=a#b$c\r\nOTHER\r\n"
    )
    settings = given(tmp_path)
    assert settings.mt5_server == "mt5 # 1"
    assert settings.mt5_manager_pass is not None
    assert settings.mt5_manager_pass.get_secret_value() == "a#b$c"


def test_levels_in_the_wrong_order_are_refused_with_both_origins(tmp_path):
    text = refused(tmp_path, {"MARGIN_LEVEL_WARNING": "90"}, MARGIN_LEVEL_CRITICAL=95)
    assert "MARGIN_LEVEL_WARNING from environment" in text
    assert "MARGIN_LEVEL_CRITICAL from option" in text


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("mongodb://", "no host: expected mongodb://HOST:PORT/…"),
        ("mongodb://ann:hunter2@", "no host: expected mongodb://HOST:PORT/…"),
        ("mongodb://ann:hunter2@far:port", "PORT is 1 to 65535"),
        ("mongodb://ann:hunter2@far:99999", "PORT is 1 to 65535"),
        ("mongodb://ann:hunter2@far,", "commas between several"),
        ("mongodb://ann:hun@ter2@far", "write : / ? # [ ] @ % as"),
        ("mongodb://ann:hun:ter2@far", "write : / ? # [ ] @ % as"),
        ("mongodb://ann:hun/ter2@far", "write : / ? # [ ] @ % as"),
        ("mongodb://ann:hun?ter2@far", "write : / ? # [ ] @ % as"),
        ("mongodb://ann:hun%ter2@far", "write : / ? # [ ] @ % as"),
        ("mongodb://:hunter2@far", "expected USER:PASSWORD before the @"),
        ("mongodb://ann:hunter2@far/?tls=ture", "tls: The value of tls must be 'true' or 'false'"),
        ("mongodb://ann:hunter2@far/?replicaSte=rs", "replicaSte: Unknown option. Did you mean"),
        ("mongodb://ann:hunter2@far/?tlsCAFile=/no", "tlsCAFile: /no: No such file"),
        ("mongodb://ann:hunter2@far/?tls", "expected options as NAME=VALUE"),
        ("mongodb://far/?authMechanismProperties=hunter2", "Properties: not a value it can have"),
        ("mongodb://ann:hunter2@far,near/?directConnection=true", "multiple hosts"),
        ("mongodb+srv://ann:hunter2@far.example.com:27017/", "one host without a port"),
    ],
)
def test_a_malformed_uri_is_said_with_what_is_allowed_and_without_its_password(tmp_path, uri, said):
    text = refused(tmp_path, {"RMS_MONGODB_URI": uri})
    assert text.startswith("RMS_MONGODB_URI=(hidden): ")
    assert text.endswith(" (from environment)")
    assert said in text
    assert not [part for part in ("hunter2", "hun", "ter2") if part in text]


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://far",
        "mongodb://ann:hun%40ter2@far:27017,near:27018/rms?replicaSet=rs0&authSource=admin",
        "mongodb://[::1]:27017/?serverSelectionTimeoutMS=200",
        "mongodb://%2Ftmp%2Fmongodb-27017.sock",
        "mongodb+srv://ann:hunter2@nowhere.invalid/?retryWrites=true&w=majority&srvMaxHosts=2",
    ],
)
def test_a_uri_that_may_be_right_is_taken_without_asking_a_name_server(tmp_path, uri):
    taken = given(tmp_path, {"RMS_MONGODB_URI": uri}).rms_mongodb_uri
    assert taken is not None
    assert taken.get_secret_value() == uri


@pytest.mark.parametrize("name", [".env", "rms.toml"])
def test_a_folder_where_a_file_of_settings_is_expected_is_said(tmp_path, name):
    (tmp_path / name).mkdir()
    assert refused(tmp_path) == f"{tmp_path / name}: expected a file; it is a folder"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_an_env_file_may_be_a_pipe_and_is_read_once_however_often_settings_are(tmp_path):
    pipe = tmp_path / "secrets"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("MT5_SERVER=piped\n",), daemon=True)
    writer.start()
    for _ in range(2):
        loaded = load({}, env_file=pipe, environ={}, folder=tmp_path)
        assert loaded.settings.mt5_server == "piped"
        assert loaded.origins["MT5_SERVER"] == str(pipe)
    writer.join(10)


def test_an_env_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(SettingsError, match="no such file"):
        load({}, env_file=tmp_path / "nope.env", environ={}, folder=tmp_path)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("RMS_SORUCE = 'manager'", "unknown key RMS_SORUCE"),
        ("RMS_SOURCE = ", "not valid TOML"),
        ("[profile.a]\n[[profile.a.rules]]\nrule = 'daily_los'", "profile.a.rules.0"),
        ("[profile.a]\n[[profile.a.rules]]\nrule = 'max_loss'", "amount"),
        (
            "[profile.a]\n[[profile.a.rules]]\nrule = 'max_loss'\namount = -5\ncaution = -1",
            "caution",
        ),
        (
            "[profile.a]\n[[profile.a.rules]]\nrule = 'daily_loss'\nbase = 'equity'\namount = 5\n"
            "zone = 'Europe/Pragu'",
            "no time zone",
        ),
        (
            "[profile.a]\n[[profile.a.rules]]\nrule = 'daily_loss'\nbase = 'equity'",
            "exactly one of amount",
        ),
        ("[[assign]]\nprofile = 'x'\ngroups = '*'", "no profile 'x'"),
        ("default_profile = 'x'", "no profile 'x'"),
        ("scenarios = 5", "scenarios: expected tables [[scenarios]]"),
        ("[[scenarios]]\nmoves = { EURUSD = 1 }", "scenarios.0.name: missing key"),
        ("[[scenarios]]\nname = ' '\nmoves = { EURUSD = 1 }", "scenarios.0.name: expected a name"),
        ("[[scenarios]]\nname = 'a'", "scenarios.0.moves: missing key"),
        ("[[scenarios]]\nname = 'a'\nmoves = {}", "scenarios.0.moves: "),
        (
            "[[scenarios]]\nname = 'a'\nmoves = { EURUSD = '-3 %' }",
            "scenarios.0.moves.EURUSD: expected a valid number, got '-3 %'",
        ),
        (
            "[[scenarios]]\nname = 'a'\nmoves = { JPY = 0 }",
            "JPY: expected a percentage other than 0",
        ),
        ("[[scenarios]]\nname = 'a'\nmoves = { JPY = -100 }", "scenarios.0.moves.JPY: expected"),
        ("[[scenarios]]\nname = 'a'\nmoves = { JPY = 100 }", "scenarios.0.moves.JPY: expected"),
        ("[[scenarios]]\nname = 'a'\nmoves = { JPY = nan }", "scenarios.0.moves.JPY: expected"),
        (
            "[[scenarios]]\nname = 'a'\nmoves = { EURUSD.r = 1 }",
            "moves.EURUSD: expected a percentage; a name with a dot is written in quotes, "
            '"EURUSD.r"',
        ),
        (
            "[[scenarios]]\nname = 'a'\nmove = 1\nmoves = { JPY = 1 }",
            "scenarios.0.move: unknown key, got 1",
        ),
        (
            "[[scenarios]]\nname = 'a'\nmoves = { JPY = 1 }\n" * 2,
            "scenarios.1.name: 'a' is there twice",
        ),
    ],
)
def test_a_limit_that_cannot_be_is_refused_with_file_and_key(tmp_path, toml, said):
    (tmp_path / "rms.toml").write_text(toml)
    text = refused(tmp_path)
    assert said in text
    assert str(tmp_path / "rms.toml") in text


def test_profiles_of_rms_toml_are_assigned(tmp_path):
    (tmp_path / "rms.toml").write_text(
        "[profile.day]\n[[profile.day.rules]]\nrule = 'daily_loss'\nbase = 'balance'\n"
        "percent = 5\nof = 'base'\n[[assign]]\nprofile = 'day'\ngroups = 'demo\\*'\n"
    )
    plan = load({}, environ={}, folder=tmp_path).plan
    assert [profile.name for profile in plan.profiles] == ["limits", "day"]
    assert plan.rows([1, 2], ["demo\\x", "real\\x"]) == [1, 0]


def test_scenarios_of_rms_toml_are_in_the_plan_and_in_the_demos(tmp_path, monkeypatch):
    (tmp_path / "rms.toml").write_text(
        "[[scenarios]]\nname = 'Risk off'\nmoves = { EURUSD = -3.0, JPY = 5, 'XAUUSD.r' = 8 }\n"
    )
    plan = load({}, environ={}, folder=tmp_path).plan
    assert plan.scenario("Risk off").moves == {"EURUSD": -3.0, "JPY": 5.0, "XAUUSD.r": 8.0}
    with pytest.raises(ValueError, match="no scenario 'Risk on': there are Risk off"):
        plan.scenario("Risk on")
    monkeypatch.chdir(tmp_path)
    demo = desk(Given(demo=True))
    assert demo is not None
    assert demo.plan.scenarios == plan.scenarios


def test_embedded_on_the_command_line_goes_before_a_uri_in_the_environment(tmp_path):
    settings = given(tmp_path, {"RMS_MONGODB_URI": "mongodb://far"}, RMS_MONGODB_URI="embedded")
    assert settings.rms_mongodb_uri is None


def test_a_terminal_is_portable_when_its_setting_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("MT5_PATH", "C:/MT5/terminal64.exe")
    monkeypatch.chdir(tmp_path)
    for value, portable in (("true", True), ("false", False)):
        monkeypatch.setenv("MT5_PORTABLE", value)
        made = desk(Given(source="terminal"))
        assert made is not None
        assert isinstance(made.spec, TerminalSpec)
        assert made.spec.portable is portable
