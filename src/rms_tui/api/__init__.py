"""The public Python API; `rms_tui` exports it lazily. It starts nothing that nobody asked for."""
