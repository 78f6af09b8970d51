"""What power each configured antenna may legally get."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edge.config.devices import SerialReaderConfig
from edge.config.model import AntennaConfig, EdgeConfig, ReaderConfig
from edge.profiles import AntennaRadio, LegalPower, legal_power, region_named

RADIO_KEYS: Final = {"gain_dbi", "polarisation", "cable_db", "tx_power_dbm"}
"""Keys of an antenna that only its power depends on."""


@dataclass(frozen=True, slots=True)
class AntennaPower:
    """One antenna of a reader.

    Attributes:
        place: where it stands in the configuration.
        portal: id of its portal.
        port: port of the reader.
        asked_dbm: the lower of what the reader's and the antenna's own `tx_power_dbm` say; None where neither does.
        legal: what the region allows; None where the reader's region isn't configured.
    """

    place: str
    portal: str
    port: int
    asked_dbm: float | None
    legal: LegalPower | None


def antenna_powers(config: EdgeConfig, reader: ReaderConfig | SerialReaderConfig) -> Iterator[AntennaPower]:
    """Yield a reader's antennas in the order of the file."""
    region = None if reader.region is None else region_named(reader.region)
    for number, portal in enumerate(config.portals):
        for index, antenna in enumerate(portal.antennas):
            if antenna.reader == reader.id:
                legal = None if region is None else legal_power(region, _radio(antenna))
                asked_dbm = _lowest(reader.tx_power_dbm, antenna.tx_power_dbm)
                yield AntennaPower(f"portals[{number}].antennas[{index}]", portal.id, antenna.port, asked_dbm, legal)


def _lowest(*powers_dbm: float | None) -> float | None:
    return min((dbm for dbm in powers_dbm if dbm is not None), default=None)


def _radio(antenna: AntennaConfig) -> AntennaRadio:
    return AntennaRadio(gain_dbi=antenna.gain_dbi, polarisation=antenna.polarisation, cable_db=antenna.cable_db)
