"""How a connection to a reader comes about: we dial it, or it dials us; plain, or over TLS."""

import asyncio
import ssl
from typing import Protocol

from edge.readers.errors import ReaderUnreachableError, ReaderUntrustedError
from edge.readers.link import Link
from edge.readers.model import ReaderSettings
from edge.readers.tls import broken_handshake_words, check_peer, client_context, handshake_words
from edge.readers.within import within


class Dialler(Protocol):
    """Gives a link its connection."""

    async def connect(self, link: Link) -> None:
        """Connect the link; `ReaderError` where that fails or takes too long."""
        ...


class TcpDialler:
    """Dials one reader."""

    def __init__(self, settings: ReaderSettings) -> None:
        self._settings = settings
        self._where = f"reader {settings.id} at {settings.address}"

    async def connect(self, link: Link) -> None:
        """Dial within the settings' time, handshake included, and check whom we have reached."""
        settings, tls = self._settings, self._settings.tls
        context = None if tls is None else client_context(tls)
        loop = asyncio.get_running_loop()
        try:
            async with within(settings.connect_timeout_s):
                transport, _ = await loop.create_connection(
                    lambda: link,
                    settings.host,
                    settings.tcp_port,
                    ssl=context,
                    server_hostname=settings.host if context is not None else None,
                )
        except TimeoutError:
            raise ReaderUnreachableError(
                f"{self._where} does not answer within {settings.connect_timeout_s:g} s: check power, cable and address"
            ) from None
        except ssl.SSLError as error:
            words = str(error) if tls is None else handshake_words(self._where, error, tls)
            raise ReaderUntrustedError(words) from error
        except OSError as error:
            if tls is not None and isinstance(error, ConnectionResetError | ConnectionAbortedError):
                raise ReaderUntrustedError(broken_handshake_words(self._where, tls)) from error
            raise ReaderUnreachableError(
                f"{self._where} can't be reached ({error.strerror or error}): check power, cable and address"
            ) from error
        if tls is not None:
            check_peer(self._where, tls, peer_certificate(transport))


def peer_certificate(transport: asyncio.BaseTransport) -> bytes | None:
    """Return the peer's certificate, DER."""
    found: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    return None if found is None else found.getpeercert(binary_form=True)
