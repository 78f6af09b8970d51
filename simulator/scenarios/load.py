"""Read a scenario by path or by a built-in's name, with errors that name the key and its nearest right one."""

import difflib
import tomllib
from importlib import resources
from pathlib import Path
from types import UnionType
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simulator.scenarios.errors import ScenarioError
from simulator.scenarios.model import Scenario

MOST_BYTES: Final = 64 << 20
"""Of a scenario's file."""


def builtin_names() -> list[str]:
    """Names of the scenarios that come with the simulator."""
    entries = resources.files("simulator.scenarios").iterdir()
    return sorted(entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml"))


def load(name_or_path: str) -> Scenario:
    """Load a scenario.

    Raises:
        ScenarioError: there is none of that name, or it is wrong.
    """
    return parse(*read(name_or_path))


def read(name_or_path: str) -> tuple[str, str]:
    """Return a scenario's TOML as it stands, and what to call it in errors.

    Raises:
        ScenarioError: there is none of that name, or it can't be read.
    """
    if name_or_path in builtin_names():
        text = resources.files("simulator.scenarios").joinpath(f"{name_or_path}.toml").read_text(encoding="utf-8")
        return text, f"built-in scenario {name_or_path}"
    path = Path(name_or_path)
    try:
        size = path.stat().st_size
        if not path.is_file() or size > MOST_BYTES:
            raise ScenarioError(
                f"{path}: can't be read as a scenario: it is no regular file of up to {MOST_BYTES >> 20} MB"
            )
        return path.read_text(encoding="utf-8"), str(path)
    except FileNotFoundError:
        raise ScenarioError(_not_found(name_or_path)) from None
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: can't be read as a scenario: {error}") from error


def parse(text: str, where: str) -> Scenario:
    """Read a scenario's TOML text; `where` names it in errors.

    Raises:
        ScenarioError: it isn't TOML, or not a scenario.
    """
    try:
        return Scenario.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{where}: no valid TOML: {error}") from error
    except ValidationError as error:
        faults = "\n".join(f"  {_words(fault)}" for fault in error.errors())
        raise ScenarioError(f"{where}:\n{faults}") from error
    except (RecursionError, ValueError) as error:
        raise ScenarioError(f"{where}: can't be read as TOML: {error}") from error


def _not_found(name: str) -> str:
    names = builtin_names()
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"scenario {name!r}: no such file, and no built-in of that name; {hint}Built in are: {', '.join(names)}"


def _words(fault: ErrorDetails) -> str:
    """One fault in words, with its place in the file."""
    place = ".".join(str(part) for part in fault["loc"]) or "the scenario"
    if fault["type"] == "extra_forbidden":
        key = str(fault["loc"][-1])
        near = difflib.get_close_matches(key, _keys(fault["loc"][:-1]), n=1)
        return f"{place}: unknown key" + (f", did you mean {near[0]!r}?" if near else "; remove it")
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}"


def _keys(loc: tuple[int | str, ...]) -> list[str]:
    """Right keys of the part at that place."""
    part: type[BaseModel] = Scenario
    for step in loc:
        if isinstance(step, str) and step in part.model_fields:
            part = _inner(part.model_fields[step].annotation)
    return list(part.model_fields)


def _inner(annotation: Any) -> type[BaseModel]:
    """The model inside of an annotation such as `tuple[Model, ...]` or `Model | None`."""
    if isinstance(annotation, type) and not isinstance(annotation, UnionType) and not get_args(annotation):
        return annotation if issubclass(annotation, BaseModel) else BaseModel
    return next((_inner(part) for part in get_args(annotation) if part is not Ellipsis), BaseModel)
