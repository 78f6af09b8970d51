"""Messages to bytes: the same walk the other way.

Everything is checked before it is written: a number that its field can't hold, a missing or misplaced sub-parameter,
a parameter longer than its length field are `LlrpError`, never silently nothing.
"""

from collections import Counter
from struct import Struct as Layout
from typing import Any, Final, NoReturn

from edge.llrp.errors import LlrpError
from edge.llrp.messages.base import UnknownMessage
from edge.llrp.messages.decoder import LAST_TV, MAX_DEPTH
from edge.llrp.messages.element import Element, Leftover, Message, UnknownParameter, VendorMessage
from edge.llrp.messages.plan import Block, Plan, Slot, Variable, key_of, plan_of
from edge.llrp.messages.wire_types import Array, BitArray, Bits, Octets, Rest, Text
from edge.llrp.wire import HEADER, TYPE_MASK, VERSIONS

_TLV: Final = Layout("!HH")
_CUSTOM_MESSAGE: Final = Layout("!IB")
_TV_BIT: Final = 0x80
_MAX_COUNT: Final = 0xFFFF
_MAX_ID: Final = 0xFFFFFFFF
_NONE: Final = Leftover()


def encode_message(message: Message, message_id: int, version: int = 1) -> bytes:
    """Return the bytes of one message with its header.

    Args:
        message: what to say.
        message_id: 0 to 2**32 - 1; the response carries the same.
        version: 1 is LLRP 1.0.1, 2 is LLRP 1.1.

    Raises:
        LlrpError: if a value can't be encoded; names it and the elements that hold it.
    """
    name = message.STANDARD_NAME
    if version not in VERSIONS:
        raise LlrpError(f"{name} can't be sent as LLRP version {version}: versions are 1 (LLRP 1.0.1) and 2 (LLRP 1.1)")
    if not 0 <= message_id <= _MAX_ID:
        raise LlrpError(f"{name} can't have the message id {message_id}: ids are 0 to {_MAX_ID}")
    payload = bytearray()
    number = message.NUMBER
    if isinstance(message, UnknownMessage):
        number = message.number
        payload += message.data
        if not 0 <= number <= TYPE_MASK:
            raise LlrpError(f"a message's type is 0 to {TYPE_MASK}, not {number}")
    else:
        if isinstance(message, VendorMessage) and message.VENDOR:
            payload += _CUSTOM_MESSAGE.pack(message.VENDOR, message.SUBTYPE)
        _Writer(payload, name).element(message)
    return HEADER.pack(version << 10 | number, HEADER.size + len(payload), message_id) + payload


