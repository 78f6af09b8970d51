"""What stands at an address that doesn't greet in LLRP: somebody who turns a wrong cable or port finds it by this."""

import asyncio
import ssl
from typing import Final

from edge.readers.tls import fingerprint
from edge.readers.within import within

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
    if not heard and (words := await _tls_words(host, port, timeout_s)) is not None:
        return words
    heard = heard or await _hear(host, port, HTTP_QUESTION, timeout_s)
    for begin, words in GREETINGS.items():
        if heard.startswith(begin):
            return words
    return f"something that begins with {heard[:8].hex(' ')}" if heard else None


async def _hear(host: str, port: int, question: bytes, timeout_s: float) -> bytes:
    try:
        async with within(timeout_s):
            stream, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question)
                return await stream.read(_MOST_BYTES)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError):
        return b""


async def _tls_words(host: str, port: int, timeout_s: float) -> str | None:
    """Say what shows itself in a TLS handshake; None where none does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with within(timeout_s):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLError as error:
        # An alert is an answer in TLS, from one who wants other versions or a certificate of ours.
        wants = "TLS and refuses ours (another version, or a certificate that we lack): "
        return f"{wants}set up [readers.tls], see `record --config`" if "ALERT" in (error.reason or "") else None
    except (OSError, TimeoutError):
        return None
    certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return f"TLS, which probe does not. {_how_to_trust(fingerprint(certificate))}" if certificate else "TLS"


def _how_to_trust(seen: str) -> str:
    return (
        f"Its certificate is {seen}: if that is what the reader's own page shows, write "
        f'tls = {{ fingerprint = "{seen}" }} for this reader in edge.toml, and read it by `run` or `record --config`'
    )
