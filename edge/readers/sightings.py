"""Tag reads of readers that don't speak LLRP, and the same columns for them that LLRP reports fill."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from edge.llrp import TagBatch
from edge.llrp.batch import EPC_BYTES, NO_CHANNEL, NO_PHASE, NO_RSSI_CDBM, NO_TIME_US

PHASE_STEPS: Final = 4096
"""A batch's steps for one turn of phase."""
_RSSI_LIMIT_CDBM: Final = 32767


class Sighting(NamedTuple):
    """One tag report.

    Attributes:
        epc: the EPC's bytes, 1 to 62 of them.
        antenna: antenna port from 1; 0 where the reader doesn't say.
        rssi_cdbm: hundredths of dBm, or of the reader's own steps where these are no dBm; None where absent.
        phase_deg: phase in degrees, any number of turns; None where absent.
        frequency_khz: carrier frequency; None where absent.
        last_us: reader's UTC microseconds; None where the reader has no clock.
        reads: reads that this report stands for.
    """

    epc: bytes
    antenna: int = 0
    rssi_cdbm: int | None = None
    phase_deg: float | None = None
    frequency_khz: int | None = None
    last_us: int | None = None
    reads: int = 1


class Channels:
    """Numbers carrier frequencies from 1 in the order of their first use; windows only ask which are the same.

    Dense numbers matter: the windows' memory of phases is indexed by channel modulo 64.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}

    def number(self, frequency_khz: int | None) -> int:
        """Return the frequency's number, `NO_CHANNEL` for None."""
        if frequency_khz is None:
            return NO_CHANNEL
        return self._numbers.setdefault(frequency_khz, len(self._numbers) + 1)


def to_batch(sightings: Sequence[Sighting], channels: Channels | None = None) -> TagBatch:
    """Return sightings as columns, in their order.

    Args:
        sightings: what was read.
        channels: the connection's numbering; without one no read has a channel.
    """
    numbers = channels or Channels()
    rows = len(sightings)
    no_times = np.full(rows, NO_TIME_US, np.int64)
    epcs = b"".join(sighting.epc.ljust(EPC_BYTES, b"\0") for sighting in sightings)
    return TagBatch(
        epc=np.frombuffer(bytearray(epcs), np.uint8).reshape(rows, EPC_BYTES),
        epc_bits=np.array([8 * len(sighting.epc) for sighting in sightings], np.uint16),
        antenna=np.array([sighting.antenna for sighting in sightings], np.uint16),
        rssi_cdbm=np.array([_rssi(sighting.rssi_cdbm) for sighting in sightings], np.int16),
        phase=np.array([_phase(sighting.phase_deg) for sighting in sightings], np.int16),
        channel=np.array(
            [NO_CHANNEL if channels is None else numbers.number(sighting.frequency_khz) for sighting in sightings],
            np.uint16,
        ),
        first_us=no_times,
        last_us=np.array([_time(sighting.last_us) for sighting in sightings], np.int64),
        first_uptime_us=no_times,
        last_uptime_us=no_times,
        seen_count=np.array([sighting.reads for sighting in sightings], np.uint16),
        rospec_id=np.zeros(rows, np.uint32),
        message=np.zeros(rows, np.int32),
    )


def _rssi(cdbm: int | None) -> int:
    return NO_RSSI_CDBM if cdbm is None else max(-_RSSI_LIMIT_CDBM, min(_RSSI_LIMIT_CDBM, cdbm))


def _phase(degrees: float | None) -> int:
    return NO_PHASE if degrees is None else round(degrees / 360.0 * PHASE_STEPS) % PHASE_STEPS


def _time(at_us: int | None) -> int:
    return NO_TIME_US if at_us is None else at_us
