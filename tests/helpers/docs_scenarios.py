"""The reference pages of scenarios: the schema, made from its own descriptions, and the gallery."""

import json
import types
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simulator.scenarios.load import builtin_names, load
from simulator.scenarios.model import Scenario
from simulator.scenarios.moves import Stop
from simulator.scenarios.space import Place, Point

MADE = "<!-- Made by `make docs` from the code; changes here are overwritten. -->"
NO_PICTURE = {"crowd"}
"""Load without walks: there is nothing to draw."""
LOOKED_AT = {
    "foil-bag": ("--tag", "1"),
    "lift-beside": ("--tag", "8"),
    "parked-an-hour": ("--tag", "1"),
    "peeled-tag": ("--tag", "2"),
    "thief-behind-trolley": ("--tag", "7"),
    "working-day": ("--seconds", "600"),
}
"""Pictures that show something else than `plot` shows by itself."""
GROUPS = {
    "Through the door": (
        "single-walk",
        "two-people-crossing",
        "tailgating",
        "sprint",
        "cart-of-40",
        "forklift-500",
        "dragged",
    ),
    "Not through the door": (
        "turning-back",
        "passing-inside",
        "passing-outside",
        "parked-an-hour",
        "lift-beside",
        "arm-reach",
        "hatch",
    ),
    "Tags beside the door": ("shelf-0", "shelf-50", "shelf-200", "shelf-500", "door-propped"),
    "Tags that are hard to read": ("backpack", "face-to-face", "foil-bag", "peeled-tag"),
    "Installing a door": ("commissioning",),
    "Sensors and badges": ("beam-triggered", "motion-triggered", "badge", "thief-behind-trolley"),
    "Several doors": (
        "two-doors-one-gateway",
        "two-doors-two-gateways",
        "two-portals-between-rooms",
        "transfer-two-sites",
        "office",
        "working-day",
    ),
    "Readers and load": ("reader-faults", "crowd"),
}
"""The gallery in the order of its page."""
_BY_NAME = {
    "opens": "one of `for-walkers`, `always`, `never`, or list of spans",
    "speeds_mps": "slowest, fastest",
    "size": "along x, along y",
}
"""Keys whose type alone would say too little."""
_WORDS = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Place: "x, y",
    Point: "three numbers",
    Stop: "three numbers",
}


def schema_page() -> str:
    """Return the reference of scenario files."""
    lines = [MADE, "", "# Scenario files", ""]
    lines += [
        "A scenario is one TOML file. A key that isn't listed here is an error, which names the key and its place.",
        "How to write a first one: [../scenarios.md](../scenarios.md); many to copy from: [gallery.md](gallery.md).",
        "Switches and actions of faults: [faults.md](faults.md).",
        "Places are metres, angles degrees counter-clockwise, times seconds of the scenario. Tags are numbers from 1;",
        'where a key takes *tags*, a number, a span such as `"11..60"` and a list of both will do.',
        "",
    ]
    for title, part in _sections("", Scenario):
        lines += [f"## {title or 'Top level'}", "", (part.__doc__ or "").strip(), ""]
        lines += ["| key | type | default | bounds | what |", "|---|---|---|---|---|"]
        lines += [
            _row(name, field)
            for name, field in part.model_fields.items()
            if name == "points" or not _inner(field.annotation)
        ]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def gallery_page() -> str:
    """Return the page of pictures."""
    lines = [MADE, "", "# Scenarios that come with the simulator", ""]
    lines += [
        "Serve, record or draw each by its name: `stockgate-sim serve hatch`, `stockgate-sim run hatch --record FILE`,",
        "`stockgate-sim plot hatch --out hatch.png`. The files are in `simulator/scenarios/`. A picture shows walls,",
        "doors, antennas with their ports, and who goes where and when; the tag whose reads are below is in red.",
        "`make gallery` draws all of them anew.",
    ]
    for title, names in GROUPS.items():
        lines += ["", f"## {title}"]
        for name in names:
            lines += ["", f"### {name}", "", *_told(name)]
    return "\n".join(lines) + "\n"


def _told(name: str) -> list[str]:
    scenario = load(name)
    moving = f"{scenario.traffic.people} people" if scenario.traffic else _many(len(scenario.walks), "walk")
    counts = f"{_many(len(scenario.portals), 'portal')}, {_many(scenario.tags.count, 'tag')}, {moving}"
    region = " and ".join(sorted({reader.region.upper() for reader in scenario.readers}))
    lines = [f"{scenario.description} ({counts}, {region})"]
    if name not in NO_PICTURE:
        lines += ["", f"![{scenario.description}](../img/scenarios/{name}.png)"]
    return lines


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _sections(path: str, part: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Every part of a scenario with its place in the file."""
    yield path and _title(path), part
    for name, field in part.model_fields.items():
        for inner in _inner(field.annotation):
            many = "[]" if "tuple" in str(field.annotation) else ""
            yield from _sections(f"{path}.{name}{many}".removeprefix("."), inner)


def _title(path: str) -> str:
    name = path.removesuffix("[]").replace("[]", "")
    if name == "routes.points":
        return "A point of `routes.points` in its long form"
    return f"`[[{name}]]`" if path.endswith("[]") else f"`[{name}]`"


def _is_key(name: str, field: FieldInfo) -> bool:
    """Whether a field is told in the table of its part, in place of a section of its own."""
    return name == "points" or not _inner(field.annotation)


def _inner(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _inner(part)]


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _value(field.get_default(call_default_factory=True))
    cells = [
        f"`{name}`",
        _BY_NAME.get(name) or _type(field.annotation),
        default,
        _bounds(field),
        field.description or "",
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _value(value: Any) -> str:
    return "none" if value is None or value in ((), {}, []) else f"`{json.dumps(value)}`"


def _type(annotation: Any) -> str:
    """A type in words."""
    if _inner(annotation) == [annotation]:
        return "the long form"
    if annotation in _WORDS:
        return _WORDS[annotation]
    told = _TOLD.get(get_origin(annotation))
    if told is None:
        raise TypeError(f"{annotation}: say in docs_scenarios.py how this type is called")
    return told(get_args(annotation))


def _one_of(arguments: tuple[Any, ...]) -> str:
    return "one of " + ", ".join(f"`{item}`" for item in arguments)


def _either(arguments: tuple[Any, ...]) -> str:
    return " or ".join(_type(item) for item in arguments if item is not type(None))


def _tuple(arguments: tuple[Any, ...]) -> str:
    if Ellipsis not in arguments:
        return f"{len(arguments)} {_type(arguments[0])}s"
    inner = _type(arguments[0])
    return "tags" if inner == "integer" else f"list of {inner}"


_TOLD: dict[Any, Callable[[tuple[Any, ...]], str]] = {
    Annotated: lambda arguments: _type(arguments[0]),
    Literal: _one_of,
    Union: _either,
    types.UnionType: _either,
    tuple: _tuple,
    dict: lambda _: "table",
}


def _bounds(field: FieldInfo) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥", "max_length": "length ≤"}
    said = [
        f"{sign} {limit}"
        for item in field.metadata
        for key, sign in signs.items()
        if (limit := getattr(item, key, None)) is not None
    ]
    said += [f"matches `{item.pattern}`" for item in field.metadata if getattr(item, "pattern", None)]
    return ", ".join(said)


def pictures() -> list[str]:
    """Names of the scenarios that have a picture."""
    return [name for name in builtin_names() if name not in NO_PICTURE]
