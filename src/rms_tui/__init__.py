"""The risk desk of a MetaTrader 5 server in one terminal window."""

__version__ = "0.1.0"
