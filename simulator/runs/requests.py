"""What the recording's client asks of a simulated reader, in order, as bytes (LLRP 1.0.1, sections 9 to 13 and 15).

Written from the standard's tables with the simulator's own framing: the recorded client is nobody's library.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from simulator.server.codes import EventType, ImpinjSubtype, MessageType, ParameterType
from simulator.server.wire import IMPINJ, custom, message, tlv

ROSPEC_ID: Final = 1
TAG_POPULATION: Final = 32
"""What a reader begins to reckon with; it adapts by itself."""
_EVENTS: Final = (EventType.GPI, EventType.REPORT_BUFFER, EventType.READER_EXCEPTION, EventType.ANTENNA)
_GEN2: Final = 1
_UNKNOWN_LEVEL: Final = 2
_PERIODIC: Final = 1
_START_NULL, _START_GPI = 0, 3
_STOP_NULL, _STOP_DURATION = 0, 1
_N_OR_END_OF_AISPEC: Final = 1
_ROSPEC, _ANTENNA, _CHANNEL, _RSSI, _FIRST, _LAST, _SEEN = (0x8000 >> place for place in (0, 3, 4, 5, 6, 7, 8))
_CONTENT: Final = _ROSPEC | _ANTENNA | _CHANNEL | _RSSI | _FIRST | _LAST | _SEEN
_SEARCH: Final = {"single": 1, "dual": 2}
"""ImpinjInventorySearchMode [Octane LLRP guide]."""

Target = Literal["dual", "single"]


class Request(NamedTuple):
    """One request.

    Attributes:
        name: the standard's name.
        may_fail: whether the client goes on where the reader refuses it.
    """

    name: str
    kind: int
    body: bytes
    may_fail: bool = False

    def encoded(self, message_id: int) -> bytes:
        """Frame it."""
        return message(self.kind, message_id, self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """How a reader is asked for tags.

    Attributes:
        antennas: its ports, in the order in which they take turns.
        session: Gen2 session, 0 to 3.
        target: `dual`: who has answered is asked again; `single`: keeps quiet as long as the session remembers.
        impinj: whether it knows Impinj's parameters.
        inputs: inputs that something is wired to.
        trigger: the input and the level that start reading, and for how many milliseconds; None reads all the time.
        keepalive_ms: period of keepalives.
    """

    antennas: tuple[int, ...]
    session: int = 0
    target: Target = "dual"
    impinj: bool = True
    inputs: tuple[int, ...] = ()
    trigger: tuple[int, bool, int] | None = None
    keepalive_ms: int = 2000


def requests(inventory: Inventory) -> Iterator[Request]:
    """Yield all requests from the greeting to the running inventory."""
    if inventory.impinj:
        body = struct.pack(">IBI", IMPINJ, ImpinjSubtype.ENABLE_EXTENSIONS, 0)
        yield Request("IMPINJ_ENABLE_EXTENSIONS", MessageType.CUSTOM_MESSAGE, body, may_fail=True)
    everything, mine = struct.pack(">I", 0), struct.pack(">I", ROSPEC_ID)
    yield Request("DELETE_ROSPEC", MessageType.DELETE_ROSPEC, everything, may_fail=True)
    yield Request("DELETE_ACCESSSPEC", MessageType.DELETE_ACCESSSPEC, everything, may_fail=True)
    yield Request("SET_READER_CONFIG", MessageType.SET_READER_CONFIG, _config(inventory))
    yield Request("ADD_ROSPEC", MessageType.ADD_ROSPEC, _rospec(inventory))
    yield Request("ENABLE_ROSPEC", MessageType.ENABLE_ROSPEC, mine)
    if inventory.trigger is None:
        yield Request("START_ROSPEC", MessageType.START_ROSPEC, mine)


def keepalive_ack(message_id: int) -> bytes:
    """Return the acknowledgement of a keepalive."""
    return message(MessageType.KEEPALIVE_ACK, message_id)


def _config(inventory: Inventory) -> bytes:
    on = (tlv(ParameterType.EVENT_NOTIFICATION_STATE, struct.pack(">HB", event, 0x80)) for event in _EVENTS)
    inputs = (
        tlv(ParameterType.GPI_PORT_CURRENT_STATE, struct.pack(">HBB", port, 0x80, _UNKNOWN_LEVEL))
        for port in inventory.inputs
    )
    return b"".join(
        [
            b"\0",
            tlv(ParameterType.READER_EVENT_NOTIFICATION_SPEC, b"".join(on)),
            tlv(ParameterType.KEEPALIVE_SPEC, struct.pack(">BI", _PERIODIC, inventory.keepalive_ms)),
            *inputs,
        ]
    )


def _rospec(inventory: Inventory) -> bytes:
    head = struct.pack(">IBB", ROSPEC_ID, 0, 0)
    return tlv(ParameterType.ROSPEC, head + _boundary(inventory) + _aispec(inventory) + _report(inventory))


def _boundary(inventory: Inventory) -> bytes:
    start, stop = struct.pack(">B", _START_NULL), struct.pack(">BI", _STOP_NULL, 0)
    if inventory.trigger is not None:
        port, level, read_ms = inventory.trigger
        call = tlv(ParameterType.GPI_TRIGGER_VALUE, struct.pack(">HBI", port, 0x80 * level, 0))
        start, stop = struct.pack(">B", _START_GPI) + call, struct.pack(">BI", _STOP_DURATION, read_ms)
    body = tlv(ParameterType.ROSPEC_START_TRIGGER, start) + tlv(ParameterType.ROSPEC_STOP_TRIGGER, stop)
    return tlv(ParameterType.RO_BOUNDARY_SPEC, body)


def _aispec(inventory: Inventory) -> bytes:
    count = len(inventory.antennas)
    ports = struct.pack(f">H{count}H", count, *inventory.antennas)
    endless = tlv(ParameterType.AISPEC_STOP_TRIGGER, struct.pack(">BI", _STOP_NULL, 0))
    antennas = b"".join(_antenna(port, inventory) for port in inventory.antennas)
    spec = tlv(ParameterType.INVENTORY_PARAMETER_SPEC, struct.pack(">HB", 1, _GEN2) + antennas)
    return tlv(ParameterType.AISPEC, ports + endless + spec)


def _antenna(port: int, inventory: Inventory) -> bytes:
    control = struct.pack(">BHI", inventory.session << 6, TAG_POPULATION, 0)
    command = b"\0" + tlv(ParameterType.C1G2_SINGULATION_CONTROL, control)
    if inventory.impinj:
        command += custom(ImpinjSubtype.INVENTORY_SEARCH_MODE, struct.pack(">H", _SEARCH[inventory.target]))
    body = struct.pack(">H", port) + tlv(ParameterType.C1G2_INVENTORY_COMMAND, command)
    return tlv(ParameterType.ANTENNA_CONFIGURATION, body)


def _report(inventory: Inventory) -> bytes:
    body = struct.pack(">BH", _N_OR_END_OF_AISPEC, 1)
    body += tlv(ParameterType.TAG_REPORT_CONTENT_SELECTOR, struct.pack(">H", _CONTENT))
    if inventory.impinj:
        on = struct.pack(">H", 1)
        inner = custom(ImpinjSubtype.ENABLE_RF_PHASE_ANGLE, on) + custom(ImpinjSubtype.ENABLE_PEAK_RSSI, on)
        body += custom(ImpinjSubtype.TAG_REPORT_CONTENT_SELECTOR, inner)
    return tlv(ParameterType.RO_REPORT_SPEC, body)
