"""TLS with readers: certificates, mostly self-signed, are trusted by fingerprint or by the CA that signed them."""

import re
import ssl
from hashlib import sha256
from pathlib import Path
from typing import Final

from edge.readers.errors import ReaderUntrustedError
from edge.readers.model import TlsSettings

FINGERPRINT: Final = re.compile(r"sha256:[0-9a-f]{64}")
LEGACY_CIPHERS: Final = "DEFAULT:@SECLEVEL=0"
"""Old Octane firmware knows TLS 1.0 with CBC suites and 1024-bit keys only (device-rfid-llrp-go, issue 32)."""


def client_context(tls: TlsSettings) -> ssl.SSLContext:
    """Return the context to dial a reader with; the fingerprint is checked once it has answered (`check_peer`)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # With a pinned certificate its name says nothing more: readers' certificates seldom name the address dialled.
    context.check_hostname = tls.ca_file is not None and tls.fingerprint is None
    context.verify_mode = ssl.CERT_NONE if tls.ca_file is None else ssl.CERT_REQUIRED
    _load_ca(context, tls.ca_file)
    return _dated(context, tls)


def server_context(tls: TlsSettings) -> ssl.SSLContext:
    """Return the context for a reader that dials us; it is asked for a certificate where one is to be checked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if tls.certificate_file is None:
        raise ReaderUntrustedError("tls.certificate_file is missing: a reader that dials us wants to see a certificate")
    try:
        context.load_cert_chain(tls.certificate_file, tls.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ReaderUntrustedError(f"tls.certificate_file {tls.certificate_file}: can't be used: {error}") from error
    if tls.ca_file is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        _load_ca(context, tls.ca_file)
    return _dated(context, tls)


def try_files(tls: TlsSettings, *, listens: bool) -> None:
    """Load the certificates and keys that the settings name, before any reader is talked to.

    Raises:
        ReaderUntrustedError: begins with the setting and its file, and says why it can't be used.
    """
    _ = server_context(tls) if listens else client_context(tls)


def check_peer(where: str, tls: TlsSettings, certificate: bytes | None) -> None:
    """Refuse a peer whose certificate (DER) isn't the pinned one; the error prints what was seen.

    Raises:
        ReaderUntrustedError: with the fingerprint seen, and what to do about it.
    """
    if tls.fingerprint is None and tls.ca_file is not None:
        return
    if not certificate:
        raise ReaderUntrustedError(f"{where} shows no certificate: it can't be told from another device")
    seen = fingerprint(certificate)
    if tls.fingerprint is None:
        raise ReaderUntrustedError(
            f"{where} shows a certificate that nothing vouches for: compare {seen} with the reader's own page, "
            f'then write tls = {{ fingerprint = "{seen}" }}'
        )
    if seen != tls.fingerprint:
        raise ReaderUntrustedError(
            f"{where} shows the certificate {seen}, not the pinned {tls.fingerprint}: if the reader was replaced or "
            "got a new certificate, pin that one; if not, somebody stands in between"
        )


def fingerprint(certificate: bytes) -> str:
    """Return a certificate's fingerprint as it stands in configurations."""
    return f"sha256:{sha256(certificate).hexdigest()}"


def handshake_words(where: str, error: ssl.SSLError, tls: TlsSettings) -> str:
    """Say why a handshake failed, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"{where} shows a certificate that {tls.ca_file} doesn't vouch for ({error.verify_message}): "
            "give the CA that signed it, or pin it with tls.fingerprint"
        )
    words = (error.reason or str(error)).replace("_", " ").lower()
    hint = "" if tls.legacy else "; if its firmware is old, try legacy = true"
    if "wrong version number" in words or "record layer failure" in words:
        hint = ": it seems to speak without TLS there; the usual TLS port is 5085"
    return f"{where} fails in the TLS handshake ({words}){hint}"


def broken_handshake_words(where: str, tls: TlsSettings) -> str:
    """Say what to do about a reader that hangs up instead of agreeing on a cipher."""
    hint = "it may have no TLS on that port" if tls.legacy else "if its firmware is old, try legacy = true"
    return f"{where} fails in the TLS handshake (it closed the connection): {hint}"


def _load_ca(context: ssl.SSLContext, file: Path | None) -> None:
    if file is None:
        return
    try:
        context.load_verify_locations(file)
    except (OSError, ssl.SSLError) as error:
        raise ReaderUntrustedError(f"tls.ca_file {file}: can't be used: {error}") from error


def _dated(context: ssl.SSLContext, tls: TlsSettings) -> ssl.SSLContext:
    """Allow what old firmware has only where the settings say so."""
    if tls.legacy:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers(LEGACY_CIPHERS)
        context.options |= ssl.OP_LEGACY_SERVER_CONNECT if hasattr(ssl, "OP_LEGACY_SERVER_CONNECT") else 0x4
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
