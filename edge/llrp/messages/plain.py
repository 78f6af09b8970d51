"""Messages as plain values under the standard's field names, for JSON, and back.

A parameter is an object of its fields. A sub-parameter stands under its name, a list of one kind too; where several
kinds may stand (a choice, an extension point), it is a list of objects with one name each. Enumerations go by name,
bytes as hexadecimal. What an element's bytes held beside its fields stands under `_leftover`.
"""

import difflib
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, Final, TypeVar

from edge.llrp.errors import LlrpError
from edge.llrp.messages.element import Element, Leftover, UnknownParameter, VendorParameter
from edge.llrp.messages.plan import Plan, Slot, plan_of
from edge.llrp.messages.registry import PARAMETERS
from edge.llrp.messages.wire_types import Array, BitArray, Bits, Scalar, Spec, Text, standard_name

LEFTOVER: Final = "_leftover"
Plain = dict[str, Any]

E = TypeVar("E", bound=Element)


def to_plain(element: Element) -> Plain:
    """Return an element's fields and sub-parameters by the standard's names."""
    plan = plan_of(type(element))
    plain = {name: shown(getattr(element, ours)) for ours, name in plan.names.items()}
    for slot in plan.slots:
        value = getattr(element, slot.field)
        if slot.repeated and value:
            mixed = _mixed(slot)
            plain[slot_name(slot)] = [{one.STANDARD_NAME: to_plain(one)} if mixed else to_plain(one) for one in value]
        elif not slot.repeated and value is not None:
            plain[value.STANDARD_NAME] = to_plain(value)
    if element.leftover is not None:
        plain[LEFTOVER] = leftover_plain(element.leftover)
    return plain


def from_plain(cls: type[E], plain: Mapping[str, Any], where: str = "") -> E:
    """Return the element that `to_plain` showed; `LlrpError` for a name or value that it can't have."""
    where = where or cls.STANDARD_NAME
    if not isinstance(plain, Mapping):
        raise LlrpError(f"{where} must hold named fields, not {type(plain).__name__}")
    plan = plan_of(cls)
    rest = dict(plain)
    values: dict[str, Any] = {}
    for ours, name in plan.names.items():
        if name not in rest:
            raise LlrpError(f"{where} has no {name}")
        values[ours] = _read(plan.specs[ours], rest.pop(name), f"{where}.{name}")
    for slot in plan.slots:
        values |= _read_slot(slot, rest, where)
    if LEFTOVER in rest:
        values["leftover"] = _leftover(rest.pop(LEFTOVER))
    for name in rest:
        raise LlrpError(f"{where} has no field {name}{nearest(name, _names(plan))}")
    return cls(**values)


def shown(value: Any) -> Any:
    """Return a field's value as JSON has it; bytes of a text that are no UTF-8 are escaped."""
    if isinstance(value, IntEnum):
        return value.name
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Bits):
        return {"bits": value.count, "data": value.data.hex()}
    if isinstance(value, tuple):
        return [shown(item) for item in value]
    if isinstance(value, str):
        return value.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return value


def leftover_plain(leftover: Leftover) -> Plain:
    """Return what stands under `_leftover`."""
    return {
        "reserved": leftover.reserved,
        "order": list(leftover.order),
        "unknown": [one.data.hex() for one in leftover.unknown],
        "short": leftover.short,
        "tail": leftover.tail.hex(),
    }


def slot_name(slot: Slot) -> str:
    """Return the name under which a slot's list stands."""
    return standard_name(slot.field) if _mixed(slot) else slot.types[0].STANDARD_NAME


def nearest(name: str, names: Iterable[str]) -> str:
    """Return words that name the right spelling, if there is a similar one."""
    found = difflib.get_close_matches(name, list(names), n=1)
    return f"; the nearest is {found[0]}" if found else ""


def _mixed(slot: Slot) -> bool:
    return len(slot.types) > 1 or slot.types[0] is VendorParameter


def _read(spec: Spec, value: Any, where: str) -> Any:
    """Return a field's value; its range is the encoder's business."""
    try:
        if isinstance(spec, BitArray):
            return Bits(value["bits"], bytes.fromhex(value["data"]))
        if isinstance(spec, Scalar):
            return value if spec.enum is None else _member(spec.enum, value)
        if isinstance(spec, Array) and not isinstance(value, str):
            return tuple(value if spec.enum is None else (_member(spec.enum, one) for one in value))
        return value if isinstance(spec, Text) else bytes.fromhex(value)
    except (TypeError, ValueError, LookupError) as error:
        raise LlrpError(f"{where} can't be {value!r}: {error}") from error


def _member(enum: type[IntEnum], value: int | str) -> int:
    if isinstance(value, int):
        return value
    if value.upper() not in enum.__members__:
        raise LookupError(f"its values are {', '.join(enum.__members__)}{nearest(value.upper(), enum.__members__)}")
    return enum[value.upper()]


def _read_slot(slot: Slot, rest: Plain, where: str) -> Plain:
    """Take a slot's elements out of `rest`; return them under our field name, nothing where there are none."""
    if not slot.repeated:
        for cls in slot.types:
            if cls.STANDARD_NAME in rest:
                inner = f"{where}.{cls.STANDARD_NAME}"
                return {slot.field: from_plain(cls, rest.pop(cls.STANDARD_NAME), inner)}
        if slot.least:
            raise LlrpError(f"{where} has no {' or '.join(kind.STANDARD_NAME for kind in slot.types)}")
        return {}
    name = slot_name(slot)
    inner = f"{where}.{name}"
    listed = rest.pop(name, [])
    if not isinstance(listed, list):
        raise LlrpError(f"{inner} must be a list of parameters")
    if _mixed(slot):
        return {slot.field: tuple(_read_mixed(one, inner) for one in listed)}
    return {slot.field: tuple(from_plain(slot.types[0], one, inner) for one in listed)}


def _read_mixed(one: Any, where: str) -> Element:
    if not isinstance(one, Mapping) or len(one) != 1:
        raise LlrpError(f"each item of {where} must be an object with one name, that of a parameter")
    ((name, plain),) = one.items()
    cls = _NAMED.get(name)
    if cls is None:
        raise LlrpError(f"{where}: there is no parameter {name}{nearest(name, _NAMED)}")
    return from_plain(cls, plain, f"{where}.{name}")


def _leftover(plain: Mapping[str, Any]) -> Leftover:
    try:
        return Leftover(
            reserved=plain["reserved"],
            order=tuple(plain["order"]),
            unknown=tuple(UnknownParameter(bytes.fromhex(one)) for one in plain["unknown"]),
            short=plain["short"],
            tail=bytes.fromhex(plain["tail"]),
        )
    except (TypeError, ValueError, LookupError) as error:
        raise LlrpError(f"{LEFTOVER} can't be {plain!r}: {error}") from error


def _names(plan: Plan) -> list[str]:
    singles = [kind.STANDARD_NAME for slot in plan.slots if not slot.repeated for kind in slot.types]
    return [*plan.names.values(), *singles, *(slot_name(slot) for slot in plan.slots if slot.repeated)]


_NAMED: Final = {cls.STANDARD_NAME: cls for cls in PARAMETERS.values()}
