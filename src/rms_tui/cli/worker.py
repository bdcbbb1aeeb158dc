"""`worker`: one element on one instance, as its supervisor or a person asks."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from rms_tui.cli.exits import USAGE, end
from rms_tui.cli.log import begin_log
from rms_tui.fleet.exits import Exit
from rms_tui.fleet.orders import Orders
from rms_tui.fleet.worker import Errand, run
from rms_tui.settings import load
from rms_tui.wiring.fleet import host_of, means
from rms_tui.wiring.given import Given

_log = logging.getLogger("rms_tui.fleet")


def work(
    shared: Given, element: str, pathway: str, instance: str, term: int | None, host: str | None
) -> None:
    """Run until it is over; the exit status says how it ended."""
    orders = Orders()
    orders.from_signals()
    options: dict[str, Any] = {
        "RMS_UPDATE_INTERVAL": shared.interval,
        "RMS_MONGODB_URI": shared.mongodb,
    }
    if term is not None:  # of a supervisor: it tells the rest, and when to end, through the pipe
        options |= _told()
        orders.from_supervisor(sys.stdin)
    layers = load(options, env_file=shared.env_file)
    safe = "".join(sign if sign.isalnum() else "-" for sign in element)[:40]
    begin_log(layers.settings, on_console=term is None, name=f"worker-{safe}.log")
    errand = Errand(element, instance, pathway, host_of(layers.settings, host), term)
    _log.info("element %s on instance %s, term %s", element, instance, term)
    outcome = run(errand, means(layers), orders)
    unsaid = term is None or outcome.exit in (Exit.USAGE, Exit.DATABASE)
    if outcome.text is not None and unsaid:  # else the supervisor says it, from the element
        print(f"rms-tui: {outcome.text}", file=sys.stderr)
    good = outcome.exit is Exit.RELEASED
    _log.log(
        logging.INFO if good else logging.WARNING,
        "%s: %s", outcome.exit.name.lower(), outcome.text or "done",
    )  # fmt: skip
    sys.stderr.flush()
    raise SystemExit(int(outcome.exit))


def _told() -> dict[str, Any]:
    """The settings in the supervisor's first line."""
    line = sys.stdin.readline()
    if not line.strip():
        return {}
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        end(
            "--term is a supervisor's: expected its settings, a JSON object, as the first line of "
            "stdin; leave --term out to start a worker by hand",
            USAGE,
        )
    return found
