"""The Python API: `Monitor`, and RMS's facade over it."""
