"""Load, validate and match the profiles in `firmware_profiles`."""

import difflib
import json
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from edge.profiles.errors import ProfileError
from edge.profiles.model import ReaderProfile

GENERIC: Final = "generic/llrp"
AUTO: Final = "auto"
"""In a configuration: choose the profile by what the reader says that it is."""

_PACKAGE: Final = "firmware_profiles"
_INDEX: Final = "index.toml"


def parse_profile(text: str, *, file: str) -> ReaderProfile:
    """Return the profile in TOML `text`; `file` is named in errors."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{file}: not TOML: {error}") from error
    try:
        profile = ReaderProfile.model_validate(data)
    except ValidationError as error:
        raise ProfileError("\n".join(f"{file}: {_words(fault)}" for fault in error.errors())) from error
    _check_evidence(profile, file)
    return profile


@cache
def profiles() -> tuple[ReaderProfile, ...]:
    """Return all profiles in the order in which they are tried; the last one, `generic/llrp`, fits every reader."""
    index = tomllib.loads(_read(_INDEX))
    return tuple(_load(name) for name in index["profiles"])


def profile_named(name: str) -> ReaderProfile:
    """Return a profile by its name."""
    for profile in profiles():
        if profile.name == name:
            return profile
    names = [profile.name for profile in profiles()]
    raise ProfileError(f"no reader profile {name!r}{_nearest(name, names)}; there are {AUTO}, {', '.join(names)}")


def match_profile(*, vendor: int, model: int, firmware: str) -> ReaderProfile:
    """Return the first profile that fits; an unknown reader gets `generic/llrp`."""
    return next(
        (one for one in profiles() if one.fits(vendor=vendor, model=model, firmware=firmware)), profile_named(GENERIC)
    )


def schema_text() -> str:
    """Return the JSON Schema of a profile file, as committed in firmware_profiles/schema.json."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **ReaderProfile.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _load(name: str) -> ReaderProfile:
    file = f"{name}.toml"
    profile = parse_profile(_read(file), file=f"{_PACKAGE}/{file}")
    if profile.name != name:
        raise ProfileError(f"{_PACKAGE}/{file}: name is {profile.name!r}; the file's place says {name!r}")
    return profile


def _read(file: str) -> str:
    try:
        return resources.files(_PACKAGE).joinpath(file).read_text(encoding="utf-8")
    except (OSError, ModuleNotFoundError) as error:
        raise ProfileError(f"{_PACKAGE}/{file} can't be read: {error}") from error


def _check_evidence(profile: ReaderProfile, file: str) -> None:
    """Each value that is set has its source, and each source its value."""
    given = set(_dotted(profile))
    for key in sorted(given - set(profile.evidence)):
        raise ProfileError(
            f'{file}: {key} has no source: add evidence."{key}"; begin it with "unverified" if not tried'
        )
    for key in sorted(set(profile.evidence) - given):
        raise ProfileError(f'{file}: evidence."{key}" is about no value in this file{_nearest(key, sorted(given))}')


def _dotted(profile: ReaderProfile) -> list[str]:
    tables = (name for name in profile.model_fields_set if isinstance(getattr(profile, name), BaseModel))
    return [f"{name}.{key}" for name in tables for key in getattr(profile, name).model_fields_set]


def _words(fault: Any) -> str:
    """Put one pydantic fault in words, with the nearest right key for an unknown one."""
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"{place or 'the profile'}: {fault['msg']}"
    *parents, key = fault["loc"]
    model: Any = ReaderProfile
    for parent in parents:
        model = model.model_fields[parent].annotation
    return f"{place} is no key of a profile{_nearest(str(key), list(model.model_fields))}"


def _nearest(name: str, names: Sequence[str]) -> str:
    found = difflib.get_close_matches(name, names, n=1)
    return f"; the nearest is {found[0]}" if found else ""
