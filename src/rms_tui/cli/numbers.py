"""Numbers typed in a shell, and what is said of a word that is none."""

from __future__ import annotations

import sys
from typing import IO, Any

import typer

LARGEST = 2**63 - 1
"""No login, no port and no figure in MongoDB is larger."""


class WrongNumber(typer.BadParameter):
    """Said as every wrong setting is: its name, what came, what is allowed and where from."""

    def __init__(self, came: str, allowed: str) -> None:
        super().__init__(f"{came!r}: expected {allowed}")

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it; the shell's own way of saying it leaves out what came."""
        print(f"rms-tui: {self.format_message()}", file=file or sys.stderr)

    def format_message(self) -> str:
        """`--login-id 'x': expected a whole number (from option)`."""
        param: Any = self.param
        if param is None:
            return self.message
        option = param.param_type_name == "option"
        name = max(param.opts, key=len) if option else str(param.name).upper()
        return f"{name} {self.message} (from {'option' if option else 'argument'})"


def whole(text: str | int) -> int:
    """A whole number. Raises WrongNumber."""
    try:
        found = int(text)
    except ValueError:
        raise WrongNumber(str(text), "a whole number") from None
    if not -LARGEST <= found <= LARGEST:
        raise WrongNumber(str(text), f"a whole number up to {LARGEST}")
    return found


def number(text: str | float) -> float:
    """A number, of which its option may allow some only. Raises WrongNumber."""
    try:
        return float(text)
    except ValueError:
        raise WrongNumber(str(text), "a number") from None
