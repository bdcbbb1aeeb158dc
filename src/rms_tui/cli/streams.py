"""Standard streams that are always there, and one line where output cannot be written."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rms_tui.cli.exits import FAILED, INTERRUPTED, end

UNWRITABLE = frozenset({errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT, errno.EBADF})
"""How the system says that a file or a device does not take what is written to it."""


@contextmanager
def standard_streams() -> Iterator[None]:
    """Run a verb inside: nothing it prints, and no Ctrl-C, ends in a stack trace."""
    _open_closed()
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except OSError as error:
        if error.filename is not None or error.errno not in {*UNWRITABLE, errno.EPIPE}:
            raise
        _drop_output()
        if error.errno == errno.EPIPE:
            raise SystemExit(FAILED) from None
        end(f"the output cannot be written: {error.strerror}", FAILED)


def _open_closed() -> None:
    """Have 0, 1 and 2 lead nowhere where a caller closed them, or the next file is one of them."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    nowhere: dict[str, object] = {
        name: open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115  (lives as long as we)
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
        if getattr(sys, name) is None
    }
    for name, stream in nowhere.items():
        setattr(sys, name, stream)


def _drop_output() -> None:
    """What is still buffered would fail again when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
