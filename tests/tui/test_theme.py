"""Colours of themes and terminals: what is muted is weaker, and nothing is ever invisible."""

from __future__ import annotations

import pytest
from tests.consoles import Bench
from textual.color import Color
from textual.theme import Theme

from rms_tui.tui.screens.first_run import FirstRunApp
from rms_tui.tui.theme import OWN, ThemedApp


async def inks(app: ThemedApp[None]) -> set[tuple[str, str]]:
    """Each pair of foreground and background that the terminal is sent."""
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        return {
            (str(style.color and style.color.name), str(style.bgcolor and style.bgcolor.name))
            for strip in app.screen._compositor.render_strips()
            for _, style, _ in strip
            if style is not None
        }


def contrast(one: Color, other: Color) -> float:
    """WCAG's ratio."""

    def light(color: Color) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                 for part in color.normalized]  # fmt: skip
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    darker, lighter = sorted((light(one), light(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["ansi-dark", "desk-dark", "desk-light"])
async def test_without_colours_nothing_is_written_in_its_own_background(
    monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    bench = Bench(theme=theme)
    bench.step()
    for app in (bench.app, FirstRunApp(theme)):
        found = await inks(app)  # type: ignore[arg-type]
        assert all(front != behind for front, behind in found - {("default", "default")})
        if theme == "ansi-dark":
            assert found == {("default", "default")}


@pytest.mark.parametrize("theme", OWN, ids=[theme.name for theme in OWN])
def test_muted_words_are_weaker_than_others_and_readable(theme: Theme) -> None:
    made = theme.to_color_system().generate()
    muted, front = (Color.parse(made[name]) for name in ("text-muted", "foreground"))
    for behind in (Color.parse(made["background"]), Color.parse(made["panel"])):
        assert 4.5 <= contrast(muted, behind) < contrast(front, behind)
