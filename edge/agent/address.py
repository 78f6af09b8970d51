"""`HOST`, `HOST:PORT`, `[IPV6]` and `[IPV6]:PORT` on command lines."""

from typing import Final

LLRP_PORT: Final = 5084
LAST_PORT: Final = 65535


class AddressError(ValueError):
    """An address can't be used; the message says how to write one."""


def parse_address(text: str) -> tuple[str, int | None]:
    """Return host and port; None where no port is given."""
    if "/" in text:
        inner = text.partition("://")[2] or text
        raise AddressError(f"{text!r}: a URL or path is no address: write the host alone, {inner.partition('/')[0]}")
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = text, ""
    host = host.removeprefix("[").removesuffix("]")
    if not host or host.startswith("-") or any(character.isspace() for character in host):
        raise AddressError(f"{text!r}: write it like 192.0.2.10, reader.example:5084 or [2001:db8::10]:5084")
    if not port and not text.endswith(":"):
        return host, None
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= LAST_PORT):
        raise AddressError(f"{text!r}: a port is a number from 1 to {LAST_PORT}, for instance {host}:{LLRP_PORT}")
    return host, int(port)
