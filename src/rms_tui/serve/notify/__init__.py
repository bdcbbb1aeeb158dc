"""Notifications: alerts to people elsewhere. No channel, however dead, delays anything else."""
