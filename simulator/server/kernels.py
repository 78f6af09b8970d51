"""Columns of reads to tag reports and whole messages, compiled; `reports.ReportEncoder` is the definition.

LLRP 1.0.1, 13.2.3 and 15.2. Numbers stand here as literals with their names beside them, as a kernel takes no globals.
"""

# ruff: noqa: PLR2004, PLR0917, D417 - literals of the standard's tables; columns by place, as a compiled call wants them

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Longs = NDArray[np.int64]

FIXED_BYTES: Final = 128
"""More than all of a tag report takes beside its EPC."""
HEADER_BYTES: Final = 10
REPORTS: Final = (
    "int64(uint8[:,:], int64[:], int64[:], int64[:], int64[:], int64[:], int64[:], int64[:], int64[:], int64[:], "
    "uint8[::1], int64, int64, boolean, uint8[::1], int64[::1])"
)
MESSAGES: Final = "int64(uint8[::1], int64[::1], int64, int64, uint8[::1], int64[::1])"


@njit("int64(uint8[::1], int64, int64, int64)", cache=True, inline="always")
def _put(out: Bytes, at: int, value: int, size: int) -> int:
    """Write the low bytes of a value, the first one highest; return where it ends."""
    for place in range(size):
        out[at + place] = (value >> (8 * (size - 1 - place))) & 0xFF
    return at + size


@njit("int64(uint8[::1], int64, int64, int64)", cache=True, inline="always")
def _custom(out: Bytes, at: int, subtype: int, value: int) -> int:
    """Write one of Impinj's parameters of 16 bits: type 1023, 14 bytes, vendor 25882."""
    at = _put(out, at, 1023, 2)
    at = _put(out, at, 14, 2)
    at = _put(out, at, 25882, 4)
    at = _put(out, at, subtype, 4)
    return _put(out, at, value, 2)


@njit("int64(int64)", cache=True, inline="always")
def _whole_dbm(cdbm: int) -> int:
    """Round hundredths to whole dBm, halves to the even one, into 8 bits."""
    whole = cdbm // 100
    rest = cdbm - 100 * whole
    if rest > 50 or (rest == 50 and whole % 2 == 1):
        whole += 1
    return min(127, max(-128, whole))


@njit("int64(uint8[:,:], int64, int64)", cache=True)
def _crc(epc: Bytes, row: int, size: int) -> int:
    """CRC-16 of a Gen2 tag over its PC and EPC (ISO/IEC 13239, preset FFFF, inverted)."""
    control = ((size + 1) // 2) << 11
    value = 0xFFFF
    for place in range(size + 2):
        byte = (control >> (8 * (1 - place))) & 0xFF if place < 2 else int(epc[row, place - 2])
        value ^= byte << 8
        for _ in range(8):
            value = ((value << 1) ^ 0x1021) & 0xFFFF if value & 0x8000 else (value << 1) & 0xFFFF
    return value ^ 0xFFFF


@njit(REPORTS, cache=True)
def encode_reports(
    epc: Bytes,
    epc_bytes: Longs,
    antenna: Longs,
    rssi_cdbm: Longs,
    phase: Longs,
    doppler: Longs,
    channel: Longs,
    first_us: Longs,
    last_us: Longs,
    seen: Longs,
    content: Bytes,
    rospec_id: int,
    stamps: int,
    long_epc_form: bool,  # noqa: FBT001 (a kernel takes its arguments by place)
    out: Bytes,
    ends: Longs,
) -> int:
    """Write a TagReportData for each read, one behind the other; returns the bytes in use.

    Args:
        epc: (n, w) with its length in `epc_bytes`; the other columns are (n,).
        content: (14,) what is in a report, in the order of `batch.FIELDS`.
        stamps: 0 none, 1 UTC, 2 Uptime.
        out: at least n * (w + FIXED_BYTES).
        ends: (n,) gets where each report ends.
    """
    at = 0
    for row in range(len(antenna)):
        begin = at
        size = epc_bytes[row]
        at = _put(out, at, 240, 2)  # TagReportData
        at += 2
        if size == 12 and not long_epc_form:
            at = _put(out, at, 0x8D, 1)  # EPC-96
        else:
            at = _put(out, at, 241, 2)  # EPCData
            at = _put(out, at, 6 + size, 2)
            at = _put(out, at, 8 * size, 2)
        for place in range(size):
            out[at + place] = epc[row, place]
        at += size
        if content[0]:
            at = _put(out, at, 0x89, 1)  # ROSpecID
            at = _put(out, at, rospec_id, 4)
        if content[1]:
            at = _put(out, at, 0x8E0001, 3)  # SpecIndex
        if content[2]:
            at = _put(out, at, 0x8A0001, 3)  # InventoryParameterSpecID
        if content[3]:
            at = _put(out, at, 0x81, 1)  # AntennaID
            at = _put(out, at, antenna[row], 2)
        if content[4]:
            at = _put(out, at, 0x86, 1)  # PeakRSSI
            at = _put(out, at, _whole_dbm(rssi_cdbm[row]), 1)
        if content[5]:
            at = _put(out, at, 0x87, 1)  # ChannelIndex
            at = _put(out, at, channel[row], 2)
        if content[6] and stamps:
            at = _put(out, at, 0x81 + stamps, 1)  # FirstSeenTimestampUTC or Uptime
            at = _put(out, at, first_us[row], 8)
        if content[7] and stamps:
            at = _put(out, at, 0x83 + stamps, 1)  # LastSeenTimestampUTC or Uptime
            at = _put(out, at, last_us[row], 8)
        if content[8]:
            at = _put(out, at, 0x88, 1)  # TagSeenCount
            at = _put(out, at, seen[row], 2)
        if content[9]:
            at = _put(out, at, 0x8C, 1)  # C1G2PC
            at = _put(out, at, ((size + 1) // 2) << 11, 2)
        if content[10]:
            at = _put(out, at, 0x8B, 1)  # C1G2CRC
            at = _put(out, at, _crc(epc, row, size), 2)
        if content[11]:
            at = _custom(out, at, 57, rssi_cdbm[row])  # ImpinjPeakRSSI
        if content[12]:
            at = _custom(out, at, 56, phase[row])  # ImpinjRFPhaseAngle
        if content[13]:
            at = _custom(out, at, 68, doppler[row])  # ImpinjRFDopplerFrequency
        _put(out, begin + 2, at - begin, 2)
        ends[row] = at
    return at


@njit(MESSAGES, cache=True)
def frame_reports(reports: Bytes, ends: Longs, per_message: int, first_id: int, out: Bytes, message_ends: Longs) -> int:
    """Put so many reports at a time into RO_ACCESS_REPORTs; returns the bytes in use.

    Args:
        reports: encoded reports, one behind the other.
        ends: (n,) where each ends.
        per_message: at least 1; the last message may hold fewer.
        first_id: message id of the first one; the next ones follow, and 1 follows 4,294,967,295.
        out: at least len(reports) and HEADER_BYTES for each message.
        message_ends: (messages,) gets where each message ends.
    """
    at = 0
    begin = 0
    for message in range(len(message_ends)):
        first = message * per_message
        end = ends[min(first + per_message, len(ends)) - 1]
        at = _put(out, at, 0x043D, 2)  # version 1, RO_ACCESS_REPORT
        at = _put(out, at, 10 + end - begin, 4)
        at = _put(out, at, (first_id - 1 + message) % 0xFFFFFFFF + 1, 4)
        out[at : at + end - begin] = reports[begin:end]
        at += end - begin
        begin = end
        message_ends[message] = at
    return at
