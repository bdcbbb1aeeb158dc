"""The operator's own keys: which `keys.toml` counts, what it says, and a list of all of them."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from rms_tui.settings import Settings, SettingsError
from rms_tui.wiring.given import Given
from rms_tui.wiring.sources import loaded

NAME = "keys.toml"


def keys_file(settings: Settings, folder: Path | None = None) -> Path | None:
    """The file that counts: RMS_KEYS, else one in the working folder, else in the user's
    configuration folder; None without any. Raises SettingsError."""
    if settings.rms_keys is not None:
        path = settings.rms_keys.expanduser()
        if not path.is_file():
            raise SettingsError(f"RMS_KEYS={path}: no such file")
        return path
    import platformdirs

    own = platformdirs.user_config_path("rms-tui", appauthor=False)
    places = ((Path.cwd() if folder is None else folder) / NAME, own / NAME)
    return next((path for path in places if path.is_file()), None)


def console_keys(settings: Settings) -> dict[str, str]:
    """The checked keymap for the console, empty without a file. Raises SettingsError."""
    path = keys_file(settings)
    if path is None:
        return {}
    from rms_tui.tui.keymap import KeysError, keymap

    try:
        return keymap(dict(_flat(_read(path))))
    except KeysError as error:
        raise SettingsError("\n".join(f"{path}: {one}" for one in error.problems)) from None


def list_keys(shared: Given, *, json: bool) -> None:
    """Print every command's id, its keys and what it does. Raises SettingsError."""
    from rms_tui.tui.keymap import bound, shown

    settings = loaded(shared).settings
    own = console_keys(settings)
    commands = bound(own)
    if json:
        import orjson

        found = [
            {"id": one.id, "keys": list(one.keys), "does": one.words, "own": one.id in own}
            for one in commands
        ]
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    path = keys_file(settings)
    print(f"keys of {path}" if path else f"no {NAME}: these are the default keys")
    for one in commands:
        mark = "*" if one.id in own else " "
        keys = " ".join(shown(key) for key in one.keys)
        print(f"{mark} {one.id:<20} {keys:<16} {one.words}")
    if own:
        print(f"* from {path}", file=sys.stderr)


def _read(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None


def _flat(tree: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """`"desk.add" = "A"`, `desk.add = "A"` and `[desk]` with `add = "A"` say the same."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
