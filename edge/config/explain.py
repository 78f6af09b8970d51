"""What pydantic finds, said as key path, trouble and remedy."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from edge.config.kinds import KINDS, READERS
from edge.config.model import EdgeConfig
from edge.profiles import ProfileError, profile_named, region_named

MAX_SHOWN: Final = 80
READER_SECTIONS: Final = {READERS, *KINDS.values()}
_NAMED: Final[Mapping[str, Callable[[str], object]]] = {"region": region_named, "profile": profile_named}
_QUOTED: Final = re.compile(r"'([^']*)'")
_ONE_OF: Final = {"host", "serial", "mqtt_topic"}


def explain(detail: ErrorDetails) -> str:
    """Say one of pydantic's findings as key path, trouble and remedy."""
    place, key = _key_path(detail["loc"]), str(detail["loc"][-1])
    if detail["type"] == "extra_forbidden":
        if key in _ONE_OF and detail["loc"][0] in READER_SECTIONS:
            return (
                f"{place}: a reader is dialled (`host`), on a serial line (`serial`) or publishes by itself "
                "(`mqtt_topic`): give one of them"
            )
        known = _fields_at(detail["loc"][:-1])
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        return f"{place}: unknown key; " + (f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}")
    about = _description(detail["loc"])
    if detail["type"] == "missing":
        return f"{place}: is missing. {about}"
    return f"{place}: {_wrong_value(key, detail, about)}"


def _wrong_value(key: str, detail: ErrorDetails, about: str) -> str:
    """Say what is wrong with a value, and which right one is nearest."""
    if detail["type"] == "string_pattern_mismatch" and key in _NAMED:
        return _unknown_name(key, detail["input"])
    near = _nearest_literal(detail) if detail["type"] == "literal_error" else ""
    # pydantic's own message of a validator of ours begins with "Value error, ".
    words = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
    return f"{words}, not {_shown(detail['input'])}{near}. {about}"


def _shown(value: object) -> str:
    """Return a value as it is written, but of a long one, such as a list of portals, its beginning alone."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _unknown_name(key: str, name: str) -> str:
    """Say which name is nearest to one that can't be any."""
    try:
        _NAMED[key](name)
    except ProfileError as error:
        return str(error)
    return f"{name!r} is no {key}"


def _nearest_literal(detail: ErrorDetails) -> str:
    """Return "; the nearest is …" of the values that a key may have, or nothing if none is near."""
    allowed = _QUOTED.findall(str(detail.get("ctx", {}).get("expected", "")))
    near = difflib.get_close_matches(str(detail["input"]).lower(), allowed, n=1)
    return f"; the nearest is {near[0]!r}" if near else ""


def _key_path(loc: Iterable[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def _section_at(loc: Iterable[str | int]) -> type[BaseModel]:
    """Follow a location down to the innermost settings section on its way."""
    section: type[BaseModel] = EdgeConfig
    for part in loc:
        field = section.model_fields.get(str(part))
        if field is not None:
            section = next(_sections_in(field.annotation), section)
    return section


def _sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _sections_in(inner)


def _fields_at(loc: Iterable[str | int]) -> list[str]:
    return list(_section_at(loc).model_fields)


def _description(loc: tuple[str | int, ...]) -> str:
    names = [part for part in loc if isinstance(part, str)]
    field = _section_at(loc[: loc.index(names[-1])]).model_fields.get(names[-1])
    return (field.description or "") if field is not None else ""
