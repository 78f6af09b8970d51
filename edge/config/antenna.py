"""The settings of one antenna port, whatever it serves."""

from typing import Literal

from pydantic import Field

from edge.config.section import Section
from edge.config.wiring import Id
from edge.profiles.legal import Polarisation

Side = Literal["inside", "outside"]


class ZoneAntennaConfig(Section):
    """One antenna port that serves a zone."""

    reader: Id = Field(description="`id` of one of the `[[readers]]`.")
    port: int = Field(ge=1, le=65535, description="Antenna port of the reader, counted from 1.")
    gain_dbi: float | None = Field(
        default=None,
        ge=-20.0,
        le=20.0,
        description="Gain by its data sheet, dBi (dBic if circular); left out: 9, so that power errs downwards.",
    )
    polarisation: Polarisation | None = Field(
        default=None, description="Polarisation by its data sheet; left out: as linear, which gets no allowance."
    )
    cable_db: float | None = Field(
        default=None, ge=0.0, le=20.0, description="Loss of its cable and connectors, dB; left out: 0."
    )
    tx_power_dbm: float | None = Field(
        default=None,
        ge=0.0,
        le=36.0,
        description="Highest transmit power at this port, dBm, below the reader's own `tx_power_dbm` and what `region` "
        "allows; left out: these alone.",
    )


class AntennaConfig(ZoneAntennaConfig):
    """One antenna port that serves a portal."""

    side: Side | None = Field(
        default=None, description="Side of the doorway it faces; left out for the layout `single`."
    )
    doorway_cdbm: int | None = Field(
        default=None,
        ge=-12_000,
        le=0,
        description="How loud a tag carried through the doorway is here, 1/100 dBm; `stockgate-edge commission` "
        "measures and writes it; left out: not commissioned.",
    )
