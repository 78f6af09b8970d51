"""What encoder and decoder walk: a class declaration turned once into steps and slots.

Consecutive scalars, with the reserved bits between them, are one block that is read and written as one number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from struct import Struct
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from edge.llrp.messages.element import Element, Parameter, VendorParameter
from edge.llrp.messages.wire_types import Array, AtLeastOne, BitArray, Octets, Rest, Scalar, Spec, Text, standard_name

Key = int | tuple[int, int]
"""What tells a parameter's class: its type number, or vendor and subtype."""

_VENDOR: Final = Struct("!II")


@dataclass(frozen=True, slots=True)
class Part:
    """One scalar of a block: `shift` counts from the block's least significant bit."""

    field: str
    mask: int
    shift: int
    signed: bool
    boolean: bool
    names: Mapping[int, IntEnum] | None


@dataclass(frozen=True, slots=True)
class Pad:
    """Reserved bits of a block; `place` is their shift within `Leftover.reserved`."""

    mask: int
    shift: int
    place: int


@dataclass(frozen=True, slots=True)
class Block:
    """Scalars of whole bytes together."""

    size: int
    parts: tuple[Part, ...]
    pads: tuple[Pad, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A field that is no scalar."""

    field: str
    spec: Octets | Array | BitArray | Text | Rest


@dataclass(frozen=True, slots=True)
class Slot:
    """A declared sub-parameter."""

    field: str
    types: tuple[type[Element], ...]
    repeated: bool
    least: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The layout of one class.

    Attributes:
        prefix: vendor and subtype of a known vendor parameter.
        steps: its fields in wire order.
        slots: its sub-parameters in the standard's order.
        by_key: slot of each class that one of them names.
        vendor_slot: slot that takes vendor parameters of any kind, or -1.
        vendor_types: the class of all those, or none.
        specs: wire type of each field.
        names: the standard's name of each field.
        minimum: bytes that its fields have at least, which are all that a TV parameter has.
    """

    prefix: bytes
    steps: tuple[Block | Variable, ...]
    slots: tuple[Slot, ...]
    by_key: dict[Key, int]
    vendor_slot: int
    vendor_types: tuple[type[Element], ...]
    specs: dict[str, Spec]
    names: dict[str, str]
    minimum: int


@dataclass(slots=True)
class _Draft:
    """Collects steps; `run` holds the scalars and reserved bits of the block that isn't closed yet."""

    steps: list[Block | Variable] = field(default_factory=list)
    run: list[tuple[str, Scalar, bool] | int] = field(default_factory=list)

    def close(self, reserved_behind: int) -> int:
        """End the block; return the reserved bits from its first on to the end of the class."""
        bits = sum(item if isinstance(item, int) else item[1].bits for item in self.run)
        if bits % 8:
            raise TypeError(f"the fields {self.run} are {bits} bits, no whole bytes")
        place = reserved_behind + sum(item for item in self.run if isinstance(item, int))
        first, shift, parts, pads = place, bits, [], []
        for item in self.run:
            if isinstance(item, int):
                shift, place = shift - item, place - item
                pads.append(Pad((1 << item) - 1, shift, place))
            else:
                name, spec, boolean = item
                shift -= spec.bits
                parts.append(Part(name, (1 << spec.bits) - 1, shift, spec.signed, boolean, _members(spec.enum)))
        if bits:
            self.steps.append(Block(bits // 8, tuple(parts), tuple(pads)))
        self.run.clear()
        return first


def key_of(cls: type[Element]) -> Key:
    """Return what tells a parameter's class on the wire."""
    return (cls.VENDOR, cls.SUBTYPE) if cls.VENDOR else cls.NUMBER


@cache
def plan_of(cls: type[Element]) -> Plan:
    """Return the layout of a declared class; made at its first use."""
    hints = get_type_hints(cls, include_extras=True)
    declared = [name for name in hints if name in cls.__struct_fields__ and name != "leftover"]
    specs = {name: spec for name in declared if (spec := _spec(hints[name])) is not None}
    slots = tuple(_slot(name, hints[name]) for name in declared if name not in specs)
    by_key = {
        key_of(kind): index for index, slot in enumerate(slots) for kind in slot.types if kind is not VendorParameter
    }
    vendor_slot = next((index for index, slot in enumerate(slots) if VendorParameter in slot.types), -1)
    steps = _steps(cls.LEAD, [(name, specs[name], get_args(hints[name])[0] is bool) for name in specs])
    prefix = _VENDOR.pack(cls.VENDOR, cls.SUBTYPE) if cls.VENDOR and issubclass(cls, Parameter) else b""
    names = {name: spec.name or standard_name(name) for name, spec in specs.items()}
    minimum = sum(_size(step) for step in steps)
    vendor_types = (VendorParameter,) if vendor_slot >= 0 else ()
    return Plan(prefix, steps, slots, by_key, vendor_slot, vendor_types, specs, names, minimum)


def _size(step: Block | Variable) -> int:
    if isinstance(step, Block):
        return step.size
    return step.spec.count if isinstance(step.spec, Octets) else 0


def _members(enum: type[IntEnum] | None) -> Mapping[int, IntEnum] | None:
    return None if enum is None else {member.value: member for member in enum}


def _spec(hint: Any) -> Spec | None:
    if get_origin(hint) is not Annotated:
        return None
    spec = get_args(hint)[1]
    return None if isinstance(spec, AtLeastOne) else spec


def _steps(lead: int, fields: list[tuple[str, Spec, bool]]) -> tuple[Block | Variable, ...]:
    """Group fields into blocks, from the last to the first since reserved bits are counted from the end."""
    groups: list[list[tuple[str, Scalar, bool] | int] | Variable] = [[lead]] if lead else []
    for name, spec, boolean in fields:
        if not isinstance(spec, Scalar):
            groups.append(Variable(name, spec))
        elif groups and isinstance(groups[-1], list):
            groups[-1].append((name, spec, boolean))
        else:
            groups.append([(name, spec, boolean)])
        if spec.pad:
            if isinstance(groups[-1], list):
                groups[-1].append(spec.pad)
            else:
                groups.append([spec.pad])
    reserved = 0
    steps: list[Block | Variable] = []
    for group in reversed(groups):
        if isinstance(group, Variable):
            steps.append(group)
            continue
        draft = _Draft(run=group)
        reserved = draft.close(reserved)
        steps += draft.steps
    return tuple(reversed(steps))


def _slot(name: str, hint: Any) -> Slot:
    least = 0
    if get_origin(hint) is Annotated:
        hint, least = get_args(hint)[0], 1
    repeated = get_origin(hint) is tuple
    if repeated:
        hint = get_args(hint)[0]
    types = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if not repeated and NoneType not in types:
        least = 1
    return Slot(name, tuple(kind for kind in types if kind is not NoneType), repeated, least)
