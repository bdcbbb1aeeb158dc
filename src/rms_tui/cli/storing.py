"""The database of a one-shot verb."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rms_tui.cli.exits import NO_DATABASE, end
from rms_tui.settings import Settings
from rms_tui.wiring.storing import database_name, server

if TYPE_CHECKING:  # pymongo is imported when a verb really writes
    from rms_tui.store.database import Rms


@contextmanager
def database(settings: Settings) -> Iterator[Rms]:
    """The database for a one-shot verb; ends the verb with its status when there is none."""
    from rms_tui.store.database import connect, in_words
    from rms_tui.store.errors import StoreError

    place = server(settings)
    try:
        try:
            uri = place.uri(threading.Event())
            found = connect(uri, database_name(settings))
        except OSError as error:  # of the embedded one; an output that is full is not the database
            end(str(error), NO_DATABASE)
        try:
            with in_words(uri):
                yield found
        finally:
            found.client.close()
    except StoreError as error:
        end(error.text, NO_DATABASE)
    finally:
        place.release(0.5)
