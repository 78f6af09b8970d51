"""Files of `firmware_profiles`: read, parse, and put what is wrong in words."""

import difflib
import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from edge.profiles.errors import ProfileError

PACKAGE: Final = "firmware_profiles"
Model = TypeVar("Model", bound=BaseModel)


def read_data(file: str) -> str:
    """Return the text of a file under `firmware_profiles`."""
    try:
        return resources.files(PACKAGE).joinpath(file).read_text(encoding="utf-8")
    except (OSError, ModuleNotFoundError) as error:
        raise ProfileError(f"{PACKAGE}/{file} can't be read: {error}") from error


def data_files(folder: str) -> list[str]:
    """Return the TOML files of one folder under `firmware_profiles`, as `folder/name.toml`."""
    there = resources.files(PACKAGE).joinpath(folder)
    try:
        return sorted(f"{folder}/{entry.name}" for entry in there.iterdir() if entry.name.endswith(".toml"))
    except OSError as error:
        raise ProfileError(f"{PACKAGE}/{folder} can't be read: {error}") from error


def parsed(text: str, *, file: str) -> dict[str, Any]:
    """Return the document in TOML `text`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{file}: not TOML: {error}") from error


def validated(model: type[Model], document: str | dict[str, Any], *, file: str) -> Model:
    """Return `document` as `model`; every fault in it is told at once."""
    data = parsed(document, file=file) if isinstance(document, str) else document
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ProfileError("\n".join(f"{file}: {_words(model, fault)}" for fault in error.errors())) from error


def nearest(name: str, names: Sequence[str]) -> str:
    """Return "; the nearest is …", or nothing if none is near; all `names` are lower-case."""
    found = difflib.get_close_matches(name.lower(), names, n=1)
    return f"; the nearest is {found[0]}" if found else ""


def _words(root: type[BaseModel], fault: Any) -> str:
    """Put one pydantic fault in words, with the nearest right key for an unknown one."""
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"{place or 'the file'}: {fault['msg'].removeprefix('Value error, ')}"
    *parents, key = fault["loc"]
    known = list(_section(root, parents).model_fields)
    what = "profile" if root.__name__ == "ReaderProfile" else root.__name__.lower()
    return f"{place} is no key of a {what}{nearest(str(key), known)}"


def _section(root: type[BaseModel], parents: Sequence[Any]) -> type[BaseModel]:
    """Follow a place down to the innermost table on its way."""
    section = root
    for parent in parents:
        field = section.model_fields.get(str(parent))
        if field is not None:
            inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
            section = next((one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)), section)
    return section
