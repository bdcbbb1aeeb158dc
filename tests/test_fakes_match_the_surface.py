"""The fakes offer nothing the real packages lack, and want to be called as the real ones are."""

from __future__ import annotations

import inspect
import json
import os
import pickle
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FAKES = Path(__file__).parent / "fakes"


def _shared() -> Path:
    data = os.environ.get("RMS_SHARED_DATA")
    return (Path(data).parent if data else Path(__file__).parents[2] / "shared") / "mt5"


def _surface(name: str) -> Any:
    path = _shared() / f"{name}_surface.json"
    if not path.is_file():
        pytest.skip(f"no {path}: set RMS_SHARED_DATA to .../shared/data")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    monkeypatch.syspath_prepend(str(FAKES))
    monkeypatch.delenv("RMS_FAKE_WORLD", raising=False)
    for module in ("MetaTrader5", "MT5Manager", "fake_world"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    yield import_module
    for module in ("MetaTrader5", "MT5Manager", "fake_world"):
        sys.modules.pop(module, None)


@pytest.fixture
def terminal(fakes: Callable[[str], Any]) -> Any:
    return fakes("MetaTrader5")


@pytest.fixture
def manager(fakes: Callable[[str], Any]) -> Any:
    return fakes("MT5Manager")


def _public(module: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    }


def test_every_name_of_the_terminal_fake_is_a_name_of_the_package(terminal: Any) -> None:
    surface = _surface("metatrader5")
    for name, value in _public(terminal).items():
        if inspect.isfunction(value):
            assert name in surface["functions"]
        elif inspect.isclass(value):
            assert name in surface["structures"]
        else:
            assert surface["constants"][name] == value


def _structs(terminal: Any) -> dict[str, tuple[type, dict[str, Any]]]:
    """Every struct the fake defines, with the blank values it is made from."""
    defined = [value for value in vars(terminal).values() if isinstance(value, tuple)]
    return {value[0].__name__: value for value in defined if value and inspect.isclass(value[0])}


def test_every_struct_of_the_terminal_fake_has_the_package_s_fields_in_order(terminal: Any) -> None:
    surface = _surface("metatrader5")
    kinds = {"int": int, "float": float, "bool": bool, "str": str}
    structs = _structs(terminal)
    shown = {name for name, value in _public(terminal).items() if inspect.isclass(value)}
    assert shown == structs.keys()
    for name, (cls, blank) in structs.items():
        fields = surface["structures"][name]["fields"]
        assert [(field["name"], kinds[field["type"]]) for field in fields] == [
            (field, type(value)) for field, value in blank.items()
        ]
        offered = {attribute for attribute in dir(cls) if not attribute.startswith("__")}
        assert offered - set(dir(tuple)) == {*blank, "_asdict"}


def test_keywords_the_package_does_not_read_change_nothing(terminal: Any) -> None:
    surface = _surface("metatrader5")
    terminal.initialize("C:\\t\\terminal64.exe")
    fields = {field["name"] for kind in surface["structures"].values() for field in kind["fields"]}
    calls = {"positions_get": (), "symbols_get": (), "history_deals_get": (0, 2**31 - 1),
             "initialize": ("C:\\t\\terminal64.exe",)}  # fmt: skip
    assert calls.keys() == terminal._KEYWORDS.keys()
    for name, arguments in calls.items():
        call, real = getattr(terminal, name), surface["functions"][name]
        unread = dict.fromkeys(fields - set(real["keywords_read_by_binary"]), object())
        expected = call(*arguments), terminal.last_error()
        assert expected[0], name
        assert (call(*arguments, **unread), terminal.last_error()) == expected, name


def test_every_function_of_the_terminal_fake_is_called_as_the_package_s(terminal: Any) -> None:
    surface = _surface("metatrader5")
    for name, value in _public(terminal).items():
        if not inspect.isfunction(value):
            continue
        real = surface["functions"][name]
        parameters = inspect.signature(value).parameters.values()
        kinds = {parameter.kind for parameter in parameters}
        if real["call_kind"].startswith("METH_NOARGS"):
            assert not kinds, name
        elif real["call_kind"].startswith("METH_VARARGS|METH_KEYWORDS"):
            assert kinds == {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}, name
            assert set(terminal._KEYWORDS[name]) <= set(real["keywords_read_by_binary"]), name
        else:
            assert kinds == {inspect.Parameter.POSITIONAL_ONLY}, name
            assert len(parameters) == len(real["positional"]), name


def test_without_a_terminal_the_fake_answers_as_the_package_was_seen_to(terminal: Any) -> None:
    seen = _surface("metatrader5")["observed_without_terminal"]
    assert list(terminal.last_error()) == seen["last_error() first"]
    for call in ("terminal_info", "account_info", "positions_get", "symbols_total"):
        answer, error = seen[f"{call}()"]
        assert [getattr(terminal, call)(), list(terminal.last_error())] == [answer, error]
    assert [list(terminal.version()), list(terminal.last_error())] == seen["version()"]
    assert [terminal.shutdown(), list(terminal.last_error())] == seen["shutdown()"]


def test_the_terminal_s_structs_cannot_be_pickled(terminal: Any) -> None:
    terminal.initialize("C:\\t\\terminal64.exe")
    account = terminal.account_info()
    assert account.login == account._asdict()["login"] == account[0]
    assert not hasattr(account, "_fields")
    with pytest.raises(pickle.PicklingError, match="attribute lookup AccountInfo on builtins"):
        pickle.dumps(account)


def test_positional_and_keyword_traps_of_the_terminal(terminal: Any) -> None:
    terminal.initialize("C:\\t\\terminal64.exe")
    assert terminal.positions_get("EURUSD") is None
    assert terminal.last_error() == (-2, "Unnamed arguments not allowed")
    assert terminal.history_deals_get(date_from=0, date_to=1) is None
    assert terminal.last_error() == (-2, "Invalid arguments")
    assert terminal.history_deals_get(0, 1) == ()
    assert terminal.last_error() == (1, "Success")
    assert not terminal.initialize("C:\\t\\terminal64.exe", timeout=None)
    assert terminal.initialize("C:\\t\\terminal64.exe", passwrd="ignored")
    with pytest.raises(TypeError):
        terminal.symbol_info(symbol="EURUSD")
    with pytest.raises(SystemError):
        terminal.history_deals_get(0, 2**31)


def test_every_name_of_the_manager_fake_is_a_name_of_the_package(manager: Any) -> None:
    surface = _surface("mt5manager")
    known = {*surface["classes"], *surface["module_level"]["functions"], "ManagerAPI"}
    assert _public(manager).keys() <= known


def test_every_record_of_the_manager_fake_has_only_fields_of_the_package(manager: Any) -> None:
    surface = _surface("mt5manager")
    kinds = {"int": int, "float": float, "str": str}
    for name, cls in _public(manager).items():
        if not inspect.isclass(cls) or name == "ManagerAPI":
            continue
        fields = surface["classes"][name]["fields"]
        for field, value in cls._blank.items():
            assert type(value) is kinds[fields[field]["python_type"]], (name, field)
        methods = {method["name"] for method in surface["classes"][name]["methods"]}
        assert {each for each in dir(cls) if not each.startswith("_")} <= {*fields, *methods}, name


def test_the_tables_of_the_manager_fake_have_the_package_s_types(manager: Any) -> None:
    tables = _surface("mt5manager")["numpy_fields"]["tables"]
    for name, fields in manager._TABLES.items():
        real = {field: f"S{size}" if kind == "S" else kind for field, kind, size in tables[name]}
        assert dict(fields).items() <= real.items()


def test_every_method_of_the_manager_fake_takes_what_the_package_s_takes(manager: Any) -> None:
    methods = _surface("mt5manager")["methods"]
    for name, method in _public(manager.ManagerAPI).items():
        real = methods[name]
        given = [*inspect.signature(method).parameters.values()][1:]
        assert all(parameter.kind is inspect.Parameter.POSITIONAL_ONLY for parameter in given), name
        most = max(len(stub["args"]) for stub in real["stub"])
        assert len(given) <= most, name
        assert bool(given) or not most, name


def test_the_manager_fake_s_sinks_and_codes_are_the_package_s(manager: Any) -> None:
    surface = _surface("mt5manager")
    sinks = {sink["subscribe_with"]: sink["methods"] for sink in surface["sinks"].values()}
    for subscribe, methods in manager._SINKS.items():
        assert set(methods) <= set(sinks[subscribe])
    codes = {name: code["value"] for name, code in surface["retcodes"].items()}
    ours = {name: int(code) for name, code in manager._Retcode.__members__.items()}
    assert ours.items() <= codes.items()
    defaults = inspect.signature(manager.ManagerAPI.Connect).parameters
    for name, given in re.findall(r"\[, (\w+)=(\w+)\]", surface["connect"]["signature_in_binary"]):
        assert defaults[name].default == int(given, 16)


def test_sinks_of_the_manager_fake_are_looked_up_at_subscribe_time(manager: Any) -> None:
    class Empty:
        pass

    api = manager.ManagerAPI()
    assert api.Subscribe(Empty()) is False
    assert manager.LastError()[0] == -2

    class Late(Empty):
        def OnDisconnect(self) -> None:
            pass

    late = Late()
    heard: list[str] = []
    assert api.Subscribe(late) is True
    late.OnConnect = lambda: heard.append("too late")  # type: ignore[attr-defined]
    assert api.Connect("h:443", 1000, "manager-secret", 0x1389, 1000) is True
    assert heard == []


def test_an_exception_in_a_sink_is_swallowed_and_leaves_only_a_code(manager: Any) -> None:
    class Careless:
        def OnConnect(self) -> None:
            raise RuntimeError("lost")

    api = manager.ManagerAPI()
    api.Subscribe(Careless())
    assert api.Connect("h:443", 1000, "manager-secret", 0x1389, 1000) is True
    assert manager.LastError()[0] == -9


def test_the_manager_fake_has_ticks_of_symbols_that_are_held_or_selected(manager: Any) -> None:
    api = manager.ManagerAPI()
    api.Connect("h:443", 1000, "manager-secret", 0x1389, 1000)
    assert api.TickLast("EURUSD").bid == 1.085, "a position selects its symbol"
    assert api.TickLast("GBPUSD") is False
    assert int(manager.LastError()[1]) == 13
    assert api.SelectedAdd("GBPUSD") is True
    assert api.TickLast("GBPUSD").bid == 1.27


@pytest.mark.parametrize(("pump", "hears"), [(0x1389, True), (0x1389 & ~128, False)])
def test_a_sink_of_the_manager_fake_hears_nothing_without_its_pump(
    manager: Any, pump: int, hears: bool
) -> None:
    heard: list[str] = []

    class Whole:
        def OnPositionSync(self) -> None:
            heard.append("positions")

    api = manager.ManagerAPI()
    assert api.PositionSubscribe(Whole()) is True
    assert api.Connect("h:443", 1000, "manager-secret", pump, 1000) is True
    assert bool(heard) is hears


def test_no_rows_are_false_and_the_last_error_stays_after_a_success(manager: Any) -> None:
    api = manager.ManagerAPI()
    api.Connect("h:443", 1000, "manager-secret", 0x1389, 1000)
    assert api.DealRequestByGroup("*", 1, 2) is False
    assert [int(part) if part != "Not found" else part for part in manager.LastError()] == [
        -1, 13, "Not found",
    ]  # fmt: skip
    assert api.UserAccountGetByGroup("*")
    assert int(manager.LastError()[1]) == 13
    assert api.DealRequestByLogins((1001,), 1, 2) is False
    assert manager.LastError()[0] == -2
