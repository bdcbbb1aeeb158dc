"""Settings from options, environment, `.env` and `rms.toml`, in that order of precedence.

Every wrong value is reported with its variable, what was given, what is allowed and where it came
from. Secrets are SecretStr: they redact themselves wherever they are printed.
"""

from __future__ import annotations

import io
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from dotenv.parser import Binding, parse_stream
from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rms_tui.presets import UnknownPreset, expanded
from rms_tui.risk.profile import Assign, Plan, RiskProfile, limits_profile
from rms_tui.risk.refusals import refusals
from rms_tui.serve.notify.channel import Channel, channels_of

Source = Literal["manager", "terminal", "simulator", "replay"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0.05, le=86_400, allow_inf_nan=False)]
Finite = Field(allow_inf_nan=False)

SECRETS = frozenset(
    {"MT5_MANAGER_PASS", "MT5_PASSWORD", "RMS_MONGODB_URI", "RMS_WS_TOKEN", "RMS_WS_TOKEN_READ"}
)
"""Variables whose value is never repeated in a message."""

TABLES = frozenset({"profile", "assign", "default_profile", "notify"})
"""Keys of `rms.toml` that are not variables."""

PREFIXES = ("RMS_", "MT5_", "WS_", "MARGIN_", "MAX_")
"""How our variables begin: others of the environment are nobody's mistake."""

ALIKE = 0.85
"""How near, of 1, an unknown variable's name is to one of ours to be taken for a slip of it."""

_PATTERNS = {
    "RMS_REPORT_CURRENCY": "expected a currency of 3 to 5 letters, such as USD",
    "RMS_MONGODB_DATABASE": "expected 1 to 38 letters, digits, _ or -",
    "MT5_HOST": "expected a host name or address alone, such as mt5.broker.example; its port is "
    "MT5_PORT",
}
"""What a pattern allows, in words."""


COLLECTIONS = (
    "alerts", "audit", "claims", "elements", "evidence", "instances", "keys", "leases", "memory",
    "positions", "streams", "watches",
)  # fmt: skip
"""What the collections are called unless the settings say otherwise."""

_CALLED = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")


class SettingsError(Exception):
    """Settings that cannot be used; the text names variable, value, what is allowed and origin."""


