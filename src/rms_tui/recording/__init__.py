"""Books on disk, in order and by time: written while a desk runs, read by replay and assess."""
