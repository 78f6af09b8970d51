"""The one table of switches and actions: names, types, defaults and words, for scenarios, the HTTP API and the page."""

import json
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, Final, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from simulator.faults.model import ClockUs, Faults, Seconds

Text = Annotated[str, Field(max_length=1000)]
_STRICT: Final = ConfigDict(strict=True, allow_inf_nan=False)
"""A value has its own type: no "yes" for true, no "0.5" for a number."""
_SHOWN: Final = 60
"""Characters of a wrong value that its error repeats."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One lasting fault; `type` is the JSON Schema of its values."""

    name: str
    type: dict[str, Any]
    default: Any
    description: str


@dataclass(frozen=True, slots=True)
class Argument:
    """One value that an action takes; `type` may carry bounds."""

    name: str
    type: Any
    default: int | float | str
    description: str

    @property
    def adapter(self) -> TypeAdapter[Any]:
        """What checks a value, and tells its JSON Schema."""
        return TypeAdapter(self.type, config=_STRICT)


@dataclass(frozen=True, slots=True)
class Action:
    """One fault that happens and is over."""

    name: str
    description: str
    arguments: tuple[Argument, ...] = ()


ACTIONS: Final = (
    Action("drop", "The connection is reset."),
    Action("close", "The reader says that it closes the connection, and does."),
    Action(
        "reboot",
        "The connection is reset, the port refuses, and then the reader has booted anew.",
        (Argument("down_s", Seconds, 5.0, "For how long the port refuses."),),
    ),
    Action(
        "step_clock",
        "The reader's UTC jumps.",
        (
            Argument(
                "by_us",
                ClockUs,
                3_600_000_000,
                "By so many microseconds; below 0 backwards. It stops at 1970 and at 2100, and runs on from there.",
            ),
        ),
    ),
    Action("clock_2000", "The reader's UTC begins anew at 2000-01-01."),
    Action("overflow", "What waits to be reported is lost, and ReportBufferOverflowError says so."),
    Action(
        "exception",
        "The reader tells of trouble of its own by ReaderExceptionEvent.",
        (Argument("text", Text, "trouble", "Its words."),),
    ),
)


@cache
def switches() -> tuple[Switch, ...]:
    """All switches, in the order of `Faults`."""
    defaults = Faults()
    return tuple(
        Switch(name, schema, shown(name, getattr(defaults, name)), schema.pop("description"))
        for name in _names()
        for schema in (_adapter(name).json_schema(),)
    )


def checked(name: str, value: Any) -> Any:
    """Return a switch's value in its own type.

    Raises:
        ValueError: there is no such switch, or no such value.
    """
    names = _names()
    if name not in names:
        raise ValueError(f"no fault {name!r}{_near(name, names)}")
    if isinstance(value, bool) and _adapter(name).json_schema().get("type") != "boolean":
        raise ValueError(
            f"{name} = {value}: it isn't switched on or off but has a value, such as {_shown_default(name)}"
        )
    try:
        return _adapter(name).validate_python(value)
    except ValidationError as error:
        raise ValueError(f"{name} = {_short(value)}: {_why(error, _adapter(name))}") from error


def checked_action(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return an action's arguments, with the defaults of those that aren't given.

    Raises:
        ValueError: there is no such action, or an argument is wrong.
    """
    action = next((one for one in ACTIONS if one.name == name), None)
    if action is None:
        raise ValueError(f"no action {name!r}{_near(name, [one.name for one in ACTIONS])}")
    known = [argument.name for argument in action.arguments]
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"action {name} takes no {unknown[0]!r}{_near(unknown[0], known) if known else ''}")
    return {one.name: _argument(name, one, given.get(one.name, one.default)) for one in action.arguments}


def shown(name: str, value: Any) -> Any:
    """Return a switch's value as JSON has it: sets as sorted lists, bytes as hexadecimal digits."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, frozenset):
        return sorted(value)
    return _adapter(name).dump_python(value, mode="json")


def _argument(action: str, argument: Argument, value: Any) -> Any:
    try:
        return argument.adapter.validate_python(value)
    except ValidationError as error:
        why = _why(error, argument.adapter)
        raise ValueError(f"action {action}: {argument.name} = {_short(value)}: {why}") from error


def _short(value: Any) -> str:
    words = repr(value)
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}..."


def _why(error: ValidationError, adapter: TypeAdapter[Any]) -> str:
    """What is wrong, with both bounds where it is a number that is out of them."""
    schema = adapter.json_schema()
    if error.errors()[0]["type"].startswith(("greater", "less", "int_parsing_size")) and "minimum" in schema:
        return f"it must be from {schema['minimum']} to {schema['maximum']}"
    return error.errors()[0]["msg"].removeprefix("Value error, ")


def _shown_default(name: str) -> str:
    return json.dumps(shown(name, getattr(Faults(), name)))


@cache
def _names() -> list[str]:
    """Names of the switches: fields that are described."""
    return [item.name for item in fields(Faults) if "description" in _adapter(item.name).json_schema()]


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(get_type_hints(Faults, include_extras=True)[name], config=_STRICT)


def _near(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, n=1)
    return f", did you mean {near[0]!r}?" if near else f": there are {', '.join(names)}"
