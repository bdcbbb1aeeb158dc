"""`python -m rms_tui` is `rms-tui`."""

import signal

from rms_tui import stopping


def main() -> None:
    """Run `rms-tui` and exit with its status."""
    stopping.note()
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:  # Ctrl-C while imports run would print where in them it was
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from rms_tui.cli import main as rms_tui

    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    rms_tui()


if __name__ == "__main__":
    main()
