"""Bytes to messages: one walk over any declared class.

Whatever belongs nowhere is kept: a message or parameter of unknown type whole, a vendor's parameter that does not fit
our declaration as `Custom`, a parameter in the wrong place, reserved bits and surplus bytes in `leftover`. What can't
be read at all (a length beyond what holds it, a field cut short, a required sub-parameter missing) is `LlrpError`.
"""

from dataclasses import dataclass, field
from struct import Struct as Layout
from typing import Any, Final, NamedTuple, NoReturn, TypeVar

from edge.llrp.errors import LlrpError
from edge.llrp.framing import Frame
from edge.llrp.messages.base import Custom, CustomMessage, UnknownMessage
from edge.llrp.messages.element import Element, Leftover, Message, UnknownParameter
from edge.llrp.messages.plan import Block, Plan, Variable, key_of, plan_of
from edge.llrp.messages.registry import MESSAGES, PARAMETERS, VENDOR_MESSAGES
from edge.llrp.messages.wire_types import Array, BitArray, Bits, Octets, Rest, Text

MAX_DEPTH: Final = 24
"""Parameters within parameters: the standard needs 8, only ParameterError and vendors' can go deeper."""
LAST_TV: Final = 127
"""Parameters up to this number are of type-value form."""

_TLV: Final = Layout("!HH")
_VENDOR: Final = Layout("!II")
_TV_BIT: Final = 0x80
_TYPE_MASK: Final = 0x3FF
_SUBTYPE_AT: Final = 4
"""Byte of a custom message's subtype; the vendor's four bytes come first."""
_NOWHERE: Final = -1

E = TypeVar("E", bound=Element)


def decode_message(frame: Frame) -> Message:
    """Return a frame's message; of a type that LLRP 1.1 doesn't list as `UnknownMessage`.

    Raises:
        LlrpError: if it can't be read; names the message, the parameter and the byte in the message's payload.
    """
    data = frame.payload
    cls = MESSAGES.get(frame.type)
    if cls is None:
        return UnknownMessage(number=frame.type, data=bytes(data))
    if cls is CustomMessage and len(data) > _SUBTYPE_AT:
        known = VENDOR_MESSAGES.get((int.from_bytes(data[:_SUBTYPE_AT], "big"), data[_SUBTYPE_AT]))
        if known is not None:
            try:
                return _Walk(data, known).element(known, _SUBTYPE_AT + 1, len(data))
            except LlrpError:
                # Vendors change their layouts: what doesn't fit ours stays raw.
                return _Walk(data, cls).element(cls, 0, len(data))
    return _Walk(data, cls).element(cls, 0, len(data))


class _Head(NamedTuple):
    """A parameter's header: the class it names, None where unknown, and where its body begins and ends."""

    cls: type[Element] | None
    name: str
    body: int
    end: int


@dataclass(slots=True)
class _Children:
    """Sub-parameters as they were found."""

    found: list[list[Element]]
    order: list[int] = field(default_factory=list)
    unknown: list[UnknownParameter] = field(default_factory=list)

    def unusual(self) -> bool:
        """Say whether they stand in another order than the standard's, or with others between them."""
        return bool(self.unknown) or self.order != sorted(self.order)


