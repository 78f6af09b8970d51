"""RO_ACCESS_REPORTs to columns, fused and compiled: the fast form of `edge.llrp.reports_plain`, which defines it.

One writable buffer always: numba would compile read-only and writable arrays apart. Numbers of types and faults stand
here as literals with their names beside them, as a kernel takes no globals; tests hold them to the plain form.
"""

# ruff: noqa: PLR2004, PLR0917 - literals, as numba's cache doesn't see a change of another module's constant; columns by place, as a compiled call wants them
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint16]
Shorts = NDArray[np.int16]
Longs = NDArray[np.int64]
Place = int | np.int64

STATE_FIELDS: Final = 9
"""Columns of `last`: ROSpec id, antenna, RSSI, channel, first seen, its uptime, last seen, its uptime, seen count."""
META_FIELDS: Final = 4
"""`meta`: ROSpecs known, slot that goes next when full, current ROSpec's id, current ROSpec's slot (-1: look it up)."""
CUT: Final = "UniTuple(int64, 4)(uint8[::1], int64, int64, int64, int64[::1])"
COUNT: Final = "int64(uint8[::1])"
WALK: Final = (
    "UniTuple(int64, 2)(uint8[::1], int64[:,::1], int64[::1], int64[:,::1], "
    "uint8[:,::1], uint16[::1], uint16[::1], int16[::1], int16[::1], uint16[::1], "
    "int64[::1], int64[::1], int64[::1], int64[::1], uint16[::1], uint32[::1], int32[::1])"
)


# The place is made unsigned, as a signed one costs a test for being negative at each byte, which also keeps the
# compiler from reading four bytes at once.
@njit("int64(uint8[::1], int64)", cache=True, nogil=True, inline="always")
def _u8(data: Bytes, at: Place) -> np.int64:
    return np.int64(data[np.uintp(at)])


@njit("int64(uint8[::1], int64)", cache=True, nogil=True, inline="always")
def _u16(data: Bytes, at: Place) -> np.int64:
    place = np.uintp(at)
    return (np.int64(data[place]) << 8) | np.int64(data[place + np.uintp(1)])


@njit("int64(uint8[::1], int64)", cache=True, nogil=True, inline="always")
def _u32(data: Bytes, at: Place) -> np.int64:
    place = np.uintp(at)
    return (
        (np.int64(data[place]) << 24)
        | (np.int64(data[place + np.uintp(1)]) << 16)
        | (np.int64(data[place + np.uintp(2)]) << 8)
        | np.int64(data[place + np.uintp(3)])
    )


@njit(CUT, cache=True, nogil=True)
def cut_messages(data: Bytes, start: int, end: int, max_frame_bytes: int, others: Longs) -> tuple[int, int, int, int]:
    """Find the whole messages between two places; return where they end, how many, how many others, and why it ends.

    `others` is filled with the places of those that are no RO_ACCESS_REPORTs. It ends for want of bytes (0), by a
    header that says a wrong version or length (1), or as `others` is full (2): the caller then goes on from there.
    """
    at = start
    messages = 0
    n_others = 0
    while at + 10 <= end:
        version = _u8(data, at) >> 2
        length = _u32(data, at + 2)
        if version < 1 or version > 2 or length < 10 or length > max_frame_bytes:
            return at, messages, n_others, 1
        if length > end - at:
            break
        if (_u16(data, at) & 1023) != 61:  # not RO_ACCESS_REPORT
            if n_others == others.shape[0]:
                return at, messages, n_others, 2
            others[n_others] = at
            n_others += 1
        messages += 1
        at += int(length)
    return at, messages, n_others, 0


@njit(COUNT, cache=True, nogil=True)
def count_reports(data: Bytes) -> int:
    """Return how many rows `walk_reports` can fill at most: the tag reports that can be told by their lengths."""
    size = data.shape[0]
    at = np.int64(0)
    rows = 0
    while at + 10 <= size:
        length = _u32(data, at + 2)
        if length < 10 or at + length > size:
            break
        if (_u16(data, at) & 1023) == 61:  # RO_ACCESS_REPORT
            inner = at + 10
            while inner + 4 <= at + length:
                step = _u16(data, inner + 2)
                if step < 4:
                    break
                if _u16(data, inner) == 240:  # TagReportData
                    rows += 1
                inner += step
        at += length
    return rows


