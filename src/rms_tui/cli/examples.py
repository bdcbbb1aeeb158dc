"""Examples at the end of each verb's `--help`, in one table: a verb without one stands out.

Imports nothing heavy, and runs nothing.
"""

from __future__ import annotations

import typer

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "start": (
        ("start", "every account the source shows, every 5 s"),
        ("start -i 2 -a 70123 -a 70124", "these two, every 2 s"),
        ("start --source manager --mongodb embedded", "a private MongoDB on this host"),
    ),
    "websocket": (
        ("websocket --demo", "a simulated broker on ws://127.0.0.1:8765; its page: http://"),
        ("websocket --host 0.0.0.0 --cert desk.pem --key desk.key", "with RMS_WS_TOKEN set"),
        ("websocket --schema", "what every message looks like"),
    ),
    "add": (
        ("add 70123", "one account"),
        ("add 70123 7000-7010 --json", "a list and a range; what happened to each"),
        ("add 70123 --force", "without asking the source whether it has it"),
    ),
    "remove": (("remove 70123", "stop watching it, on every console"),),
    "snapshot": (
        ("snapshot --demo", "a table of all accounts"),
        ("snapshot --login-id 70123 --json", "one, with positions and closed trades"),
    ),
    "exposure": (
        ("exposure --demo", "a table of all symbols"),
        ("exposure --symbol EURUSD --json", "one symbol"),
    ),
    "stats": (("stats --demo --json", "counts, risk states, health of the feed"),),
    "export": (
        ("export -o report.json", "stats, accounts with positions and trades, exposure"),
        ("export -o accounts.csv --force", "a row for each account, over an older file"),
        ("export -o held.csv --what positions", "or exposure, or alerts"),
        ("export -o report.dat --format json", "where the ending does not say it"),
    ),
    "alerts": (
        ("alerts --open", "those not over yet"),
        ("alerts --since 8h --rule daily_loss --json", "of the last shift"),
        ("alerts --operator ann", "those that ann acknowledged or snoozed"),
    ),
    "ack": (("ack a1b2c3d4e5f6 --note 'client called'", "in your name"),),
    "snooze": (("snooze a1b2c3d4e5f6 30m", "it rings again then if it is still bad"),),
    "evidence": (("evidence a1b2c3d4e5f6", "status 1 when the verdict differs"),),
    "notify": (("notify --test --channel desk", "send a test message through one channel"),),
    "assess": (
        ("assess timeline.json", "by the profile written in it"),
        ("assess timeline.json --profile ftmo-2step", "by a published one"),
        ("assess - < timeline.json", "from stdin"),
        ("assess --recording monday.rec", "what breached, and when"),
        ("assess --recording monday.rec --profile strict --json", "by other limits, for programs"),
    ),
    "base": (
        ("base 70123 --balance 5000 --equity 4900 --at 2026-03-02T00:00+01:00", "of that day"),
    ),
    "peak": (("peak 70123 --equity 104200", "its highest equity so far"),),
    "profiles list": (("profiles list", "of rms.toml, and the published presets"),),
    "profiles show": (("profiles show ftmo-2step", "rules, sources, published examples"),),
    "profiles check": (("profiles check other.toml", "before it is put in place"),),
    "profiles assign": (
        ("profiles assign 70123 7000-7010 ftmo-2step --initial-balance 100000", "a preset"),
        ("profiles assign 70123 --max-daily-loss 500", "limits of its own"),
        ("profiles assign 70123 none", "its group's limits again"),
    ),
    "element add": (
        ("element add 70123 Broker-Live --max-daily-loss 5%", "asks for the password"),
        ("element add 70123 Broker-Live < password.txt", "reads it from stdin"),
    ),
    "element edit": (("element edit 70123 --max-profit 900", "at once, while it is watched"),),
    "element remove": (("element remove 70123", "its terminal becomes free"),),
    "element show": (("element show 70123 --json", "everything but the password"),),
    "element list": (("element list --watch", "a live table until Ctrl-C"),),
    "instance add": (
        ("instance add C:\\MT5\\1\\terminal64.exe --portable", "a terminal of this host"),
    ),
    "instance remove": (("instance remove C:\\MT5\\1\\terminal64.exe", "if none is on it"),),
    "instance reset": (("instance reset C:\\MT5\\1\\terminal64.exe", "after it was FAULTY"),),
    "instance list": (("instance list --host desk-2 --json", "the terminals of one host"),),
    "secrets init": (("secrets init", "once, before the first password"),),
    "secrets rotate": (
        ("secrets rotate", "a new data key"),
        ("secrets rotate --master --prepare", "a new master key's file, to be copied first"),
    ),
    "secrets status": (("secrets status --json", "keys, age, and what cannot be read"),),
    "supervise": (("supervise --host desk-2", "under another name than the host's own"),),
    "worker": (
        ("worker --element-id E1 --pathway C:\\MT5\\1\\terminal64.exe --instance I1", "by hand"),
    ),
    "replay": (
        ("replay monday.rec --speed 10", "ten times as fast"),
        ("replay monday.rec --from 10m --snapshot", "all accounts as they were then, as JSON"),
    ),
    "keys": (("keys", "desk.add, a, Add accounts: what keys.toml may rebind"),),
    "doctor": (("doctor", "each line OK, WARN or FAIL with the way to mend it"),),
}
"""For each verb what may be typed after `rms-tui`, and what that does."""


def with_examples(app: typer.Typer, before: str = "") -> None:
    """Put its examples after the help of each verb that has no epilog of its own."""
    for command in app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "").replace("_", "-")
        lines = EXAMPLES.get(f"{before}{name}")
        if lines is not None and not command.epilog:
            command.epilog = _epilog(lines)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            with_examples(group.typer_instance, f"{before}{group.name} " if group.name else before)


def _epilog(lines: tuple[tuple[str, str], ...]) -> str:
    """One line each where it fits; `\\b` keeps them from being wrapped into a paragraph."""
    width = max(len(typed) for typed, _ in lines)
    if width > 50:
        shown = [f"  rms-tui {typed}\n      {does}" for typed, does in lines]
    else:
        shown = [f"  rms-tui {typed:{width}}  {does}" for typed, does in lines]
    return "\n".join(("\b", "Examples:", *shown))
