"""Our own certificate at the broker: its files, read into memory, and the TLS that a connection is made with."""

import os
import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from edge.uplink.errors import UplinkSettingsError
from edge.uplink.settings import UplinkSettings

DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key as their files had them; `key` is empty where it stands in the certificate's file."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(slots=True)
class KeptPair:
    """The last pair over which a connection stood: in memory only, for as long as the process lives."""

    _of: tuple[Path | None, Path | None] = (None, None)
    _pair: Pair | None = None

    def keep(self, settings: UplinkSettings, pair: Pair | None) -> None:
        """Keep it; only Linux can load it again without writing a key to a disk."""
        self._of = settings.certificate_file, settings.key_file
        self._pair = pair if sys.platform == "linux" else None

    def pair(self, settings: UplinkSettings) -> Pair | None:
        """Return it, if it came from the files that these settings name."""
        return self._pair if self._of == (settings.certificate_file, settings.key_file) else None


def read_pair(settings: UplinkSettings) -> Pair | None:
    """Return what stands in our files, unchecked; None without a certificate; `UplinkSettingsError` if unreadable."""
    if settings.certificate_file is None:
        return None
    try:
        key = b"" if settings.key_file is None else settings.key_file.read_bytes()
        return Pair(settings.certificate_file.read_bytes(), key)
    except OSError as error:
        raise _unusable(settings, error) from error


def tls_context(settings: UplinkSettings, pair: Pair | None = None) -> ssl.SSLContext:
    """Return what a connection under mqtts:// is made with: `pair`, or what stands in our files.

    Whom we believe is always what `ca_file` says now.

    Raises:
        UplinkSettingsError: names the setting, the file and what is wrong with it.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UplinkSettingsError(f"ca_file {settings.ca_file}: {error}: give a file of PEM certificates") from error
    if settings.certificate_file is not None:
        try:
            with _files(settings, pair) as (certificate, key):
                # An empty password, so that a key with one is an error and no question on a terminal that isn't there.
                context.load_cert_chain(certificate, key, password="")
        except (OSError, ssl.SSLError, ValueError) as error:
            raise _unusable(settings, error) from error
    return context


def runs_out(path: Path) -> datetime:
    """Return until when the first certificate of a PEM file holds; anything else raises `UplinkSettingsError`."""
    try:
        return holds(path.read_bytes(), path)[1]
    except OSError as error:
        raise UplinkSettingsError(f"certificate_file {path}: {error}: give a PEM certificate") from error


def holds(text: bytes, path: Path | None) -> tuple[datetime, datetime]:
    """Return from when until when the first certificate of a PEM text holds, as `runs_out`."""
    try:
        found = x509.load_pem_x509_certificate(text)
    except ValueError as error:
        raise UplinkSettingsError(f"certificate_file {path}: {error}: give a PEM certificate") from error
    return found.not_valid_before_utc, found.not_valid_after_utc


def untimely(text: bytes, path: Path | None, now_us: int) -> str:
    """Say why a certificate that fits its key must wait: no broker would take it."""
    begins, ends = holds(text, path)
    now = datetime.fromtimestamp(now_us / 1e6, UTC)
    if now < begins:
        return f"certificate_file {path}: holds from {begins:%Y-%m-%d %H:%M:%S} UTC on: it is taken then"
    return f"certificate_file {path}: ran out at {ends:%Y-%m-%d %H:%M:%S} UTC: put a newer one" if now >= ends else ""


@contextmanager
def _files(settings: UplinkSettings, pair: Pair | None) -> Iterator[tuple[str, str | None]]:
    """Give names of files with the pair: ours, or such as exist in memory alone, since `ssl` takes nothing else."""
    if pair is None or sys.platform != "linux":
        yield str(settings.certificate_file), None if settings.key_file is None else str(settings.key_file)
        return
    with ExitStack() as stack:
        names = []
        for text in (pair.certificate, pair.key):
            file = stack.enter_context(os.fdopen(os.memfd_create("pair"), "wb"))
            file.write(text)
            file.flush()
            names.append(f"/proc/self/fd/{file.fileno()}")
        yield names[0], names[1] if settings.key_file is not None else None


def _unusable(settings: UplinkSettings, error: Exception) -> UplinkSettingsError:
    key = settings.key_file or "in the same file"
    return UplinkSettingsError(
        f"certificate_file {settings.certificate_file} with key_file {key}: {error}: "
        "give a PEM certificate and its key, without a passphrase"
    )
