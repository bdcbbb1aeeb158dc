"""Screens and dialogs of the console, one a file."""
