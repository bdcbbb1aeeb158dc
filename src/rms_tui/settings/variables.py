"""Every variable with its type, its default and what it is for.

Secrets are SecretStr: they redact themselves wherever they are printed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rms_tui.settings.collection_names import collections_of

Source = Literal["manager", "terminal", "simulator", "replay"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0.05, le=86_400, allow_inf_nan=False)]

SECRETS = frozenset(
    {"MT5_MANAGER_PASS", "MT5_PASSWORD", "RMS_MONGODB_URI", "RMS_WS_TOKEN", "RMS_WS_TOKEN_READ"}
)
"""Variables whose value is never repeated in a message."""


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
            raise ValueError("expected a number or text, not true or false")
        return value

    @field_validator("rms_mongodb_uri", mode="before")
    @classmethod
    def _embedded(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.strip().lower() == "embedded":
            return None
        from rms_tui.store.uri import refusal  # loads the driver: only where a URI is given

        wrong = refusal(value)
        if wrong is not None:
            raise ValueError(wrong)
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
