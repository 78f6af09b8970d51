"""The definition of how RO_ACCESS_REPORTs become columns: plain Python, one tag report at a time.

`edge.llrp.kernels` does the same, fused and fast; tests hold the two together. Rules that both keep:

- A fault inside a tag report loses that report only, as its own length says where the next begins. A fault between
  reports loses the rest of that message, a fault in a message's header the rest of the chunk.
- Parameters that this room doesn't know are skipped by their length; of one that comes twice the last one counts.
- A reader may leave out what hasn't changed since it last sent it [LLRP 1.1, 17.2.7.3], so antenna, peak RSSI, channel,
  times and seen count are filled from the last ones of the same ROSpec. EPC, phase and finer RSSI are never filled in.
- First and last seen come in UTC or in uptime: one kind sent is never completed with an old one of the other kind,
  and a last seen filled in is dropped where it would lie before the first seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from struct import Struct
from typing import Final, NamedTuple

from edge.llrp.batch import EPC_BYTES, NO_CHANNEL, NO_PHASE, NO_RSSI_CDBM, NO_TIME_US
from edge.llrp.wire import (
    CUSTOM_HEADER,
    CUSTOM_VALUE_BYTES,
    HEADER,
    HEADER_BYTES,
    IMPINJ_PEAK_RSSI,
    IMPINJ_PHASE,
    TV_VALUES,
    TYPE_MASK,
    VERSIONS,
    ZEBRA_PHASE,
    Fault,
    Message,
    Parameter,
    ParameterError,
    Tlv,
    Tv,
    parameters,
)

ROSPECS: Final = 64
"""ROSpecs whose last values are kept on a connection, as many as the most generous reader allows; the oldest goes."""
UNKNOWN: Final = -1
"""A last value that no report has given yet."""
MAX_TIME_US: Final = 2**63 - 1
SIGNED_16: Final = Struct("!h")


@dataclass(frozen=True, slots=True)
class Last:
    """What a ROSpec's reports last said; `UNKNOWN` where they haven't yet."""

    antenna: int = UNKNOWN
    rssi_cdbm: int = NO_RSSI_CDBM
    channel: int = UNKNOWN
    first_us: int = UNKNOWN
    first_uptime_us: int = UNKNOWN
    last_us: int = UNKNOWN
    last_uptime_us: int = UNKNOWN
    seen_count: int = UNKNOWN


@dataclass(slots=True)
class PlainState:
    """A connection's memory: the ROSpec that reports belong to while they don't name one, and last values of each."""

    rospec_id: int = 0
    last: dict[int, Last] = field(default_factory=dict)

    def remember(self, rospec_id: int, last: Last) -> None:
        """Keep a ROSpec's last values, forgetting those of the ROSpec that came first where there are too many."""
        if rospec_id not in self.last and len(self.last) == ROSPECS:
            del self.last[next(iter(self.last))]
        self.last[rospec_id] = last


class TagRead(NamedTuple):
    """One tag report with what was left out filled in; fields as in `TagBatch`."""

    epc: bytes
    epc_bits: int
    antenna: int
    rssi_cdbm: int
    phase: int
    channel: int
    first_us: int
    last_us: int
    first_uptime_us: int
    last_uptime_us: int
    seen_count: int
    rospec_id: int
    message: int


class FaultAt(NamedTuple):
    """A fault, its byte in the chunk, and the index of the message that it stands in."""

    fault: Fault
    offset: int
    message: int


def read_reports(data: bytes, state: PlainState) -> tuple[list[TagRead], list[FaultAt]]:
    """Return the tag reports of a chunk of whole messages and what was wrong in it; other messages are passed over."""
    reads: list[TagRead] = []
    faults: list[FaultAt] = []
    at = message = 0
    while at < len(data):
        end = _message_end(data, at)
        if end == 0:
            faults.append(FaultAt(Fault.BAD_MESSAGE, at, message))
            break
        if HEADER.unpack_from(data, at)[0] & TYPE_MASK == Message.RO_ACCESS_REPORT:
            _read_message(data, (at, end, message), state, reads, faults)
        at, message = end, message + 1
    return reads, faults


def phase_steps(half_turns: int) -> int:
    """Return Zebra's phase (32767 is half a turn) in steps of 4096 a turn, rounded to the nearest."""
    return (half_turns * 4096 + 32767) // 65534 & 4095


def _message_end(data: bytes, at: int) -> int:
    if at + HEADER_BYTES > len(data):
        return 0
    word, length, _ = HEADER.unpack_from(data, at)
    whole = word >> 10 in VERSIONS and length >= HEADER_BYTES and at + length <= len(data)
    return at + length if whole else 0


def _read_message(
    data: bytes, place: tuple[int, int, int], state: PlainState, reads: list[TagRead], faults: list[FaultAt]
) -> None:
    start, end, message = place
    try:
        for report in _tag_reports(data, start + HEADER_BYTES, end):
            try:
                reads.append(_read_tag(data, report, message, state))
            except ParameterError as error:
                faults.append(FaultAt(error.fault, error.offset, message))
    except ParameterError as error:
        faults.append(FaultAt(error.fault, error.offset, message))


def _tag_reports(data: bytes, start: int, end: int) -> Iterator[Parameter]:
    for parameter in parameters(data, start, end):
        if parameter.tv:
            raise ParameterError(Fault.MISPLACED_TV, parameter.start)
        if parameter.type == Tlv.TAG_REPORT_DATA:
            yield parameter


