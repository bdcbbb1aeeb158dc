"""Risk rules as pure functions over columns: no clock, no I/O, no threads."""