class Settings(BaseSettings):
    """Every variable, by its own name in lower case."""

    model_config = SettingsConfigDict(
        extra="ignore", case_sensitive=False, env_ignore_empty=True, frozen=True
    )

    rms_source: Source | Literal["fleet"] | None = Field(
        None, description="where accounts come from: manager, terminal, simulator, replay or fleet"
    )
    rms_update_interval: Annotated[float, Field(ge=0.05, le=3600, allow_inf_nan=False)] = Field(
        5.0, description="seconds between polls"
    )
    rms_trade_history_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        30, description="days of closed deals to read"
    )
    rms_accounts: Literal["all", "added"] = Field(
        "all", description="watch all accounts the source shows, or only those added"
    )
    rms_groups: str = Field(
        "*", min_length=1, description="MT5 group masks to watch, such as real\\*,!real\\test*"
    )
    rms_report_currency: str = Field(
        "USD", pattern="^[A-Z]{3,5}$", description="currency of sums over the book"
    )
    rms_escalate_after: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)] = Field(
        300.0, description="seconds after which an unanswered critical alert rings again"
    )
    rms_feed_alert_after: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)] = Field(
        60.0, description="seconds without a decision after which the feed raises an alert"
    )
    rms_mongodb_uri: SecretStr | None = Field(
        None, description="MongoDB replica set; unset: a private embedded mongod"
    )
    rms_mongodb_database: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,38}$")] = Field(
        "rms", description="database name"
    )
    rms_mongodb_collections: str = Field(
        "", description="collections that are called otherwise: elements=accounts,instances=mt5"
    )
    rms_mongod: Path | None = Field(None, description="mongod binary for the embedded database")
    rms_data_dir: Path | None = Field(
        None, description="folder of the embedded database and rms.log"
    )
    rms_master_key_file: Path | None = Field(
        None,
        description="file of the master key of passwords; unset: master.key in the data folder",
    )
    rms_keys: Path | None = Field(
        None,
        description="file of key bindings; unset: keys.toml in the working folder, or in your "
        "configuration folder",
    )
    rms_log_level: LogLevel = Field("INFO", description="least severity that rms.log records")
    rms_log_json: bool = Field(False, description="log one JSON object a line")
    rms_metrics_host: str = Field("127.0.0.1", description="address of the metrics endpoint")
    rms_metrics_port: Port | None = Field(
        None, description="port of the Prometheus metrics endpoint; unset: none"
    )
    rms_fleet_host: str | None = Field(
        None, description="name of this trading host; unset: its own name"
    )
    rms_fleet_ping: Seconds = Field(10.0, description="seconds between pings of a worker")
    rms_fleet_silent: Seconds = Field(
        300.0, description="seconds without a ping after which a claim is over"
    )
    rms_fleet_sweep: Seconds = Field(60.0, description="seconds between sweeps of a supervisor")
    rms_fleet_retry: Seconds = Field(
        1.0, description="seconds before a failed worker is started again; doubles"
    )
    rms_fleet_retry_longest: Seconds = Field(300.0, description="the longest of those pauses")
    rms_fleet_retry_refused: Seconds = Field(
        30.0, description="seconds before a refused login is tried again; doubles"
    )
    rms_fleet_failures: Annotated[int, Field(ge=1, le=100)] = Field(
        3, description="refused logins until ERROR, failures of a terminal until FAULTY"
    )
    rms_fleet_launches: Annotated[int, Field(ge=1, le=100)] = Field(
        4, description="workers that start at one time"
    )
    rms_fleet_stop: Seconds = Field(8.0, description="seconds that a worker has to stop")
    rms_fleet_terminal_silence: Seconds = Field(
        5.0, description="seconds a terminal's call may hang before its process is ended"
    )
    rms_fleet_terminal_start: Seconds = Field(
        150.0, description="seconds a terminal may take to start and log in without a sign of life"
    )
    mt5_host: Annotated[str, Field(pattern=r"^([^\s:/\[\]]+|\[[0-9A-Fa-f:.]+\])$")] | None = Field(
        None, description="MT5 server for the Manager API"
    )
    mt5_port: Port = Field(443, description="its port")
    mt5_manager_user: Annotated[int, Field(gt=0)] | None = Field(None, description="manager login")
    mt5_manager_pass: SecretStr | None = Field(None, description="manager password")
    mt5_path: str | None = Field(None, description="full path of terminal64.exe")
    mt5_portable: bool = Field(
        False, description="start the terminal with /portable: its data is beside terminal64.exe"
    )
    mt5_login: Annotated[int, Field(gt=0)] | None = Field(
        None, description="account expected in the terminal"
    )
    mt5_server: str | None = Field(None, description="server expected in the terminal")
    mt5_password: SecretStr | None = Field(
        None, description="account password; unset: the one the terminal has stored"
    )
    margin_level_warning: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        150.0, description="margin level in percent that warns"
    )
    margin_level_critical: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        100.0, description="margin level in percent that is critical"
    )
    max_loss_threshold: Annotated[float, Field(lt=0, allow_inf_nan=False)] = Field(
        -1000.0, description="floating profit that is a breach, negative"
    )
    rms_overnight_minutes: Annotated[float, Field(ge=0, le=1440, allow_inf_nan=False)] = Field(
        60.0, description="minutes before a rollover in which its verdict is shown; 0: never"
    )
    ws_host: str = Field("127.0.0.1", description="address of the WebSocket server")
    ws_ca: Path | None = Field(
        None, description="certificates to trust when following a wss:// address"
    )
    ws_port: Port = Field(8765, description="its port")
    rms_ws_token: SecretStr | None = Field(
        None, description="token of operators: who sends it may change things"
    )
    rms_ws_token_read: SecretStr | None = Field(None, description="token of readers")
    ws_cert: Path | None = Field(None, description="certificate file to serve with TLS")
    ws_key: Path | None = Field(None, description="its private key file")
    ws_insecure: bool = Field(False, description="serve other machines without TLS")
    ws_origins: str = Field(
        "", description="pages of other origins that may connect, comma-separated"
    )

    @field_validator("rms_accounts", "rms_source", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("*", mode="before")
    @classmethod
    def _no_flag_for_a_number(cls, value: object, info: ValidationInfo) -> object:
        if (
            isinstance(value, bool)
            and cls.model_fields[info.field_name or ""].annotation is not bool
        ):
            raise ValueError("expected a number or a text, not a flag")
        return value

    @field_validator("rms_mongodb_uri", mode="before")
    @classmethod
    def _embedded(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.strip().lower() == "embedded":
            return None
        if not value.startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("expected mongodb://HOST:PORT/…, mongodb+srv://…, or embedded")
        return value

    @field_validator("rms_groups")
    @classmethod
    def _one_mask_at_least(cls, value: str) -> str:
        masks = [mask.strip() for mask in value.split(",")]
        if not any(mask and not mask.startswith("!") for mask in masks):
            raise ValueError("expected a mask of groups to watch, such as real\\*,!real\\test*")
        return value

    @field_validator("rms_mongodb_collections")
    @classmethod
    def _renamed(cls, given: str) -> str:
        collections_of(given)
        return given

    @field_validator("rms_log_level", "rms_report_currency", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("rms_ws_token", "rms_ws_token_read")
    @classmethod
    def _fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not all("!" <= one <= "~" for one in token.get_secret_value()):
            raise ValueError(
                "expected letters, digits and signs of ASCII without spaces: it is sent in an "
                "HTTP header"
            )
        return token

    @model_validator(mode="after")
    def _levels_ordered(self) -> Settings:
        if self.margin_level_critical > self.margin_level_warning:
            raise ValueError(
                f"MARGIN_LEVEL_CRITICAL ({self.margin_level_critical:g}) must not be above "
                f"MARGIN_LEVEL_WARNING ({self.margin_level_warning:g}): a falling margin level "
                "passes the warning first"
            )
        return self

    @model_validator(mode="after")
    def _pings_before_silence(self) -> Settings:
        if self.rms_fleet_silent < 3 * self.rms_fleet_ping:
            raise ValueError(
                f"RMS_FLEET_SILENT ({self.rms_fleet_silent:g}) must be at least three times "
                f"RMS_FLEET_PING ({self.rms_fleet_ping:g}): one late ping must not end a claim"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (pydantic-settings fixes the names)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands in: it keeps the layers apart to know each value's origin."""
        return (init_settings,)


def collections_of(given: str) -> dict[str, str]:
    """Our name → theirs, of `elements=accounts,instances=mt5`. Raises ValueError."""
    found: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in given.split(","))):
        ours, _, called = (each.strip() for each in part.partition("="))
        if ours not in COLLECTIONS:
            raise ValueError(f"no collection {ours!r}: expected one of {', '.join(COLLECTIONS)}")
        if ours in found:
            raise ValueError(f"{ours} is named twice")
        if _CALLED.fullmatch(called) is None or called.startswith("system."):
            raise ValueError(
                f"{ours}={called}: expected the name of a collection, of letters, digits, _ - and ."
            )
        found[ours] = called
    names = [found.get(one, one) for one in COLLECTIONS]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two collections would be called {twice[0]}")
    return {ours: called for ours, called in found.items() if ours != called}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings with the plan of limits and where each value came from (`default` otherwise)."""

    settings: Settings
    plan: Plan
    origins: Mapping[str, str]
    channels: tuple[Channel, ...] = ()


def load(
    options: Mapping[str, object] | None = None,
    *,
    env_file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Loaded:
    """Settings from all layers. `options` are by variable name and win.

    `env_file` must exist when given; otherwise `.env` in `folder` (default: the working folder) is
    read if it is there, and `rms.toml` beside it. Raises SettingsError.
    """
    here = Path.cwd() if folder is None else folder
    toml_path = here / "rms.toml"
    toml = _toml(toml_path)
    layers = [
        ("option", {k.upper(): v for k, v in (options or {}).items() if v is not None}),
        ("environment", _named(os.environ if environ is None else environ)),
        *_dotenv(env_file, here),
        (str(toml_path), {k.upper(): v for k, v in toml.items() if k not in TABLES}),
    ]
    known = {name.upper() for name in Settings.model_fields}
    _refuse_strange(toml, toml_path)
    _refuse_misspelt(layers[1:-1], known)
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for origin, layer in reversed(layers):
        for name, value in layer.items():
            if name in known and value != "":
                values[name.lower()] = value
                origins[name] = origin
    try:
        settings = Settings(**values)  # type: ignore[arg-type]  # validated by pydantic itself
    except ValidationError as error:
        raise SettingsError(_explained(error, values, origins)) from None
    variables = {
        name: value for _, layer in reversed(layers[1:-1]) for name, value in layer.items()
    }
    channels = _channels(toml, toml_path, variables)
    return Loaded(settings, _plan(settings, toml, toml_path), origins, channels)


def _named(environ: Mapping[str, str]) -> dict[str, object]:
    return {name.upper(): value for name, value in environ.items()}


def _dotenv(env_file: Path | None, here: Path) -> list[tuple[str, dict[str, object]]]:
    path = here / ".env" if env_file is None else env_file
    if not path.is_file():
        if env_file is not None:
            raise SettingsError(f"--env-file {env_file}: no such file")
        return []
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: expected text in UTF-8: save it as such") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    written = {line.key.upper(): line.value for line in _lines(text, path) if line.key}
    return [(str(path), {name: value for name, value in written.items() if value is not None})]


def _lines(text: str, path: Path) -> Iterator[Binding]:
    """The lines of a `.env`; what stands in a wrong one is not repeated: it may be a secret."""
    for line in parse_stream(io.StringIO(text)):
        skipped = len(line.original.string) - len(line.original.string.lstrip("\r\n"))
        at = line.original.line + line.original.string[:skipped].count("\n")
        if line.error:
            raise SettingsError(f"{path}, line {at}: expected NAME=value, or # and a comment")
        if line.key and line.value is None and line.key.upper().startswith(PREFIXES):
            raise SettingsError(f"{path}, line {at}: expected {line.key}=value; came no =")
        yield line


def _toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None


def _plan(settings: Settings, toml: Mapping[str, Any], path: Path) -> Plan:
    limits = limits_profile(
        margin_warning=settings.margin_level_warning,
        margin_critical=settings.margin_level_critical,
        max_loss=settings.max_loss_threshold,
    )
    written = toml.get("profile", {})
    if not isinstance(written, dict):
        raise SettingsError(f"{path}: profile: expected tables such as [profile.standard]")
    profiles = [limits]
    for name, body in written.items():
        if name == limits.name or not isinstance(body, dict):
            raise SettingsError(f"{path}: profile.{name}: expected a table of another name")
        try:
            profiles.append(RiskProfile.model_validate({**expanded(body), "name": name}))
        except UnknownPreset as error:
            raise SettingsError(f"{path}: profile.{name}.preset: {error}") from None
        except ValidationError as error:
            raise SettingsError(_in_file(path, f"profile.{name}", error)) from None
    try:
        return Plan(
            profiles=tuple(profiles),
            assigned=_assigned(toml.get("assign", []), path),
            default=toml.get("default_profile", limits.name),
            overnight_minutes=settings.rms_overnight_minutes,
        )
    except ValidationError as error:
        raise SettingsError("\n".join(f"{path}: {line}" for line in refusals(error))) from None


def _assigned(lines: object, path: Path) -> tuple[Assign, ...]:
    if not isinstance(lines, list):
        raise SettingsError(f"{path}: assign: expected tables [[assign]]")
    made = []
    for number, line in enumerate(lines):
        try:
            made.append(Assign.model_validate(line))
        except ValidationError as error:
            raise SettingsError(_in_file(path, f"assign.{number}", error)) from None
    return tuple(made)


def _channels(
    toml: Mapping[str, Any], path: Path, variables: Mapping[str, object]
) -> tuple[Channel, ...]:
    try:
        return channels_of(toml.get("notify", []), variables)
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None


def plan_of(path: Path) -> Plan:
    """The plan of one `rms.toml`, with the limits of three settings at their defaults.

    Raises SettingsError with file and key.
    """
    if not path.is_file():
        raise SettingsError(f"{path}: no such file")
    toml = _toml(path)
    _refuse_strange(toml, path)
    return _plan(Settings.model_validate({}), toml, path)


def _refuse_strange(toml: Mapping[str, Any], path: Path) -> None:
    known = {name.upper() for name in Settings.model_fields}
    strange = sorted({key.upper() for key in toml if key not in TABLES} - known)
    if strange:
        raise SettingsError(
            f"{path}: unknown key {strange[0]}; expected a variable such as RMS_SOURCE, or "
            "profile, assign, default_profile, notify"
        )


def _refuse_misspelt(layers: list[tuple[str, dict[str, object]]], known: set[str]) -> None:
    """A limit that a slip of the pen switched off would be missed when it is too late.

    A longer name (`MT5_HOST_2`) is a note of someone who keeps two.
    """
    for origin, layer in layers:
        for name in layer:
            if name in known or not name.startswith(PREFIXES):
                continue
            if any(name.startswith((f"{one}_", f"{one}2", f"{one}3")) for one in known):
                continue
            from difflib import get_close_matches

            for meant in get_close_matches(name, known, 1, ALIKE):
                raise SettingsError(f"{name}: no such setting, expected {meant}? (from {origin})")


def _in_file(path: Path, where: str, error: ValidationError) -> str:
    return "\n".join(f"{path}: {line}" for line in refusals(error, where))


def _words(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return "unknown key"
    return str(problem["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")


def _explained(
    error: ValidationError, values: Mapping[str, object], origins: Mapping[str, str]
) -> str:
    lines = []
    for problem in error.errors():
        name = str(problem["loc"][0]).upper() if problem["loc"] else ""
        if not name:
            text = _words(problem)
            named = [
                f"{variable} from {at}" for variable, at in origins.items() if variable in text
            ]
            lines.append(f"{text} ({'; '.join(named)})")
            continue
        value = "(hidden)" if name in SECRETS else repr(values.get(name.lower()))
        lines.append(f"{name}={value}: {_allowed(name, problem)} (from {origins[name]})")
    return "\n".join(dict.fromkeys(lines))


def _allowed(name: str, problem: Mapping[str, Any]) -> str:
    annotation = Settings.model_fields[name.lower()].annotation
    choices = [
        choice
        for kind in (annotation, *get_args(annotation))
        for choice in get_args(kind)
        if isinstance(choice, str)
    ]
    if choices:
        return f"expected one of {', '.join(dict.fromkeys(choices))}"
    if problem["type"] == "string_pattern_mismatch":
        return _PATTERNS[name]
    return _words(problem)
