"""The columnar batch that the report decoder fills and `windows` reads: no object per tag."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

EPC_BYTES: Final = 62
"""Widest EPC a batch can hold (496 bits)."""

NO_TIME_US: Final = -1
"""`first_us`/`last_us`/`..._uptime_us` where the reader sent no such parameter."""
NO_RSSI_CDBM: Final = -32768
NO_PHASE: Final = -1
NO_CHANNEL: Final = 0


@dataclass(slots=True, eq=False)
class TagBatch:
    """`n` tag reports as columns, in wire order; who gets one doesn't change it.

    Not frozen: thirteen guarded assignments would cost a batch of one tag more than the decoding of it.

    Attributes:
        epc: (n, 62) uint8, zero padded to the right of `epc_bits`.
        epc_bits: (n,) uint16, EPC length in bits.
        antenna: (n,) uint16, LLRP antenna port from 1; 0 where unknown.
        rssi_cdbm: (n,) int16, hundredths of dBm; `NO_RSSI_CDBM` where absent.
        phase: (n,) int16, 12-bit steps (4096 = one turn); `NO_PHASE` where absent.
        channel: (n,) uint16, channel index from 1; `NO_CHANNEL` where absent.
        first_us, last_us: (n,) int64, reader's UTC microseconds; `NO_TIME_US` where absent.
        first_uptime_us, last_uptime_us: (n,) int64, reader's microseconds since boot; `NO_TIME_US` where absent.
        seen_count: (n,) uint16, reads that this report stands for (1 where absent).
        rospec_id: (n,) uint32, 0 where absent.
        message: (n,) int32, index of the message in the chunk that the report stood in.
    """

    epc: NDArray[np.uint8]
    epc_bits: NDArray[np.uint16]
    antenna: NDArray[np.uint16]
    rssi_cdbm: NDArray[np.int16]
    phase: NDArray[np.int16]
    channel: NDArray[np.uint16]
    first_us: NDArray[np.int64]
    last_us: NDArray[np.int64]
    first_uptime_us: NDArray[np.int64]
    last_uptime_us: NDArray[np.int64]
    seen_count: NDArray[np.uint16]
    rospec_id: NDArray[np.uint32]
    message: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.epc_bits)
