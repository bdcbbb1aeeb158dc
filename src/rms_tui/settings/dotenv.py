"""The file `.env`: lines NAME=value."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from rms_tui.settings.files import text_of
from rms_tui.settings.misspelt import PREFIXES
from rms_tui.settings.refused import SettingsError


def dotenv(env_file: Path | None, here: Path) -> list[tuple[str, dict[str, object]]]:
    """Its variables with the file they come from; nothing where no file is and none was named.

    Raises SettingsError.
    """
    path = here / ".env" if env_file is None else env_file
    text = text_of(path)
    if text is None:
        if env_file is not None:
            raise SettingsError(f"--env-file {env_file}: no such file (from option)")
        return []
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
            raise SettingsError(f"{path}, line {at}: expected {line.key}=value; there is no =")
        yield line
