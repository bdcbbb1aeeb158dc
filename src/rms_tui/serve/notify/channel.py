"""One channel: where notices go, which alerts are worth one, and when it is silent.

Data only, from `[[notify]]` of `rms.toml`. The URL is a secret: it is never shown or logged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from rms_tui.risk.profile import mask_matches

SeverityWord = Literal["reached", "warning", "critical", "breach"]
Edge = Literal["raised", "escalated", "recovered"]

_QUIET = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$")


class Channel(BaseModel):
    """A `[[notify]]` table.

    `url` is one of apprise's (`mailto://…`, `tgram://…`, `slack://…`, `json://…`), or `url_env`
    names the variable that holds it. `groups` are MT5 group masks; `!` before one leaves out.
    In the quiet hours notices are held and come as one at their end, but for the severities of
    `quiet_through`, which always go.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[\w .-]+$")]
    url: SecretStr
    severities: Annotated[tuple[SeverityWord, ...], Field(min_length=1)] = ("critical", "breach")
    edges: Annotated[tuple[Edge, ...], Field(min_length=1)] = ("raised", "escalated", "recovered")
    groups: Annotated[str, Field(min_length=1)] = "*"
    quiet: str | None = None
    quiet_zone: str = "UTC"
    quiet_through: tuple[SeverityWord, ...] = ("breach",)
    gather: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 5.0
    """Seconds to wait for more, so that many alerts at once are one message."""

    @field_validator("quiet")
    @classmethod
    def _span(cls, value: str | None) -> str | None:
        if value is not None and (_QUIET.match(value) is None or value[:5] == value[6:]):
            raise ValueError("expected two different times such as 22:00-07:00")
        return value

    @field_validator("quiet_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("expected an IANA time zone such as Europe/London") from None
        return value

    @model_validator(mode="after")
    def _has_address(self) -> Channel:
        if "://" not in self.url.get_secret_value():
            raise ValueError("url: expected an apprise URL such as mailto://… or json://…")
        return self

    def wants(self, severity: str, edge: str, group: str | None) -> bool:
        """Whether an alert is for this channel; the feed's own (group None) is for every group."""
        ours = group is None or mask_matches(self.groups, group)
        return ours and severity in self.severities and edge in self.edges

    def quiet_until(self, now: float) -> float | None:
        """End of the quiet hours that `now` (UTC seconds) lies in; None outside of them."""
        if self.quiet is None:
            return None
        zone = ZoneInfo(self.quiet_zone)
        begin, end = (time.fromisoformat(part) for part in self.quiet.split("-"))
        today = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            first = datetime.combine(day, begin, zone)
            last = datetime.combine(day if begin < end else day + timedelta(days=1), end, zone)
            if first.timestamp() <= now < last.timestamp():
                return last.timestamp()
        return None


def channels_of(
    tables: object, variables: Mapping[str, object] | None = None
) -> tuple[Channel, ...]:
    """Channels of the `[[notify]]` tables; `variables` are environment and `.env`.

    Raises ValueError naming the table and key, never with the URL in it.
    """
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError("notify: expected tables [[notify]]")
    found = tuple(_channel(table, at, variables or {}) for at, table in enumerate(tables))
    names = [channel.name for channel in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"notify: two channels are called {name!r}; names must differ")
    return found


def _channel(table: Mapping[str, Any], at: int, variables: Mapping[str, object]) -> Channel:
    given = dict(table)
    where = f"notify.{given.get('name', at)}"
    variable = given.pop("url_env", None)
    if variable is not None:
        if "url" in given:
            raise ValueError(f"{where}: expected url or url_env, got both")
        value = variables.get(str(variable).upper()) or ""
        if not value:
            raise ValueError(f"{where}.url_env: the variable {variable} is not set")
        given["url"] = str(value)
    given.setdefault("name", f"channel {at + 1}")
    try:
        return Channel.model_validate(given)
    except ValidationError as error:
        raise ValueError("; ".join(_said(where, problem) for problem in error.errors())) from None


def _said(where: str, problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    text = str(problem["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    if problem["type"] == "extra_forbidden":
        text = "unknown key"
    if problem["type"] == "missing":
        text = "is missing"
    return f"{where}{'.' if key else ': '}{key}{': ' if key else ''}{text}"
