"""Load, validate and match the profiles in `firmware_profiles`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from edge.profiles.errors import ProfileError
from edge.profiles.files import PACKAGE, data_files, nearest, parsed, read_data, validated
from edge.profiles.model import ReaderProfile, set_keys

GENERIC: Final = "generic/llrp"
AUTO: Final = "auto"
"""In a configuration: choose the profile by what the reader says that it is."""

_INDEX: Final = "index.toml"
_LISTS_BY_ID: Final = {"products": "name", "quirks": "id"}
"""Lists that a file adds to its template's, each item named by one of its keys; other lists it replaces."""


@dataclass(frozen=True, slots=True)
class Matched:
    """The profile for a reader, and in words what an installer should know about the choice; empty if nothing."""

    profile: ReaderProfile
    words: str


def parse_profile(text: str, *, file: str, template: Callable[[str], str] | None = None) -> ReaderProfile:
    """Return the profile in TOML `text`.

    Args:
        text: the file.
        file: its name, for errors.
        template: returns the text of a template by its name; that of `firmware_profiles` if not given.
    """
    return _parsed(text, {}, file=file, template=template or _template_text)


def check_template(text: str, *, file: str) -> None:
    """Raise `ProfileError` where a template couldn't stand in a profile; it has neither name nor title of its own."""
    for key in ("name", "title"):
        if key in parsed(text, file=file):
            raise ProfileError(f"{file}: {key} has no place in a template: each profile has its own")
    _parsed(text, {"name": f"{ReaderProfile.TEMPLATES}/any", "title": "any"}, file=file, template=_template_text)


@cache
def profiles() -> tuple[ReaderProfile, ...]:
    """Return all profiles in the order in which they are tried; the last one, `generic/llrp`, fits every reader."""
    index = parsed(read_data(_INDEX), file=f"{PACKAGE}/{_INDEX}")
    return tuple(_load(name) for name in index["profiles"])


def profile_named(name: str) -> ReaderProfile:
    """Return a profile by its name."""
    for profile in profiles():
        if profile.name == name:
            return profile
    names = [profile.name for profile in profiles()]
    label = name.rpartition("/")[2].lower()
    sold = [one.name for one in profiles() for product in one.products if label in product.name.lower().split()]
    near = f"; the nearest is {sold[0]}" if sold else nearest(name, names)
    raise ProfileError(f"no reader profile {name!r}{near}; there are {AUTO}, {', '.join(names)}")


def match_profile(*, vendor: int, model: int, firmware: str) -> ReaderProfile:
    """Return the first profile that fits; an unknown reader gets `generic/llrp`."""
    return match_reader(vendor=vendor, model=model, firmware=firmware).profile


def match_reader(*, vendor: int, model: int, firmware: str) -> Matched:
    """Return the first profile that fits and what is to be said about it: unknown reader, unknown firmware."""
    itself = f"vendor {vendor}, model {model}, firmware {firmware}"
    found = next(one for one in profiles() if one.fits(vendor=vendor, model=model, firmware=firmware))
    if found.name != GENERIC:
        return Matched(found, _distant_words(found, model, firmware))
    other = next((one for one in profiles()[:-1] if one.fits_model(vendor=vendor, model=model)), None)
    if other is not None:
        words = f"{other.name} knows this reader ({itself}), but holds for firmware {other.match.firmware_span} only"
        return Matched(found, f"{words}: {GENERIC} is used, without vendor extensions and phase")
    return Matched(found, f"no profile knows this reader ({itself}): {GENERIC} is used, without phase")


def schema_text() -> str:
    """Return the JSON Schema of a profile file, as committed in firmware_profiles/schema.json."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **ReaderProfile.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def template_names() -> list[str]:
    """Return the names of the templates."""
    return [file.removesuffix(".toml") for file in data_files(ReaderProfile.TEMPLATES)]


def _parsed(text: str, head: dict[str, Any], *, file: str, template: Callable[[str], str]) -> ReaderProfile:
    chain = _chain(text, file=file, template=template)
    merged = dict(head)
    for _, data in reversed(chain):
        merged = _over(merged, data)
    profile = validated(ReaderProfile, {**head, **merged}, file=file)
    for part, data in chain:
        _check_evidence(data, part)
    return profile


def _distant_words(profile: ReaderProfile, model: int, firmware: str) -> str:
    """Say how far the reader is from those that the profile was held against."""
    if not profile.match.models:
        return f"model {model} is not known by its number: it is taken for a relative of {profile.title}"
    seen = profile.match.firmware_seen
    if not seen or firmware in seen:
        return ""
    return f"firmware {firmware} is not among those that {profile.name} was held against ({', '.join(seen)})"


def _load(name: str) -> ReaderProfile:
    file = f"{name}.toml"
    profile = parse_profile(read_data(file), file=f"{PACKAGE}/{file}")
    if profile.name != name:
        raise ProfileError(f"{PACKAGE}/{file}: name is {profile.name!r}; the file's place says {name!r}")
    return profile


def _template_text(name: str) -> str:
    return read_data(f"{name}.toml")


def _chain(text: str, *, file: str, template: Callable[[str], str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the file and the templates that it goes back to, nearest first."""
    chain = [(file, parsed(text, file=file))]
    names: list[str] = []
    while isinstance(parent := chain[-1][1].get("extends"), str):
        if parent in names:
            raise ProfileError(f"{file}: extends goes in a circle: {' > '.join((*names, parent))}")
        if not parent.startswith(f"{ReaderProfile.TEMPLATES}/"):
            raise ProfileError(f"{file}: extends is {parent!r}: only {ReaderProfile.TEMPLATES}/… can be extended")
        names.append(parent)
        chain.append((f"{parent}.toml", parsed(template(parent), file=f"{parent}.toml")))
    return chain


def _over(base: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Put a file's values over those of its template."""
    merged = {key: value for key, value in base.items() if key not in {"name", "title", "extends"}}
    for key, value in data.items():
        below = merged.get(key)
        if key in _LISTS_BY_ID and isinstance(below, list) and isinstance(value, list):
            own = [_named(item, key) for item in value]
            merged[key] = [item for item in below if _named(item, key) not in own] + value
        elif isinstance(below, dict) and isinstance(value, dict):
            merged[key] = {**below, **value}
        else:
            merged[key] = value
    return merged


def _named(item: object, table: str) -> object:
    return item.get(_LISTS_BY_ID[table]) if isinstance(item, dict) else item


def _check_evidence(data: dict[str, Any], file: str) -> None:
    """Each value that a file sets has its source in that file, and each source its value."""
    given, sources = set(set_keys(data)), set(data.get("evidence", {}))
    for key in sorted(given - sources):
        raise ProfileError(
            f'{file}: {key} has no source: add evidence."{key}"; begin it with "unverified" if not tried'
        )
    for key in sorted(sources - given):
        raise ProfileError(f'{file}: evidence."{key}" is about no value in this file{nearest(key, sorted(given))}')
