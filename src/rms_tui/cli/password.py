"""A password from a person's keyboard or from stdin: never an argument, never shown."""

from __future__ import annotations

import sys

from pydantic import SecretStr

from rms_tui.cli.exits import USAGE, end

LONGEST = 4096


def ask(whose: str) -> SecretStr:
    """The password: typed twice without echo on a terminal, else the first line of stdin.

    Ends the verb where there is none.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        import typer

        given = SecretStr(
            typer.prompt(
                f"Password of {whose}", hide_input=True, confirmation_prompt=True, err=True
            )
        )
    else:
        given = _first_line(whose)
    if not given.get_secret_value():
        end(
            f"no password of {whose} came on stdin: pipe it in, or run this on a terminal; "
            "--no-password uses the one that the terminal has stored",
            USAGE,
        )
    return given


def _first_line(whose: str) -> SecretStr:
    if sys.stdin is None:
        return SecretStr("")
    line = sys.stdin.buffer.readline(LONGEST + 1)
    text = None
    if len(line) <= LONGEST:
        try:
            text = SecretStr(line.decode("utf-8-sig").removesuffix("\n").removesuffix("\r"))
        except UnicodeDecodeError:
            text = None
    del line  # a traceback shows local variables
    if text is None:
        end(
            f"password of {whose}: expected one line of UTF-8 text, {LONGEST} bytes at most, on "
            "stdin",
            USAGE,
        )
    return text
