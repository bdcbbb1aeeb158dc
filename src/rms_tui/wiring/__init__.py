"""From settings to running parts, for the shell and for Python; it never prints and never exits."""
