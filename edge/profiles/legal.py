"""The highest legal power of an antenna port, from region, antenna and cable. Pure."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from edge.profiles.regions import Region

UNKNOWN_GAIN_DBI: Final = 9.0
"""Taken where nobody has said what antenna it is: as strong as is usual at doors, so that power errs downwards."""
UNKNOWN_CABLE_DB: Final = 0.0
_ROUNDING: Final = 1e-6

Polarisation = Literal["linear", "circular"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AntennaRadio:
    """What is known of an antenna and its cable; None for what isn't.

    Attributes:
        gain_dbi: its data sheet's gain, in dBi; of a circular antenna, in dBic.
        polarisation: as in its data sheet.
        cable_db: loss between the reader's connector and the antenna, in dB.
    """

    gain_dbi: float | None = None
    polarisation: Polarisation | None = None
    cable_db: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalPower:
    """The cap of one antenna port, and how it comes about.

    Attributes:
        cap_cdbm: most power to set on the reader, hundredths of dBm, rounded down.
        net_gain_db: the antenna's gain less the cable's loss: EIRP = conducted power + this.
        assumed: what had to be assumed, by the keys that would say it.
        why: the reckoning, in words.
    """

    cap_cdbm: int
    net_gain_db: float
    assumed: tuple[str, ...]
    why: str


def legal_power(region: Region, antenna: AntennaRadio) -> LegalPower:
    """Return the highest conducted power with which an antenna keeps the region's limits."""
    limits = region.limits
    gain_dbi = UNKNOWN_GAIN_DBI if antenna.gain_dbi is None else antenna.gain_dbi
    cable_db = UNKNOWN_CABLE_DB if antenna.cable_db is None else antenna.cable_db
    # Unknown polarisation counts as linear, which gets no allowance.
    allowance_db = limits.circular_allowance_db if antenna.polarisation == "circular" else 0.0
    radiated_dbm = limits.eirp_dbm + allowance_db - gain_dbi + cable_db
    conducted_dbm = math.inf if limits.conducted_max_dbm is None else limits.conducted_max_dbm
    cap_dbm = min(radiated_dbm, conducted_dbm)
    cap_cdbm = math.floor(cap_dbm * 100 + _ROUNDING)
    assumed = tuple(
        key for key, value in (("gain_dbi", antenna.gain_dbi), ("cable_db", antenna.cable_db)) if value is None
    )
    return LegalPower(
        cap_cdbm=cap_cdbm,
        net_gain_db=gain_dbi - cable_db,
        assumed=assumed,
        why=_reckoning(region, gain_dbi, cable_db, allowance_db, by_conducted=conducted_dbm <= radiated_dbm),
    )


def _reckoning(region: Region, gain_dbi: float, cable_db: float, allowance_db: float, *, by_conducted: bool) -> str:
    limits = region.limits
    if by_conducted:
        return f"{region.title} allows {limits.conducted_max_dbm:g} dBm at the reader's connector"
    allowance = f" + {allowance_db:g} for circular polarisation" if allowance_db else ""
    return (
        f"{region.title} allows {limits.radiated_dbm:g} dBm {limits.radiated_as.upper()}: {limits.eirp_dbm:g} EIRP"
        f"{allowance} - {gain_dbi:g} dBi antenna + {cable_db:g} dB cable"
    )
