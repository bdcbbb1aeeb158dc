"""stub"""

from dataclasses import dataclass
from collections.abc import Mapping
from pathlib import Path
from rms_tui.book import Floats


@dataclass(frozen=True, slots=True)
class Series:
    time: Floats
    bid: Floats
    ask: Floats
    digits: int


def read_prices(folder: Path, digits: Mapping[str, int] = {}) -> dict[str, Series]:
    return {}
