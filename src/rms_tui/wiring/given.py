"""What was given for the options that choose a source, in a shell or in Python.

Imports nothing heavy: `rms-tui --help` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Given:
    """What was given for the shared options; None where nothing was."""

    demo: bool | None = None
    source: str | None = None
    accounts: int | None = None
    seed: int | None = None
    prices: Path | None = None
    interval: float | None = None
    mongodb: str | None = None
    env_file: Path | None = None
    log_json: bool | None = None

    def over(self, before: Given) -> Given:
        """These options, with what is not given here taken from those before the verb."""
        return replace(
            before,
            **{
                field.name: getattr(self, field.name)
                for field in fields(self)
                if getattr(self, field.name) is not None
            },
        )
