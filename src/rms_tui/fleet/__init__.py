"""Many terminals on many hosts: the supervisor of a host and the workers it launches."""
