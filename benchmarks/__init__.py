"""Every performance claim of the project, each beside its baseline from the same run."""
