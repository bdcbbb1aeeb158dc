"""A rotation that is killed after so many of its steps: URI DATABASE FILE data|master STEPS."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from rms_tui.store import rotation
from rms_tui.store.database import connect


def main() -> None:
    uri, name, file, what, count = sys.argv[1:]
    database = connect(uri, name)
    if what == "data":
        steps = rotation.change_data_key(database, Path(file))
    else:
        steps = rotation.change_master(database, Path(file), "ann@desk")
    for done, said in enumerate(steps, 1):
        print(said, flush=True)
        if done == int(count):
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
