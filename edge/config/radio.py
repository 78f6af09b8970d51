"""What power each configured antenna may legally get."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edge.config.antenna import ZoneAntennaConfig
from edge.config.devices import SerialReaderConfig
from edge.config.model import EdgeConfig, ReaderConfig
from edge.profiles import AntennaRadio, LegalPower, legal_power, region_named

RADIO_KEYS: Final = {"gain_dbi", "polarisation", "cable_db", "tx_power_dbm"}
"""Keys of an antenna that only its power depends on."""


@dataclass(frozen=True, slots=True)
class AntennaPower:
    """One antenna of a reader.

    Attributes:
        place: where it stands in the configuration.
        serves: id of its portal or zone.
        port: port of the reader.
        asked_dbm: the lower of what the reader's and the antenna's own `tx_power_dbm` say; None where neither does.
        legal: what the region allows; None where the reader's region isn't configured.
    """

    place: str
    serves: str
    port: int
    asked_dbm: float | None
    legal: LegalPower | None


def antenna_powers(config: EdgeConfig, reader: ReaderConfig | SerialReaderConfig) -> Iterator[AntennaPower]:
    """Yield a reader's antennas in the order of the file."""
    region = None if reader.region is None else region_named(reader.region)
    for place, serves, antenna in serving_antennas(config):
        if antenna.reader == reader.id:
            legal = None if region is None else legal_power(region, _radio(antenna))
            asked_dbm = _lowest(reader.tx_power_dbm, antenna.tx_power_dbm)
            yield AntennaPower(place, serves, antenna.port, asked_dbm, legal)


def serving_antennas(config: EdgeConfig) -> Iterator[tuple[str, str, ZoneAntennaConfig]]:
    """Yield each antenna of portals and zones: where it stands in the file, what it serves, and itself."""
    for number, portal in enumerate(config.portals):
        for index, antenna in enumerate(portal.antennas):
            yield f"portals[{number}].antennas[{index}]", portal.id, antenna
    for number, zone in enumerate(config.zones):
        for index, one in enumerate(zone.antennas):
            yield f"zones[{number}].antennas[{index}]", zone.id, one


def _lowest(*powers_dbm: float | None) -> float | None:
    return min((dbm for dbm in powers_dbm if dbm is not None), default=None)


def _radio(antenna: ZoneAntennaConfig) -> AntennaRadio:
    return AntennaRadio(gain_dbi=antenna.gain_dbi, polarisation=antenna.polarisation, cable_db=antenna.cable_db)
