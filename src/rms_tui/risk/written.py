"""What people write into files, as types: no unknown key, and a number is no text."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
"""A number that was written as one: no text, no truth value."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