def _read_tag(data: bytes, report: Parameter, message: int, state: PlainState) -> TagRead:
    epc: tuple[int, bytes] | None = None
    values: dict[Tv, int] = {}
    custom: dict[tuple[int, int], int] = {}
    for parameter in parameters(data, report.value, report.end):
        if parameter.tv and parameter.type == Tv.EPC_96:
            epc = 96, data[parameter.value : parameter.end]
        elif parameter.tv:
            values[Tv(parameter.type)] = _tv_value(data, parameter)
        elif parameter.type == Tlv.EPC_DATA:
            epc = _epc_data(data, parameter)
        elif parameter.type == Tlv.CUSTOM:
            custom.update(_custom_value(data, parameter))
    if epc is None:
        raise ParameterError(Fault.NO_EPC, report.start)
    state.rospec_id = values.get(Tv.ROSPEC_ID, state.rospec_id)
    known = state.last.get(state.rospec_id, Last())
    last = _updated(known, values)
    state.remember(state.rospec_id, last)
    return _tag_read(epc, values, custom, last, (state.rospec_id, message))


def _tv_value(data: bytes, parameter: Parameter) -> int:
    kind = Tv(parameter.type)
    value = int(TV_VALUES[kind].unpack_from(data, parameter.value)[0])
    if value > MAX_TIME_US:
        raise ParameterError(Fault.TIME_RANGE, parameter.start)
    return value


def _epc_data(data: bytes, parameter: Parameter) -> tuple[int, bytes]:
    if parameter.end - parameter.value < 2:  # noqa: PLR2004 - the bit count's own two bytes
        raise ParameterError(Fault.EPC_CUT, parameter.start)
    bits = int.from_bytes(data[parameter.value : parameter.value + 2], "big")
    size = (bits + 7) // 8
    if size > EPC_BYTES:
        raise ParameterError(Fault.EPC_TOO_LONG, parameter.start)
    if parameter.value + 2 + size > parameter.end:
        raise ParameterError(Fault.EPC_CUT, parameter.start)
    epc = data[parameter.value + 2 : parameter.value + 2 + size]
    return bits, epc[:-1] + bytes([epc[-1] & 0xFF00 >> bits % 8]) if bits % 8 else epc


def _custom_value(data: bytes, parameter: Parameter) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield the value of a custom parameter of one 16-bit value; others are not this room's to understand."""
    if parameter.end - parameter.value < CUSTOM_HEADER.size:
        raise ParameterError(Fault.VALUE_CUT, parameter.start)
    if parameter.end - parameter.start == CUSTOM_VALUE_BYTES:
        vendor, subtype = CUSTOM_HEADER.unpack_from(data, parameter.value)
        yield (vendor, subtype), SIGNED_16.unpack_from(data, parameter.value + CUSTOM_HEADER.size)[0]


def _updated(last: Last, values: dict[Tv, int]) -> Last:
    rssi_cdbm = values[Tv.PEAK_RSSI] * 100 if Tv.PEAK_RSSI in values else last.rssi_cdbm
    last = replace(
        last,
        antenna=values.get(Tv.ANTENNA_ID, last.antenna),
        rssi_cdbm=rssi_cdbm,
        channel=values.get(Tv.CHANNEL_INDEX, last.channel),
        seen_count=values.get(Tv.TAG_SEEN_COUNT, last.seen_count),
    )
    if Tv.FIRST_SEEN_UTC in values or Tv.FIRST_SEEN_UPTIME in values:
        last = replace(
            last,
            first_us=values.get(Tv.FIRST_SEEN_UTC, UNKNOWN),
            first_uptime_us=values.get(Tv.FIRST_SEEN_UPTIME, UNKNOWN),
        )
    if Tv.LAST_SEEN_UTC in values or Tv.LAST_SEEN_UPTIME in values:
        last = replace(
            last,
            last_us=values.get(Tv.LAST_SEEN_UTC, UNKNOWN),
            last_uptime_us=values.get(Tv.LAST_SEEN_UPTIME, UNKNOWN),
        )
    return last


def _tag_read(
    epc: tuple[int, bytes],
    values: dict[Tv, int],
    custom: dict[tuple[int, int], int],
    last: Last,
    owner: tuple[int, int],
) -> TagRead:
    last_us, last_uptime_us = last.last_us, last.last_uptime_us
    if Tv.LAST_SEEN_UTC not in values and last_us < last.first_us:
        last_us = NO_TIME_US
    if Tv.LAST_SEEN_UPTIME not in values and last_uptime_us < last.first_uptime_us:
        last_uptime_us = NO_TIME_US
    phase = custom[IMPINJ_PHASE] & 4095 if IMPINJ_PHASE in custom else NO_PHASE
    return TagRead(
        epc=epc[1],
        epc_bits=epc[0],
        antenna=max(last.antenna, 0),
        rssi_cdbm=custom.get(IMPINJ_PEAK_RSSI, last.rssi_cdbm),
        phase=phase_steps(custom[ZEBRA_PHASE]) if ZEBRA_PHASE in custom else phase,
        channel=max(last.channel, NO_CHANNEL),
        first_us=last.first_us,
        last_us=last_us,
        first_uptime_us=last.first_uptime_us,
        last_uptime_us=last_uptime_us,
        seen_count=last.seen_count if last.seen_count != UNKNOWN else 1,
        rospec_id=owner[0],
        message=owner[1],
    )
