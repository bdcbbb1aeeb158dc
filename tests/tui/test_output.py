"""A terminal that is stopped or gone stops nothing but itself."""

from __future__ import annotations

import threading

from rms_tui.tui import output
from rms_tui.tui.output import Output


class Stopped:
    """A file that takes nothing until it is told to go on; keeps what it took."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.taken: list[str] = []

    def write(self, text: str) -> None:
        assert self.goes_on.wait(60)
        self.taken.append(text)

    def flush(self) -> None: ...


class Gone:
    def write(self, _text: str) -> None:
        raise OSError(5, "Input/output error")

    def flush(self) -> None: ...


def made(file, monkeypatch, patience=0.01):
    monkeypatch.setattr(output, "PATIENCE", patience)
    caught_up, gone = threading.Event(), threading.Event()
    thread = Output(caught_up.set, gone.set, file)
    thread.start()
    return thread, caught_up, gone


def test_texts_arrive_in_their_order(monkeypatch):
    file = Stopped()
    file.goes_on.set()
    thread, caught_up, gone = made(file, monkeypatch, patience=60)
    for number in range(100):
        thread.write(str(number))
    thread.stop()
    thread.join(60)
    assert file.taken == [str(number) for number in range(100)]
    assert not caught_up.is_set()
    assert not gone.is_set()


def test_a_stopped_terminal_is_not_waited_for_and_told_of_when_it_goes_on(monkeypatch):
    file = Stopped()
    thread, caught_up, _ = made(file, monkeypatch)
    for number in range(200):
        thread.write(str(number))
    assert not caught_up.is_set()
    file.goes_on.set()
    assert caught_up.wait(60)
    first = len(file.taken)
    assert file.taken == [str(number) for number in range(first)]
    assert first < 200
    thread.write("again")
    thread.stop()
    thread.join(60)
    assert file.taken[-1] == "again"


def test_the_end_does_not_wait_for_a_stopped_terminal(monkeypatch):
    file = Stopped()
    thread, _, _ = made(file, monkeypatch)
    for number in range(50):
        thread.write(str(number))
    thread.stop()
    assert thread.is_alive(), "left behind"
    file.goes_on.set()


def test_a_terminal_that_is_gone_is_told_once_and_nothing_waits_for_it(monkeypatch):
    thread, _, gone = made(Gone(), monkeypatch, patience=60)
    thread.write("x")
    assert gone.wait(60)
    for number in range(200):
        thread.write(str(number))
    thread.stop()
    assert not thread.is_alive()
