"""The documentation says what the program does: its examples are run, its links and names hold.

`<!-- file: x.json -->` before a block puts it into the folder the page's examples run in;
`<!-- assess: x.json rule -->` before a table compares it with what `rms-tui assess` says;
`<!-- run -->` before a console block runs its `$ rms-tui …` lines (`…` stands for anything);
a python block is run unless `<!-- not run: why -->` stands before it.
"""

from __future__ import annotations

import inspect
import json
import re
import shlex
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from tests.api.scripts import DEMO, ROOT, ran
from typer.main import get_command

import rms_tui
from rms_tui.cli import app
from rms_tui.risk.profile import Rule
from rms_tui.risk.verdict import Reason, State
from rms_tui.serve import wire
from rms_tui.settings import load

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md"])
CLI = "import sys; from rms_tui.cli import main; main(sys.argv[1:])"

_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^>]*?) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_TABLE = re.compile(r"<!-- assess: (?P<file>\S+) (?P<rule>\w+) -->\n(?P<text>(?:^\|.*\n)+)", re.M)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page and the mark before it."""

    page: Path
    line: int
    kind: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in _BLOCK.finditer(text):
            line = text[: match.start("text")].count("\n") + 1
            found.append(Block(page, line, match["kind"], match["mark"] or "", match["text"]))
    return found


BLOCKS = blocks()
PYTHON = [one for one in BLOCKS if one.kind == "python" and not one.mark.startswith("not run")]
CONSOLE = [one for one in BLOCKS if one.kind == "console" and one.mark.startswith("run")]
TABLES = [
    pytest.param(page, match["file"], match["rule"], match["text"], id=f"{match['file']}")
    for page in PAGES
    for match in _TABLE.finditer(page.read_text("utf-8"))
]


def files_of(page: Path, folder: Path) -> None:
    """Put the files that a page shows into a folder."""
    for one in BLOCKS:
        if one.page == page and one.mark.startswith("file: "):
            (folder / one.mark.removeprefix("file: ").strip()).write_text(one.text, "utf-8")


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_a_python_example_runs(block: Block, tmp_path: Path) -> None:
    files_of(block.page, tmp_path)
    done = ran(block.text, folder=tmp_path, environ=DEMO)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_a_console_example_says_what_the_page_shows(block: Block, tmp_path: Path) -> None:
    files_of(block.page, tmp_path)
    status = re.search(r"status (\d)", block.mark)
    for command, shown in commands(block.text):
        words = shlex.split(command)
        assert words.pop(0) == "rms-tui"
        settings = {"RMS_DATA_DIR": str(tmp_path / "data")}
        done = ran(CLI, *words, folder=tmp_path, environ=settings)
        assert done.returncode == int(status[1] if status else 0), done.stderr
        assert like(shown, done.stdout + done.stderr), done.stdout + done.stderr


def commands(text: str) -> list[tuple[str, str]]:
    """Each command of a console block with what is shown after it."""
    pieces = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(first, rest) for first, _, rest in (piece.partition("\n") for piece in pieces)]


def like(shown: str, said: str) -> bool:
    """Whether what was said is what the page shows; `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in shown.strip().split("…"))
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None


def test_likeness_is_exact_but_for_the_dots() -> None:
    assert like("a … c\n", "a b c")
    assert like("…", "")
    assert not like("a c", "a b c")
    assert not like("a … c", "a b d")


@pytest.mark.parametrize(("page", "file", "rule", "text"), TABLES)
def test_a_worked_example_is_what_assess_says(
    page: Path, file: str, rule: str, text: str, tmp_path: Path
) -> None:
    files_of(page, tmp_path)
    done = ran(CLI, "assess", file, folder=tmp_path, environ={})
    assert done.returncode == 0, done.stderr
    said = [
        next(one for one in json.loads(line)["rules"] if one["rule"] == rule)
        for line in done.stdout.splitlines()
    ]
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")]
                      for line in text.strip().splitlines()]  # fmt: skip
    assert [int(row[0]) for row in body] == list(range(1, len(said) + 1))
    for row, one in zip(body, said, strict=True):
        for name, cell in list(zip(head, row, strict=True))[1:]:
            assert agrees(cell, one[name]), f"row {row[0]} {name}: {cell}, not {one[name]}"


def agrees(cell: str, value: object) -> bool:
    """A cell of a page beside a figure: as many decimals as the page shows."""
    if value is None or isinstance(value, str):
        return cell == ("n/a" if value is None else value)
    assert isinstance(value, (int, float))
    share = cell.endswith("%")
    text = cell.rstrip("% ").replace(" ", "").replace("−", "-")
    shown, decimals = float(text), len(text.partition(".")[2])
    return round(value * 100 if share else value, decimals) == shown


TYPED = re.compile(
    r"^(?:\s*|uv run |ExecStart=\S*/|nssm install rms-tui \S*)rms-tui(?:\.exe)? (?P<words>[^#\n]*)",
    re.MULTILINE,
)


def typed() -> list[Any]:
    """Every `rms-tui …` that a page has its reader type, or a service start."""
    return [
        pytest.param(match["words"].strip(), id=f"{one} {match['words'].strip()}")
        for one in BLOCKS
        if one.kind in ("sh", "bat", "powershell", "ini")
        for match in TYPED.finditer(one.text)
    ]


@pytest.mark.parametrize("words", typed())
def test_a_command_of_a_page_is_understood(words: str) -> None:
    group: Any = get_command(app)
    left = shlex.split(words.replace("\\", "\\\\"))
    while hasattr(group, "commands") and left and left[0] in group.commands:
        group = group.commands[left.pop(0)]
    assert group.make_context("rms-tui", left, allow_interspersed_args=True)


def test_each_request_is_on_the_websocket_page_and_its_json_is_one() -> None:
    page = (DOCS / "websocket.md").read_text("utf-8")
    assert [
        name for name in wire.MODELS if f"`{name}`" not in page and f'"{name}"' not in page
    ] == []
    asked = [one.text for one in BLOCKS if one.page.name == "websocket.md" and one.kind == "json"]
    assert [wire.request(text) for text in asked]


def test_the_settings_a_page_shows_can_be_used(tmp_path: Path) -> None:
    tables = re.compile(r"^\[+(?:profile|notify|assign)", re.MULTILINE)
    shown = [one for one in BLOCKS if one.kind == "toml" and tables.search(one.text)]
    assert len(shown) >= 2
    for one in shown:
        (tmp_path / "rms.toml").write_text(one.text, "utf-8")
        assert load(environ={"DESK_NOTIFY_URL": "json://127.0.0.1/"}, folder=tmp_path), str(one)


def test_every_metric_is_on_the_operations_page() -> None:
    page = (DOCS / "operations.md").read_text("utf-8")
    source = (ROOT / "src" / "rms_tui" / "serve" / "metrics.py").read_text("utf-8")
    named = set(re.findall(r'"(rms_\w+)"', source))
    assert len(named) > 15
    assert sorted(name for name in named if name not in page) == []


def test_there_are_examples_to_run() -> None:
    assert len(PYTHON) >= 8
    assert CONSOLE
    assert {param.values[2] for param in TABLES} == set(rule_names())


def rule_names() -> dict[str, type]:
    union, _ = get_args(Rule)
    return {get_args(kind.model_fields["rule"].annotation)[0]: kind for kind in get_args(union)}


def test_every_rule_has_a_section_with_all_its_keys() -> None:
    page = (DOCS / "rules.md").read_text("utf-8")
    common = page.partition("## Keys that every rule takes")[2].partition("\n## ")[0]
    for name, kind in rule_names().items():
        section = page.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
        assert section, name
        for key in kind.model_fields:
            assert f"`{key}`" in section or f"`{key}`" in common, f"{name}.{key}"


def test_every_state_and_reason_is_explained() -> None:
    page = (DOCS / "rules.md").read_text("utf-8")
    for word in (*(state.word for state in State), *(reason.name.lower() for reason in Reason)):
        assert f"`{word}`" in page, word


def test_everything_public_is_on_the_python_page() -> None:
    from rms_tui import Monitor, Rms

    page = (DOCS / "python.md").read_text("utf-8")
    for owner in (Monitor, Rms):
        for name, member in vars(owner).items():
            if name.startswith("_") or name in ("over", "monitor"):
                continue
            assert re.search(rf"\b{name}\b", page), f"{owner.__name__}.{name}"
            assert getattr(member, "__doc__", None), f"{owner.__name__}.{name}"


def test_everything_public_says_what_it_is() -> None:
    unsaid = []
    for name in set(rms_tui.__all__) - {"__version__"}:
        public = getattr(rms_tui, name)
        members = vars(public).items() if isinstance(public, type) else ()
        unsaid += [name] if not inspect.getdoc(public) else []
        unsaid += [
            f"{name}.{member}"
            for member, value in members
            if isinstance(value, property | types.FunctionType | classmethod)
            and not member.startswith("_")
            and not inspect.getdoc(value)
        ]
    assert unsaid == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
        if not (page.parent / target).exists():
            broken.append(target)
    headings = {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.M)
    }
    broken += [anchor for anchor in re.findall(r"\]\(#([^)]+)\)", text) if anchor not in headings]
    assert not broken


def test_the_index_names_every_page() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    for page in DOCS.glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index, page.name
