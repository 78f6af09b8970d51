"""What stands at an address that doesn't greet in LLRP: somebody who turns a wrong cable or port finds it by this."""

import asyncio
import ssl
from typing import Final

HTTP_QUESTION: Final = b"GET / HTTP/1.0\r\n\r\n"
GREETINGS: Final[dict[bytes, str]] = {
    b"HTTP/": "HTTP: it is a web page's port; LLRP's is 5084",
    b"SSH-": "SSH: it is a login port; LLRP's is 5084",
    b"220": "FTP or mail; LLRP's port is 5084",
    b"\xff\xfb": "Telnet; LLRP's port is 5084",
    b"\xff\xfd": "Telnet; LLRP's port is 5084",
}
_MOST_BYTES: Final = 64


async def what_speaks(host: str, port: int, *, timeout_s: float) -> str | None:
    """Return in words what speaks at a port; None where it keeps silent to all that is tried.

    Three connections, one after another: listening, a TLS handshake (nobody is trusted by it), an HTTP request.
    """
    heard = await _hear(host, port, b"", timeout_s)
    if not heard and await _speaks_tls(host, port, timeout_s):
        return "TLS: LLRP over TLS has the port 5085"
    heard = heard or await _hear(host, port, HTTP_QUESTION, timeout_s)
    for begin, words in GREETINGS.items():
        if heard.startswith(begin):
            return words
    return f"something that begins with {heard[:8].hex(' ')}" if heard else None


async def _hear(host: str, port: int, question: bytes, timeout_s: float) -> bytes:
    try:
        async with asyncio.timeout(timeout_s):
            stream, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question)
                return await stream.read(_MOST_BYTES)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError):
        return b""


async def _speaks_tls(host: str, port: int, timeout_s: float) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLError as error:
        # An alert is an answer in TLS, from one who wants other versions or a certificate of ours.
        return "ALERT" in (error.reason or "")
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True