class _Walk:
    """One message's bytes, and the names of the elements that are open, for errors."""

    def __init__(self, data: bytes, cls: type[Element]) -> None:
        self._data = data
        self._path = [cls.STANDARD_NAME]

    def element(self, cls: type[E], at: int, end: int) -> E:
        """Read one element whose body is `at` to `end`."""
        plan = plan_of(cls)
        values: dict[str, Any] = {}
        reserved = 0
        for step in plan.steps:
            if isinstance(step, Block):
                reserved |= self._block(step, at, end, values)
                at += step.size
            else:
                values[step.field], at = self._variable(step, at, end)
        if plan.slots:
            children = self._children(plan, at, end, values)
            short = any(slot.repeated and slot.least and not values[slot.field] for slot in plan.slots)
            if reserved or short or children.unusual():
                order, unknown = tuple(children.order) if children.unusual() else (), tuple(children.unknown)
                values["leftover"] = Leftover(reserved=reserved, order=order, unknown=unknown, short=short)
        elif reserved or at < end:
            values["leftover"] = Leftover(reserved=reserved, tail=bytes(self._data[at:end]))
        return cls(**values)

    def _block(self, block: Block, at: int, end: int, values: dict[str, Any]) -> int:
        """Read scalars into `values`; return the reserved bits."""
        if at + block.size > end:
            what = block.parts[0].field if block.parts else "reserved bits"
            self._fail(at, f"from {what} on {block.size} bytes are wanted, {end - at} are there")
        whole = int.from_bytes(self._data[at : at + block.size], "big")
        for part in block.parts:
            value: int = whole >> part.shift & part.mask
            if part.signed and value > part.mask >> 1:
                value -= part.mask + 1
            if part.boolean:
                value = bool(value)
            elif part.names is not None:
                value = part.names.get(value, value)
            values[part.field] = value
        reserved = 0
        for pad in block.pads:
            reserved |= (whole >> pad.shift & pad.mask) << pad.place
        return reserved

    def _variable(self, step: Variable, at: int, end: int) -> tuple[Any, int]:
        """Read a field that is no scalar; return it and where it ends."""
        spec = step.spec
        if isinstance(spec, Rest):
            return bytes(self._data[at:end]), end
        if isinstance(spec, Octets):
            return self._bytes(step, at, spec.count, end), at + spec.count
        count = int.from_bytes(self._bytes(step, at, 2, end), "big")
        at += 2
        if isinstance(spec, BitArray):
            size = (count + 7) // 8
            return Bits(count, self._bytes(step, at, size, end)), at + size
        if isinstance(spec, Text):
            return self._bytes(step, at, count, end).decode(errors="surrogateescape"), at + count
        size = count * spec.bits // 8
        return _items(spec, self._bytes(step, at, size, end)), at + size

    def _bytes(self, step: Variable, at: int, size: int, end: int) -> bytes:
        if at + size > end:
            self._fail(at, f"{step.field} wants {size} bytes, {end - at} are there")
        return bytes(self._data[at : at + size])

    def _children(self, plan: Plan, at: int, end: int, values: dict[str, Any]) -> _Children:
        """Read sub-parameters into `values`."""
        children = _Children([[] for _ in plan.slots])
        while at < end:
            head = self._head(at, end)
            place, child = self._child(plan, children, head, at)
            if child is None:
                place = _NOWHERE
                children.unknown.append(UnknownParameter(bytes(self._data[at : head.end])))
            else:
                children.found[place].append(child)
            children.order.append(place)
            at = head.end
        for slot, found in zip(plan.slots, children.found, strict=True):
            if slot.repeated:
                values[slot.field] = tuple(found)
            elif found:
                values[slot.field] = found[0]
            elif slot.least:
                self._fail(at, f"there is no {' or '.join(kind.STANDARD_NAME for kind in slot.types)} in it")
        return children

    def _child(self, plan: Plan, children: _Children, head: _Head, at: int) -> tuple[int, Element | None]:
        """Return a parameter and its slot, or None where it has none."""
        cls = head.cls
        if cls is None:
            return _NOWHERE, None
        place = plan.by_key.get(key_of(cls), plan.vendor_slot if issubclass(cls, plan.vendor_types) else _NOWHERE)
        if place == _NOWHERE or (children.found[place] and not plan.slots[place].repeated):
            return _NOWHERE, None
        if len(self._path) > MAX_DEPTH:
            self._fail(at, f"parameters are nested more than {MAX_DEPTH} deep")
        deep = len(self._path)
        self._path.append(head.name)
        try:
            child = self.element(cls, head.body, head.end)
        except LlrpError:
            if not cls.VENDOR:
                raise
            # Vendors change their layouts: what doesn't fit ours stays raw.
            del self._path[deep:]
            return place, self.element(Custom, at + _TLV.size, head.end) if place == plan.vendor_slot else None
        self._path.pop()
        return place, child

    def _head(self, at: int, end: int) -> _Head:
        """Read a parameter's header; its length is checked against `end`."""
        first = self._data[at]
        if first & _TV_BIT:
            number, body = first & ~_TV_BIT, at + 1
            cls = PARAMETERS.get(number)
            if cls is None:
                self._fail(at, f"a TV parameter of unknown type {number} has no length: what follows can't be read")
            stop = body + plan_of(cls).minimum
        else:
            if end - at < _TLV.size:
                self._fail(at, f"{end - at} bytes are left, a parameter's header has {_TLV.size}")
            number, length = _TLV.unpack_from(self._data, at)
            if number > _TYPE_MASK:
                self._fail(at, "the reserved bits of a parameter's header are not zero")
            if length < _TLV.size:
                self._fail(
                    at, f"a parameter of type {number} says that it is {length} bytes long, its header has {_TLV.size}"
                )
            cls, body, stop = PARAMETERS.get(number) if number > LAST_TV else None, at + _TLV.size, at + length
        name = cls.STANDARD_NAME if cls is not None else f"a parameter of type {number}"
        if stop > end:
            self._fail(at, f"{name} is cut off: it wants {stop - at} bytes, {end - at} are there")
        if cls is Custom:
            return self._custom(at, stop)
        return _Head(cls, name, body, stop)

    def _custom(self, at: int, stop: int) -> _Head:
        body = at + _TLV.size
        if stop - body < _VENDOR.size:
            self._fail(at, f"a Custom parameter of {stop - at} bytes names no vendor and subtype")
        known = PARAMETERS.get(_VENDOR.unpack_from(self._data, body))
        if known is None:
            return _Head(Custom, Custom.STANDARD_NAME, body, stop)
        return _Head(known, known.STANDARD_NAME, body + _VENDOR.size, stop)

    def _fail(self, at: int, what: str) -> NoReturn:
        where = " > ".join(self._path)
        raise LlrpError(f"{where}, payload byte {at}: {what}", offset=at)


def _items(spec: Array, data: bytes) -> Any:
    """Return an array's items; bytes where they are bytes without names."""
    if spec.enum is not None:
        names = spec.enum._value2member_map_
        return tuple(names.get(value, value) for value in data)
    size = spec.bits // 8
    if size == 1:
        return data
    return tuple(int.from_bytes(data[at : at + size], "big") for at in range(0, len(data), size))
