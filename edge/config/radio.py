"""What power each configured antenna may legally get."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edge.config.devices import SerialReaderConfig
from edge.config.model import AntennaConfig, EdgeConfig, ReaderConfig
from edge.profiles import AntennaRadio, LegalPower, legal_power, region_named

RADIO_KEYS: Final = {"gain_dbi", "polarisation", "cable_db"}
"""Keys of an antenna that only its power depends on."""


@dataclass(frozen=True, slots=True)
class AntennaPower:
    """One antenna of a reader.

    Attributes:
        place: where it stands in the configuration.
        portal: id of its portal.
        port: port of the reader.
        legal: what the region allows; None where the reader's region isn't configured.
    """

    place: str
    portal: str
    port: int
    legal: LegalPower | None


def antenna_powers(config: EdgeConfig, reader: ReaderConfig | SerialReaderConfig) -> Iterator[AntennaPower]:
    """Yield a reader's antennas in the order of the file."""
    region = None if reader.region is None else region_named(reader.region)
    for number, portal in enumerate(config.portals):
        for index, antenna in enumerate(portal.antennas):
            if antenna.reader == reader.id:
                legal = None if region is None else legal_power(region, _radio(antenna))
                yield AntennaPower(f"portals[{number}].antennas[{index}]", portal.id, antenna.port, legal)


def _radio(antenna: AntennaConfig) -> AntennaRadio:
    return AntennaRadio(gain_dbi=antenna.gain_dbi, polarisation=antenna.polarisation, cable_db=antenna.cable_db)
