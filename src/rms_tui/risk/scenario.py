"""A saved question: symbols and currencies that move together, and by how many percent each.

The keys are those of `[[scenarios]]` in `rms.toml`. What a name is, is asked of the book it is laid
over (`rms_tui.risk.stress.laid`): the file may be written before a symbol is there.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from rms_tui.risk.written import Frozen, Number

Named = Annotated[str, Field(min_length=1, max_length=40)]
Percent = Annotated[Number, Field(gt=-100, lt=100)]
"""Below 100 either way, so that the reverse of it is a move too."""

MOST_MOVES = 64


class Scenario(Frozen):
    """A name, and what moves by how many percent."""

    name: Named
    moves: Annotated[dict[Named, Percent], Field(min_length=1, max_length=MOST_MOVES)]

    @field_validator("name")
    @classmethod
    def _not_blank(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("expected a name")
        return name

    @field_validator("moves")
    @classmethod
    def _each_moves(cls, moves: dict[str, float]) -> dict[str, float]:
        still = [name for name, percent in moves.items() if percent == 0]
        if still:
            raise ValueError(f"{still[0]}: expected a percentage other than 0, or no such key")
        return moves
