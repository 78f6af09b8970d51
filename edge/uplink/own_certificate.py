"""Our own certificate at the broker: loaded for each connection, watched for its successor, told when it runs out."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from structlog.typing import FilteringBoundLogger

from edge.uplink.errors import UplinkSettingsError
from edge.uplink.settings import UplinkSettings

# Whoever renews writes two files, one after the other, and expects to see the new one in use soon.
LOOK_S: Final = 2.0
# ACME clients renew 30 days before the end of 90: who is told at 14 has had two weeks of failures.
WARN_DAYS: Final = 14.0
TELL_AGAIN_S: Final = 86_400.0
DAY_S: Final = 86_400.0

Stamp = tuple[tuple[int, int, int], ...]
"""What shows that a file was replaced: time of change, size and place, for each file; empty where one is missing."""


def tls_context(settings: UplinkSettings) -> ssl.SSLContext:
    """Return what a connection under mqtts:// is made with.

    Raises:
        UplinkSettingsError: names the setting, the file and what is wrong with it.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UplinkSettingsError(f"ca_file {settings.ca_file}: {error}: give a file of PEM certificates") from error
    if settings.certificate_file is not None:
        try:
            # An empty password, so that a key with one is an error and no question on a terminal that isn't there.
            context.load_cert_chain(settings.certificate_file, settings.key_file, password="")
        except (OSError, ssl.SSLError, ValueError) as error:
            key = settings.key_file or "in the same file"
            raise UplinkSettingsError(
                f"certificate_file {settings.certificate_file} with key_file {key}: {error}: "
                "give a PEM certificate and its key, without a passphrase"
            ) from error
    return context


def runs_out(path: Path) -> datetime:
    """Return until when the first certificate of a PEM file holds; anything else raises `UplinkSettingsError`."""
    return holds(path)[1]


def holds(path: Path) -> tuple[datetime, datetime]:
    """Return from when until when the first certificate of a PEM file holds, as `runs_out`."""
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UplinkSettingsError(f"certificate_file {path}: {error}: give a PEM certificate") from error
    return found.not_valid_before_utc, found.not_valid_after_utc


@dataclass(slots=True)
class CertificateWatch:
    """Says when the files were replaced by a pair that fits, and tells a certificate's last days.

    Attributes:
        days_left: of the certificate on disk, below 0 once it has run out; None without one.
    """

    settings: UplinkSettings
    now_s: Callable[[], float]
    now_us: Callable[[], int]
    log: FilteringBoundLogger
    days_left: float | None = None
    _used: Stamp = ()
    _unfit: Stamp = ()
    _told: Stamp = ()
    _looked_s: float = field(default=float("-inf"))
    _told_s: float = field(default=float("-inf"))

    def connecting(self) -> None:
        """Take it that the files are used as they stand now."""
        self._used = self._stamp()
        self._note_days()

    def renewed(self) -> bool:
        """Tell whether other files stand there than the connection was made with, and can be used; cheap to ask."""
        if self.settings.certificate_file is None or self.now_s() - self._looked_s < LOOK_S:
            return False
        self._looked_s = self.now_s()
        self._note_days()
        stamp = self._stamp()
        if stamp in (self._used, self._unfit):
            return False
        try:
            tls_context(self.settings)
            problem, for_good = self._untimely(self.settings.certificate_file), False
        except UplinkSettingsError as error:
            problem, for_good = str(error), True
        if problem and stamp != self._told:
            self._told = stamp
            self.log.warning("new certificate can't be used: the connection stays as it is", problem=problem)
        if for_good:
            self._unfit = stamp
        return not problem

    def _untimely(self, file: Path) -> str:
        """Say why a certificate that fits its key must wait: no broker would take it, and the connection stands."""
        begins, ends = holds(file)
        now = datetime.fromtimestamp(self.now_us() / 1e6, UTC)
        if now < begins:
            return f"certificate_file {file}: holds from {begins:%Y-%m-%d %H:%M:%S} UTC on: it is taken then"
        return (
            f"certificate_file {file}: ran out at {ends:%Y-%m-%d %H:%M:%S} UTC: put a newer one" if now >= ends else ""
        )

    def _note_days(self) -> None:
        if self.settings.certificate_file is None:
            return
        try:
            left = runs_out(self.settings.certificate_file) - datetime.fromtimestamp(self.now_us() / 1e6, UTC)
        except UplinkSettingsError:
            return  # being replaced, or told where it is loaded
        self.days_left = left.total_seconds() / DAY_S
        if self.days_left < WARN_DAYS and self.now_s() - self._told_s >= TELL_AGAIN_S:
            self._told_s = self.now_s()
            self.log.warning(
                "certificate for the broker runs out: put a new certificate and key in the place of the old files",
                days_left=round(self.days_left, 1),
                file=str(self.settings.certificate_file),
            )

    def _stamp(self) -> Stamp:
        files = (self.settings.certificate_file, self.settings.key_file, self.settings.ca_file)
        try:
            seen = [path.stat() for path in files if path is not None]
        except OSError:
            return ()
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in seen)
