"""`python -m rms_tui` is `rms-tui`."""

from rms_tui.cli import main

if __name__ == "__main__":
    main()
