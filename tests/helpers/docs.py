"""The pages that are made from code: `make docs` writes them, tests/contract/test_docs.py says when one is stale."""

import importlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from edge.config import EdgeConfig
from edge.contracts.schema import asyncapi, json_schemas
from edge.profiles import schema_text
from edge.profiles.regions import region_schema
from tests.accuracy.alarms_page import alarms_page
from tests.accuracy.central.page import central_page
from tests.accuracy.other_rules_page import other_rules_page
from tests.accuracy.page import accuracy_page
from tests.helpers.docs_faults import faults_page
from tests.helpers.docs_radio import profiles_page, regions_page
from tests.helpers.docs_scenarios import gallery_page, schema_page

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = {
    "stockgate": ("deploy.standalone.cli", "app"),
    "stockgate-edge": ("edge.cli", "app"),
    "stockgate-sim": ("simulator.cli", "app"),
    "stockgate-central": ("central.cli", "cli"),
}
_MADE = "<!-- Made by `make docs` from the code; changes here are overwritten. -->"


def pages() -> dict[str, Callable[[], str]]:
    """Return what makes each generated page, by the page's path under the checkout."""
    made = {f"docs/contracts/{name}.json": partial(_json, schema) for name, schema in json_schemas().items()}
    return made | {
        "docs/contracts/asyncapi.json": lambda: _json(asyncapi()),
        "docs/reference/edge-config.md": edge_config_page,
        "docs/reference/cli.md": cli_page,
        "docs/reference/profiles.md": profiles_page,
        "docs/reference/regions.md": regions_page,
        "docs/reference/scenario-schema.md": schema_page,
        "docs/reference/gallery.md": gallery_page,
        "docs/reference/other-rules.md": other_rules_page,
        "docs/reference/alarms.md": alarms_page,
        "docs/reference/faults.md": faults_page,
        "docs/reference/accuracy.md": accuracy_page,
        "docs/reference/central-accuracy.md": central_page,
        "firmware_profiles/schema.json": schema_text,
        "firmware_profiles/regions/schema.json": lambda: _json(region_schema()),
    }


def edge_config_page() -> str:
    """Return the reference of the agent's configuration file."""
    lines = [_MADE, "", "# `edge.toml`, the agent's configuration", ""]
    lines += ["`stockgate-edge run --config edge.toml` reads it. A key that isn't listed here is an error.", ""]
    for title, section in _sections("", EdgeConfig):
        lines += [f"## {title or 'Top level'}", "", (section.__doc__ or "").strip(), ""]
        lines += ["| key | type | default | bounds | what |", "|---|---|---|---|---|"]
        lines += [_row(name, field) for name, field in section.model_fields.items()]
        lines.append("")
    return "\n".join(lines)


def cli_page() -> str:
    """Return the reference of the four programs, from their own help."""
    lines = [_MADE, "", "# Commands", ""]
    for program, (module, name) in PROGRAMS.items():
        command = typer.main.get_command(getattr(importlib.import_module(module), name))
        lines += _command_lines(program, command, level=2)
    return "\n".join(lines)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _sections(title: str, section: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield title, section
    for name, field in section.model_fields.items():
        for inner in _models_in(field.annotation):
            array = "list" in str(field.annotation)
            path = f"{title.strip('[]`')}.{field.title or name}".removeprefix(".")
            yield from _sections(f"`[[{path}]]`" if array else f"`[{path}]`", inner)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.default is PydanticUndefined else _value(field.default)
    cells = [f"`{name}`", _type(field.annotation), default, _bounds(field), field.description or ""]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _value(value: Any) -> str:
    if isinstance(value, BaseModel):
        return "as in its table"
    return "none" if value is None else f"`{json.dumps(value)}`"


def _type(annotation: Any) -> str:
    if models := list(_models_in(annotation)):
        name = models[0].__name__.removesuffix("Config").lower()
        return f"{'tables' if 'list' in str(annotation) else 'table'} ({name})"
    arguments = [item for item in getattr(annotation, "__args__", ()) if item is not type(None)]
    if arguments and all(isinstance(item, str | int) for item in arguments):
        return "one of " + ", ".join(f"`{item}`" for item in arguments)
    if arguments:
        return _type(arguments[0])
    return {"str": "text", "int": "integer", "float": "number", "bool": "true or false"}[annotation.__name__]


def _bounds(field: FieldInfo) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "min_length": "length ≥", "max_length": "length ≤"}
    said = [f"{sign} {getattr(item, key)}" for item in field.metadata for key, sign in signs.items() if _has(item, key)]
    said += [f"matches `{item.pattern}`" for item in field.metadata if _has(item, "pattern")]
    return ", ".join(said)


def _has(item: Any, key: str) -> bool:
    return getattr(item, key, None) is not None


def _command_lines(name: str, command: Any, level: int) -> list[str]:
    lines = [f"{'#' * level} `{name}`", "", _paragraph(command.help), ""]
    shown = [item for item in command.params if not getattr(item, "hidden", False) and item.name != "help"]
    lines += [*map(_parameter, shown), ""] if shown else []
    for sub, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            lines += _command_lines(f"{name} {sub}", inner, level + 1)
    return lines


def _parameter(item: Any) -> str:
    names = ", ".join(f"`{option}`" for option in [*item.opts, *item.secondary_opts])
    shown = names if item.param_type_name == "option" else f"`{item.name.upper()}`"
    return f"- {shown}: {_paragraph(getattr(item, 'help', None))}"


def _paragraph(text: str | None) -> str:
    return " ".join((text or "").split())


def main() -> None:
    """Write every page."""
    for path, make in pages().items():
        target = ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(make(), "utf-8")
        print(path)  # noqa: T201 (a command line prints)


if __name__ == "__main__":
    main()