class _Writer:
    """One message's bytes so far, and the names of the elements that are open, for errors."""

    def __init__(self, out: bytearray, name: str) -> None:
        self._out = out
        self._path = [name]

    def element(self, element: Element) -> None:
        """Write the body of one element."""
        plan = plan_of(type(element))
        leftover = element.leftover or _NONE
        for step in plan.steps:
            if isinstance(step, Block):
                self._block(step, element, leftover.reserved)
            else:
                self._variable(step, getattr(element, step.field))
        for child in self._children(plan, element, leftover):
            self._parameter(child)
        self._out += leftover.tail

    def _block(self, block: Block, element: Element, reserved: int) -> None:
        whole = 0
        for part in block.parts:
            value = getattr(element, part.field)
            low, high = (-(part.mask >> 1) - 1, part.mask >> 1) if part.signed else (0, part.mask)
            if not isinstance(value, int) or not low <= value <= high:
                self._fail(f"{part.field} is {low} to {high}, not {value!r}")
            whole |= (value & part.mask) << part.shift
        for pad in block.pads:
            whole |= (reserved >> pad.place & pad.mask) << pad.shift
        self._out += whole.to_bytes(block.size, "big")

    def _variable(self, step: Variable, value: Any) -> None:
        spec = step.spec
        try:
            count, data = _variable_bytes(spec, value)
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            self._fail(f"{step.field} can't be {value!r}: {error}", error)
        if count is not None:
            if count > _MAX_COUNT:
                self._fail(f"{step.field} has {count} items, its count holds {_MAX_COUNT}")
            self._out += count.to_bytes(2, "big")
        self._out += data

    def _children(self, plan: Plan, element: Element, leftover: Leftover) -> list[Element | UnknownParameter]:
        """Return the sub-parameters in the order in which they go out."""
        if not plan.slots:
            return list(leftover.unknown)
        found = [self._slot(slot, getattr(element, slot.field), short=leftover.short) for slot in plan.slots]
        for guest in found[plan.vendor_slot] if plan.vendor_slot >= 0 else ():
            own = plan.by_key.get(key_of(type(guest)), plan.vendor_slot)
            if own != plan.vendor_slot:
                self._fail(f"{guest.STANDARD_NAME} belongs in {plan.slots[own].field}")
        groups: list[tuple[Element | UnknownParameter, ...]] = [*found, leftover.unknown]
        if leftover.order:
            sizes = {place: len(group) for place, group in zip((*range(len(found)), -1), groups, strict=True) if group}
            if dict(Counter(leftover.order)) == sizes:
                queues = [iter(group) for group in groups]
                return [next(queues[place]) for place in leftover.order]
        return [child for group in groups for child in group]

    def _slot(self, slot: Slot, value: Any, *, short: bool) -> tuple[Element, ...]:
        elements = value if slot.repeated else () if value is None else (value,)
        if not isinstance(elements, tuple) or not all(isinstance(element, slot.types) for element in elements):
            self._fail(f"{slot.field} takes {' or '.join(kind.STANDARD_NAME for kind in slot.types)}, not {value!r}")
        if len(elements) < slot.least and not (slot.repeated and short):
            self._fail(f"{slot.field} needs at least one {' or '.join(kind.STANDARD_NAME for kind in slot.types)}")
        return elements

    def _parameter(self, parameter: Element | UnknownParameter) -> None:
        """Write a parameter with its header."""
        out = self._out
        if isinstance(parameter, UnknownParameter):
            out += parameter.data
            return
        if len(self._path) > MAX_DEPTH:
            self._fail(f"parameters are nested more than {MAX_DEPTH} deep")
        self._path.append(parameter.STANDARD_NAME)
        number, start = parameter.NUMBER, len(out)
        if number <= LAST_TV:
            out.append(_TV_BIT | number)
            self.element(parameter)
        else:
            out += bytes(_TLV.size) + plan_of(type(parameter)).prefix
            self.element(parameter)
            length = len(out) - start
            if length > _MAX_COUNT:
                self._fail(f"it is {length} bytes long, a parameter has at most {_MAX_COUNT}")
            _TLV.pack_into(out, start, number, length)
        self._path.pop()

    def _fail(self, what: str, cause: BaseException | None = None) -> NoReturn:
        raise LlrpError(f"{' > '.join(self._path)} can't be encoded: {what}") from cause


def _variable_bytes(spec: Octets | Array | BitArray | Text | Rest, value: Any) -> tuple[int | None, bytes]:
    """Return the count to write, None where there is none, and the bytes behind it."""
    if isinstance(spec, Rest):
        return None, bytes(memoryview(value))
    if isinstance(spec, Octets):
        if len(value) != spec.count:
            raise ValueError(f"it has {spec.count} bytes")
        return None, bytes(memoryview(value))
    if isinstance(spec, BitArray):
        return _bits(value)
    if isinstance(spec, Text):
        data = value.encode(errors="surrogateescape")
        return len(data), data
    if isinstance(value, bytes):
        return len(value) * 8 // spec.bits, value
    return len(value), b"".join(item.to_bytes(spec.bits // 8, "big") for item in value)


def _bits(value: Bits) -> tuple[int, bytes]:
    if len(value.data) != (value.count + 7) // 8:
        raise ValueError(f"{value.count} bits are {(value.count + 7) // 8} bytes, not {len(value.data)}")
    return value.count, value.data
