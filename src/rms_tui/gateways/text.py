"""Text from MT5 made safe for JSON, terminals and the pipe, without changing what it says."""

from __future__ import annotations


def readable(text: str | bytes | None) -> str:
    """Text without lone surrogates (each becomes U+FFFD); fixed-width bytes end at the first NUL.

    MT5 strings are UTF-16 from C++ and may hold half a surrogate pair, which no encoder accepts.
    """
    if text is None:
        return ""
    if isinstance(text, bytes):
        return text.split(b"\0", 1)[0].decode("utf-8", "replace")
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
