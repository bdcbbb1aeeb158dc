"""A process that uses the embedded mongod until its stdin says a word or closes."""

import sys
import threading
from pathlib import Path

from rms_tui.store.embedded import Embedded

embedded = Embedded(Path(sys.argv[1]))
print(embedded.uri(threading.Event()), flush=True)
sys.stdin.readline()
embedded.release()
