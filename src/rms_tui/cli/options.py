"""The options of source and settings, before a verb or after it; the later one wins.

Every verb takes them all, so that a line can be edited into another; its help lists those that
change something there. Imports nothing heavy: `rms-tui --help` answers in a blink.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from copy import copy
from pathlib import Path
from typing import Annotated, Any, TypeAlias, get_args

import typer

from rms_tui.cli.numbers import number, whole
from rms_tui.wiring.given import Given

Verb: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Makes of a function one that takes more options."""

Json = Annotated[bool, typer.Option("--json", help="Pure JSON on stdout, for programs.")]

Watch = Annotated[
    bool, typer.Option("--watch", help="Print it again whenever it changes, until Ctrl-C.")
]

Record = Annotated[
    Path | None,
    typer.Option(
        "--record", metavar="FILE", help="Record everything that is seen into FILE; see `replay`."
    ),
]

RecordLimit = Annotated[
    int | None,
    typer.Option(
        "--record-limit",
        metavar="MB",
        help="Megabytes a recording may take (1000); the oldest quarter goes when it is full.",
        parser=whole,
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
        _option(
            "Clients of the simulated broker, 1 to 100000 (250).",
            "--accounts",
            metavar="N",
            parser=whole,
        ),
    ],
    "seed": Annotated[
        int | None,
        _option(
            "The simulated broker is the same for the same seed.",
            "--seed",
            metavar="S",
            parser=whole,
        ),
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
                metavar="S", parser=number),
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
    "log_json": Annotated[
        bool | None, _option("Log one JSON object a line. [RMS_LOG_JSON]", "--log-json")
    ],
}  # fmt: skip

SETTINGS = ("env_file",)
"""Of verbs that read only settings and `rms.toml`."""

DATABASE = ("mongodb", *SETTINGS)
"""Of verbs whose subject stands in MongoDB."""

ACCOUNTS = ("demo", "source", "accounts", "seed", "prices", *DATABASE)
"""Of verbs about accounts of one source."""

POLLS = ("interval", *ACCOUNTS)
"""Of verbs that poll a source."""

FLEET_SERVICE = ("interval", "log_json", *DATABASE)
SERVICE = ("log_json", *POLLS)
"""Of verbs that run until they are stopped: how they log is an option too."""


def takes(shown: Collection[str]) -> Verb:
    """Give a verb the shared options: it is called with one `shared: Given` argument instead.

    `shown` are those that its help lists. `--log-json` is nobody's but theirs who list it.
    """
    unknown = set(shown) - _SHARED.keys()
    assert not unknown, unknown
    options = {
        name: annotation if name in shown else _hidden(annotation)
        for name, annotation in _SHARED.items()
        if name in shown or name != "log_json"
    }

    def given(ctx: typer.Context, values: dict[str, Any]) -> Given:
        before = ctx.obj if isinstance(ctx.obj, Given) else Given()
        return Given(**values).over(before)

    return gathered("shared", options, given)


def _hidden(annotation: Any) -> Any:
    kind, option = get_args(annotation)
    option = copy(option)
    option.hidden = True
    return Annotated[kind, option]


def gathered(
    argument: str,
    options: Mapping[str, Any],
    made_of: Callable[[typer.Context, dict[str, Any]], Any],
) -> Verb:
    """Give a verb these options: it is called with one argument that is made of their values."""

    def decorated(verb: Callable[..., Any]) -> Callable[..., Any]:
        own = inspect.signature(verb, eval_str=True).parameters

        @functools.wraps(verb)
        def with_options(ctx: typer.Context, **given: Any) -> Any:
            values = {name: given.pop(name) for name in options}
            if "ctx" in own:
                given["ctx"] = ctx
            return verb(**{argument: made_of(ctx, values)}, **given)

        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            inspect.Parameter("ctx", keyword, annotation=typer.Context),
            *(p.replace(kind=keyword) for name, p in own.items() if name not in (argument, "ctx")),
            *(
                inspect.Parameter(name, keyword, default=None, annotation=annotation)
                for name, annotation in options.items()
            ),
        ]
        signed: Any = with_options
        signed.__signature__ = inspect.Signature(parameters)
        signed.__annotations__ = {p.name: p.annotation for p in parameters}
        return with_options

    return decorated
