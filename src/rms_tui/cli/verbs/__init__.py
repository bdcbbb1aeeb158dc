"""What `rms-tui` understands, a file a topic: options and words only, nothing heavy."""
