"""Messages from names and nested fields, for callers that know LLRP's names and not our classes.

The names are the standard's; those under which sllurp has the same fields, and its shorter forms (an AISpec or a
vendor's parameter straight under what holds it, event states by name), are understood too.
"""

from collections.abc import Mapping
from typing import Any, Final

from edge.llrp.errors import LlrpError
from edge.llrp.messages.element import Element, Message
from edge.llrp.messages.plain import Plain, from_plain, nearest, slot_name
from edge.llrp.messages.plan import plan_of
from edge.llrp.messages.registry import MESSAGES, PARAMETERS, VENDOR_MESSAGES
from edge.llrp.messages.wire_types import Scalar

NAMED_MESSAGES: Final[dict[str, type[Message]]] = {
    cls.STANDARD_NAME: cls for cls in (*MESSAGES.values(), *VENDOR_MESSAGES.values())
}
NAMED_PARAMETERS: Final = {cls.STANDARD_NAME: cls for cls in PARAMETERS.values()}

ALIASES: Final[dict[tuple[str, str], str]] = {
    ("AISpec", "AntennaID"): "AntennaIDs",
    ("AISpecStopTrigger", "DurationTriggerValue"): "DurationTrigger",
    ("GPIPortCurrentState", "GPIConfig"): "Config",
    ("GPIPortCurrentState", "GPIState"): "State",
    ("KeepaliveSpec", "TimeInterval"): "PeriodicTriggerValue",
    ("RFTransmitter", "HopTableId"): "HopTableID",
    ("SET_READER_CONFIG", "ResetToFactoryDefaults"): "ResetToFactoryDefault",
}
"""sllurp's field names where they aren't the standard's."""
EVENTS: Final = {
    "HoppingEvent": 0,
    "GPIEvent": 1,
    "ROSpecEvent": 2,
    "ReportBufferFillWarning": 3,
    "ReaderExceptionEvent": 4,
    "RFSurveyEvent": 5,
    "AISpecEvent": 6,
    "AISpecEventWithSingulation": 7,
    "AntennaEvent": 8,
}
"""Event types by sllurp's names."""


def message_by_name(name: str, fields: Mapping[str, Any]) -> Message:
    """Return a message; `LlrpError` for a name that there isn't. Scalars that are left out are 0."""
    cls = NAMED_MESSAGES.get(name)
    if cls is None:
        raise LlrpError(f"there is no message {name}{nearest(name, NAMED_MESSAGES)}")
    return from_plain(cls, _standard(cls, fields, name))


def _standard(cls: type[Element], fields: Any, where: str) -> Any:
    """Return fields under the standard's names and in its shape."""
    if not isinstance(fields, Mapping):
        raise LlrpError(f"{where} must hold named fields, not {type(fields).__name__}")
    plan = plan_of(cls)
    given: Plain = {ALIASES.get((cls.STANDARD_NAME, str(name)), str(name)): value for name, value in fields.items()}
    plain: Plain = {
        plan.names[ours]: 0
        for ours, spec in plan.specs.items()
        if isinstance(spec, Scalar) and not _identifies(spec, plan.names[ours])
    }
    plain |= {name: value for name, value in given.items() if name in plan.names.values()}
    slots = {kind.STANDARD_NAME: slot for slot in plan.slots for kind in slot.types}
    vendors = next((slot for slot in plan.slots if slot.field == "custom"), None)
    for name, value in given.items():
        kind = NAMED_PARAMETERS.get(name)
        slot = slots.get(name) or (vendors if kind is not None and kind.VENDOR else None)
        if name in plain or kind is None or slot is None:
            plain.setdefault(name, value)
            continue
        listed = _listed(name, value, f"{where}.{name}", many=slot.repeated and slot is not vendors)
        found = [_standard(kind, one, f"{where}.{name}") for one in listed]
        if not slot.repeated:
            plain[name] = found[0]
        elif slot_name(slot) == name:
            plain[name] = found
        else:
            plain[slot_name(slot)] = [*plain.get(slot_name(slot), []), *({name: one} for one in found)]
    return plain


def _listed(name: str, value: Any, where: str, *, many: bool) -> list[Any]:
    if name == "EventNotificationState" and isinstance(value, Mapping):
        return [_event_state(event, state, where) for event, state in value.items()]
    if many != isinstance(value, list):
        raise LlrpError(f"{where} must be {'a list of parameters' if many else 'one parameter'}")
    return list(value) if many else [value]


def _event_state(event: str, state: Any, where: str) -> Plain:
    if event not in EVENTS:
        raise LlrpError(f"{where} knows no event {event}{nearest(event, EVENTS)}")
    return {"EventType": EVENTS[event], "NotificationState": bool(state)}


def _identifies(spec: Scalar, name: str) -> bool:
    """Say whether a field names something: leaving that out is a mistake, not a zero."""
    return spec.bits > 1 and name.endswith("ID")
