"""Where rms.tcss is: inside the installed package, or at the top level of a checkout or sdist."""

from __future__ import annotations

from pathlib import Path


def stylesheet() -> Path:
    """The stylesheet's path. Raises FileNotFoundError with the places looked at."""
    package = Path(__file__).resolve().parents[1]
    places = (package / "rms.tcss", package.parents[1] / "rms.tcss")
    for place in places:
        if place.is_file():
            return place
    looked = " nor ".join(str(place) for place in places)
    raise FileNotFoundError(f"no stylesheet at {looked}: reinstall rms-tui")
