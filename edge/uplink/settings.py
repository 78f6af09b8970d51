"""Knobs of the uplink, and what a broker's URL says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from edge.uplink.errors import UplinkSettingsError

DEFAULT_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class BrokerAddress(NamedTuple):
    """Where the broker listens, and whether it speaks TLS."""

    host: str
    port: int
    tls: bool


def parse_url(url: str) -> BrokerAddress:
    """Return what `mqtt://host[:port]` or `mqtts://host[:port]` says; anything else raises `UplinkSettingsError`."""
    example = "write it like mqtts://broker.example:8883"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UplinkSettingsError(f"broker URL {url!r}: {error}: {example}") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise UplinkSettingsError(f"broker URL {url!r} begins with neither mqtt:// nor mqtts://: {example}")
    if parts.username is not None or parts.password is not None:
        raise UplinkSettingsError("broker URL holds a user or password: put them into username and password_file")
    if not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment or port == 0:
        raise UplinkSettingsError(f"broker URL {url!r} is no host and port: {example}")
    return BrokerAddress(parts.hostname, port or DEFAULT_PORTS[parts.scheme], parts.scheme == "mqtts")


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkSettings:
    """How to reach the broker and how hard to try; every time in seconds."""

    url: str
    username: str | None = None
    password_file: Path | None = None  # its first line is the password; read at every connection
    ca_file: Path | None = None  # certificates to trust under mqtts://; the system's where None
    certificate_file: Path | None = None  # ours, for a broker that asks for one; PEM, read at every connection
    key_file: Path | None = None  # its key; None where it stands in the same file
    keepalive_s: int = 15
    connect_timeout_s: float = 10.0  # for TCP, TLS, CONNACK and SUBACK together: a refused certificate shows as silence
    ack_timeout_s: float = 20.0  # a broker that takes nothing for so long is left and dialled again
    reconnect_first_s: float = 0.25  # full-jitter backoff: a random wait up to this, doubled for each failure
    reconnect_max_s: float = 15.0
    max_inflight: int = 100  # 1,000 was measured to be slower
    linger_s: float = 0.02  # rows that come together travel together; an alarm waits no longer than this
    watermark_wait_s: float = 2.0  # after connecting, for the retained watermark; a new gateway has none
    resend_after_s: float = 5.0  # without progress of the watermark; doubled up to resend_max_s while none comes
    resend_max_s: float = 30.0
    alarm_fresh_s: float = 300.0  # older alarms are late for the central, so they keep their turn in the backlog
    drain_s: float = 5.0  # at an orderly stop, for the watermark to cover what was written

    def __post_init__(self) -> None:
        """Refuse what can't work before anything is dialled."""
        parse_url(self.url)
        if self.password_file is not None and self.username is None:
            raise UplinkSettingsError("password_file is set but username is not: set both or neither")
        if self.key_file is not None and self.certificate_file is None:
            raise UplinkSettingsError("key_file is set but certificate_file is not: set both or neither")
        if self.certificate_file is not None and not parse_url(self.url).tls:
            raise UplinkSettingsError("certificate_file is set but url begins with mqtt://: write mqtts://")

    def password(self) -> str | None:
        """Return the password, or None where none is set."""
        if self.password_file is None:
            return None
        try:
            text = self.password_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UplinkSettingsError(
                f"password_file {self.password_file}: {error}: give a readable text file"
            ) from None
        if not (first := text.split("\n", 1)[0].strip("\r")):
            raise UplinkSettingsError(
                f"password_file {self.password_file}: its first line is empty: put the password there"
            )
        return first
