"""The options every verb takes, before it or after it; the later one wins.

Imports nothing heavy: `rms-tui --help` answers in a blink.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from rms_tui.wiring.given import Given

Json = Annotated[bool, typer.Option("--json", help="Pure JSON on stdout, for programs.")]

Record = Annotated[
    Path | None,
    typer.Option(
        "--record", metavar="FILE", help="Record all that is seen into FILE; see `replay`."
    ),
]

RecordLimit = Annotated[
    int | None,
    typer.Option(
        "--record-limit",
        metavar="MB",
        help="Megabytes a recording may take (1000); the oldest quarter goes when it is full.",
    ),
]


def profile_names() -> list[str]:
    """For completion: the profiles of the working folder's rms.toml, then the presets."""
    from rms_tui.cli.profiles import known_names

    return known_names()


def rule_names() -> list[str]:
    """For completion: every rule that an alert can be of."""
    from rms_tui.alerts.asked import rule_names

    return list(rule_names())


SHARED = "Source and settings (also from environment, .env and rms.toml)"


def _option(help_text: str, *names: str, metavar: str | None = None, **more: Any) -> Any:
    return typer.Option(
        *names, help=help_text, metavar=metavar, rich_help_panel=SHARED, show_default=False, **more
    )


_SHARED: dict[str, Any] = {
    "demo": Annotated[
        bool | None,
        _option("A simulated broker of 250 clients: nothing to set up.", "--demo"),
    ],
    "source": Annotated[
        str | None,
        _option(
            "Where accounts come from: manager, terminal, simulator, replay, fleet. [RMS_SOURCE]",
            "--source",
            metavar="NAME",
            autocompletion=lambda: ["manager", "terminal", "simulator", "replay", "fleet"],
        ),
    ],
    "accounts": Annotated[
        int | None,
        _option("Clients of the simulated broker, 1 to 100000 (250).", "--accounts", metavar="N"),
    ],
    "seed": Annotated[
        int | None,
        _option("The simulated broker is the same for the same seed.", "--seed", metavar="S"),
    ],
    "prices": Annotated[
        Path | None,
        _option(
            "Folder of recorded prices (MT5 bar, bid/ask M1 and tick CSV) that drive the "
            "simulated broker.",
            "--prices",
            metavar="DIR",
        ),
    ],
    "interval": Annotated[
        float | None,
        _option("Seconds between polls (5; demo: 1). [RMS_UPDATE_INTERVAL]", "--interval", "-i",
                metavar="S"),
    ],
    "mongodb": Annotated[
        str | None,
        _option(
            "A replica set's URI, or `embedded` for a private one on this host (default). "
            "Give a URI with a password in RMS_MONGODB_URI, not here. [RMS_MONGODB_URI]",
            "--mongodb",
            metavar="URI|embedded",
            autocompletion=lambda: ["embedded"],
        ),
    ],
    "env_file": Annotated[
        Path | None,
        _option("Read this file instead of .env in the working folder.", "--env-file",
                metavar="FILE"),
    ],
}  # fmt: skip


_LOGGING: dict[str, Any] = {
    "log_json": Annotated[
        bool | None, _option("Log one JSON object a line. [RMS_LOG_JSON]", "--log-json")
    ],
}


def shared_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the shared options: it is called with one `shared: Given` argument instead."""
    return _with(verb, _SHARED)


def service_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a verb that runs until it is stopped: how it logs is an option too."""
    return _with(verb, {**_SHARED, **_LOGGING})


def _with(verb: Callable[..., Any], options: Mapping[str, Any]) -> Callable[..., Any]:
    own = inspect.signature(verb, eval_str=True).parameters

    @functools.wraps(verb)
    def with_options(ctx: typer.Context, **given: Any) -> Any:
        mine = Given(**{name: given.pop(name) for name in options})
        before = ctx.obj if isinstance(ctx.obj, Given) else Given()
        if "ctx" in own:
            given["ctx"] = ctx
        return verb(shared=mine.over(before), **given)

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("ctx", keyword, annotation=typer.Context),
        *(p.replace(kind=keyword) for name, p in own.items() if name not in ("shared", "ctx")),
        *(
            inspect.Parameter(name, keyword, default=None, annotation=annotation)
            for name, annotation in options.items()
        ),
    ]
    signed: Any = with_options
    signed.__signature__ = inspect.Signature(parameters)
    signed.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_options
