"""Settings of serial readers, and the names of what stands on their control lines."""

from dataclasses import dataclass
from typing import Final, Literal

from edge.readers.model import GpiSettings

SerialProtocol = Literal["r200", "uhfreader18", "uhfreader288"]
AntennaPorts = Literal[1, 4, 8, 12, 16]

DEFAULT_BAUDS: Final = {"r200": 115_200, "uhfreader18": 57_600, "uhfreader288": 57_600}
LINE_NAMES: Final = {1: "CTS", 2: "DSR", 3: "DCD", 4: "RI"}
"""Control lines of a serial port that serve as inputs, by the number that `gpis` calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialSettings:
    """One serial reader.

    Attributes:
        id: name in configuration, events and health.
        serial: device, or a URL that pyserial opens (`rfc2217://host:port`, `socket://host:port`).
        protocol: what the reader speaks.
        baud: bits per second; None = what the protocol usually has.
        antennas: ports to inventory.
        antenna_ports: ports that a `uhfreader288` has: it decides what the antenna byte of a pushed tag means.
        tx_power_dbm: transmit power to set, in whole dBm rounded down where the reader has no finer ones; None leaves
            the reader's own.
        power_cap_cdbm: most power that is legal for all of its antennas; the power set, and the reader's own too, is
            held to it. None where no region is configured.
        region: name of the regulatory region, for people; None leaves the reader's own band and channels.
        channels_khz: the region's channels, of which those that the reader has are set.
        answer_timeout_s: longest wait for an answer before the question is asked again.
        backoff_base_s: the first retry waits between 0 and this; each further one up to twice as long.
        backoff_max_s: longest wait between two tries.
        gpis: control lines that a beam or door contact is wired to (see `LINE_NAMES`).
    """

    id: str
    serial: str
    protocol: SerialProtocol
    baud: int | None = None
    antennas: tuple[int, ...]
    antenna_ports: AntennaPorts = 4
    tx_power_dbm: float | None = None
    power_cap_cdbm: int | None = None
    region: str | None = None
    channels_khz: tuple[int, ...] = ()
    answer_timeout_s: float = 1.0
    backoff_base_s: float = 0.5
    backoff_max_s: float = 30.0
    gpis: tuple[GpiSettings, ...] = ()

    def wanted_cdbm(self, own_cdbm: int) -> int:
        """Return the power to have, where the reader's own is `own_cdbm`."""
        wanted = own_cdbm if self.tx_power_dbm is None else round(self.tx_power_dbm * 100)
        return wanted if self.power_cap_cdbm is None else min(wanted, self.power_cap_cdbm)

    @property
    def bauds(self) -> int:
        """Bits per second to open the line with."""
        return self.baud or DEFAULT_BAUDS[self.protocol]

    @property
    def address(self) -> str:
        """Device and speed, for people."""
        return f"{self.serial} ({self.bauds} baud)"