@njit(WALK, cache=True, nogil=True)
def walk_reports(
    data: Bytes,
    last: Longs,
    meta: Longs,
    faults: Longs,
    epc: Bytes,
    epc_bits: Words,
    antenna: Words,
    rssi_cdbm: Shorts,
    phase: Shorts,
    channel: Words,
    first_us: Longs,
    last_us: Longs,
    first_uptime_us: Longs,
    last_uptime_us: Longs,
    seen_count: Words,
    rospec_id: NDArray[np.uint32],
    message: NDArray[np.int32],
) -> tuple[int, int]:
    """Fill the columns from a chunk of whole messages; return the rows filled and the faults met.

    Other messages in `data` are passed over. `last` (ROSpecs, STATE_FIELDS) and `meta` (META_FIELDS) are read and
    updated, `faults` (k, 3) is filled with fault, offset and message of the first k faults. The rest are the columns
    of `TagBatch`, with room for `count_reports` rows.
    """
    size = data.shape[0]
    row = 0
    n_faults = 0
    index = 0
    at = np.int64(0)
    while at < size:
        # -- a message
        length = np.int64(0)
        if at + 10 <= size:
            length = _u32(data, at + 2)
        version = _u8(data, at) >> 2
        if length < 10 or at + length > size or version < 1 or version > 2:
            if n_faults < faults.shape[0]:
                faults[n_faults, 0] = 1  # BAD_MESSAGE
                faults[n_faults, 1] = at
                faults[n_faults, 2] = index
            n_faults += 1
            break
        end = at + length
        if (_u16(data, at) & 1023) != 61:  # not RO_ACCESS_REPORT
            at = end
            index += 1
            continue
        outer = at + 10
        while outer < end:
            # -- a parameter of the message
            fault = 0
            fault_at = outer
            step = np.int64(0)
            if _u8(data, outer) & 0x80:
                known = _u8(data, outer) & 0x7F
                if known < 1 or known > 20:
                    fault = 5  # UNKNOWN_TV
                else:
                    width = 2
                    if 2 <= known <= 5:
                        width = 8
                    elif known == 9 or known == 16 or known == 18:  # noqa: PLR1714 - numba compares scalars faster
                        width = 4
                    elif known == 6:
                        width = 1
                    elif known == 13:
                        width = 12
                    # PARAMETER_CUT or MISPLACED_TV
                    fault = 2 if outer + 1 + width > end else 6
            elif outer + 4 > end:
                fault = 2  # PARAMETER_CUT
            elif _u8(data, outer) & 0xFC:
                fault = 4  # RESERVED_BITS
            else:
                step = _u16(data, outer + 2)
                if step < 4 or outer + step > end:
                    fault = 3  # BAD_LENGTH
            if fault:
                if n_faults < faults.shape[0]:
                    faults[n_faults, 0] = fault
                    faults[n_faults, 1] = fault_at
                    faults[n_faults, 2] = index
                n_faults += 1
                break
            if _u16(data, outer) != 240:  # not TagReportData
                outer += step
                continue
            # -- a tag report
            stop = outer + step
            inner = outer + 4
            bits = np.int64(-1)
            epc_at = np.int64(0)
            new_rospec = np.int64(-1)
            new_antenna = np.int64(-1)
            new_rssi = np.int64(-32768)
            new_channel = np.int64(-1)
            new_first = np.int64(-1)
            new_first_up = np.int64(-1)
            new_last = np.int64(-1)
            new_last_up = np.int64(-1)
            new_count = np.int64(-1)
            fine_rssi = np.int64(-32769)
            impinj_phase = np.int64(-1)
            zebra_phase = np.int64(-1)
            while inner < stop:
                head = _u8(data, inner)
                if head & 0x80:
                    kind = head & 0x7F
                    if kind == 13:  # EPC-96
                        if inner + 13 > stop:
                            fault = 2
                            break
                        bits = np.int64(96)
                        epc_at = inner + 1
                        inner += 13
                    elif 2 <= kind <= 5:  # the four times
                        if inner + 9 > stop:
                            fault = 2
                            break
                        if _u8(data, inner + 1) & 0x80:
                            fault = 10  # TIME_RANGE
                            break
                        moment = (_u32(data, inner + 1) << 32) | _u32(data, inner + 5)
                        if kind == 2:
                            new_first = moment
                        elif kind == 3:
                            new_first_up = moment
                        elif kind == 4:
                            new_last = moment
                        else:
                            new_last_up = moment
                        inner += 9
                    elif kind == 6:  # PeakRSSI
                        if inner + 2 > stop:
                            fault = 2
                            break
                        dbm = _u8(data, inner + 1)
                        new_rssi = (dbm - 256 if dbm > 127 else dbm) * 100
                        inner += 2
                    elif kind == 9 or kind == 16 or kind == 18:  # noqa: PLR1714 - as above
                        if inner + 5 > stop:
                            fault = 2
                            break
                        if kind == 9:  # ROSpecID
                            new_rospec = _u32(data, inner + 1)
                        inner += 5
                    elif 1 <= kind <= 20:
                        if inner + 3 > stop:
                            fault = 2
                            break
                        if kind == 1:  # AntennaID
                            new_antenna = _u16(data, inner + 1)
                        elif kind == 7:  # ChannelIndex
                            new_channel = _u16(data, inner + 1)
                        elif kind == 8:  # TagSeenCount
                            new_count = _u16(data, inner + 1)
                        inner += 3
                    else:
                        fault = 5  # UNKNOWN_TV
                        break
                    continue
                if inner + 4 > stop:
                    fault = 2
                    break
                if head & 0xFC:
                    fault = 4
                    break
                span = _u16(data, inner + 2)
                if span < 4 or inner + span > stop:
                    fault = 3
                    break
                tlv = _u16(data, inner)
                if tlv == 241:  # EPCData
                    if span < 6:
                        fault = 8  # EPC_CUT
                        break
                    count = _u16(data, inner + 4)
                    if count > 496:
                        fault = 7  # EPC_TOO_LONG
                        break
                    if 6 + ((count + 7) >> 3) > span:
                        fault = 8
                        break
                    bits = count
                    epc_at = inner + 6
                elif tlv == 1023:  # Custom
                    if span < 12:
                        fault = 11  # VALUE_CUT
                        break
                    if span == 14:
                        vendor = _u32(data, inner + 4)
                        subtype = _u32(data, inner + 8)
                        value = _u16(data, inner + 12)
                        signed = value - 65536 if value > 32767 else value
                        if vendor == 25882 and subtype == 56:  # Impinj's phase
                            impinj_phase = value & 4095
                        elif vendor == 25882 and subtype == 57:  # Impinj's peak RSSI
                            fine_rssi = signed
                        elif vendor == 161 and subtype == 709:  # Zebra's phase
                            zebra_phase = ((signed * 4096 + 32767) // 65534) & 4095
                inner += span
            if fault:
                fault_at = inner
            elif bits < 0:
                fault = 9  # NO_EPC
            if fault:
                if n_faults < faults.shape[0]:
                    faults[n_faults, 0] = fault
                    faults[n_faults, 1] = fault_at
                    faults[n_faults, 2] = index
                n_faults += 1
                outer = stop
                continue
            # -- the ROSpec's last values
            if new_rospec >= 0 and new_rospec != meta[2]:
                meta[2] = new_rospec
                meta[3] = -1
            slot = meta[3]
            if slot < 0:
                for candidate in range(meta[0]):
                    if last[candidate, 0] == meta[2]:
                        slot = candidate
                        break
                if slot < 0:
                    if meta[0] < last.shape[0]:
                        slot = meta[0]
                        meta[0] += 1
                    else:
                        slot = meta[1]
                        meta[1] = (meta[1] + 1) % last.shape[0]
                    for column in range(1, 9):
                        last[slot, column] = -1
                    last[slot, 0] = meta[2]
                    last[slot, 2] = -32768
                meta[3] = slot
            if new_antenna >= 0:
                last[slot, 1] = new_antenna
            if new_rssi != -32768:
                last[slot, 2] = new_rssi
            if new_channel >= 0:
                last[slot, 3] = new_channel
            if new_first >= 0 or new_first_up >= 0:
                last[slot, 4] = new_first
                last[slot, 5] = new_first_up
            if new_last >= 0 or new_last_up >= 0:
                last[slot, 6] = new_last
                last[slot, 7] = new_last_up
            if new_count >= 0:
                last[slot, 8] = new_count
            # -- the row
            epc_size = (bits + 7) >> 3
            if epc_size == 12:  # by far the most: lengths that are known beforehand become a few wide moves
                for column in range(12):
                    epc[np.uintp(row), np.uintp(column)] = data[np.uintp(epc_at + column)]
                for column in range(12, 62):
                    epc[np.uintp(row), np.uintp(column)] = 0
            else:
                for column in range(epc_size):
                    epc[np.uintp(row), np.uintp(column)] = data[np.uintp(epc_at + column)]
                for column in range(epc_size, 62):
                    epc[np.uintp(row), np.uintp(column)] = 0
            if bits & 7:
                epc[row, epc_size - 1] &= np.uint8((0xFF00 >> (bits & 7)) & 0xFF)
            epc_bits[row] = bits
            antenna[row] = max(last[slot, 1], 0)
            rssi_cdbm[row] = fine_rssi if fine_rssi > -32769 else last[slot, 2]
            phase[row] = zebra_phase if zebra_phase >= 0 else impinj_phase
            channel[row] = max(last[slot, 3], 0)
            first_us[row] = last[slot, 4]
            first_uptime_us[row] = last[slot, 5]
            last_us[row] = last[slot, 6]
            last_uptime_us[row] = last[slot, 7]
            if new_last < 0 and last[slot, 6] < last[slot, 4]:
                last_us[row] = -1
            if new_last_up < 0 and last[slot, 7] < last[slot, 5]:
                last_uptime_us[row] = -1
            seen_count[row] = last[slot, 8] if last[slot, 8] >= 0 else 1
            rospec_id[row] = meta[2]
            message[row] = index
            row += 1
            outer = stop
        at = end
        index += 1
    return row, n_faults
