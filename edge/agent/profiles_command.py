"""The bodies of `stockgate-edge profiles list | show | lint | match`.

Exit codes: 0 all well; 1 something is to be seen to (lint found a fault, no profile knows the reader); 2 wrong use.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from edge.agent.tables import complain, console, show_json, show_table
from edge.agent.told import ToldError, read_capabilities
from edge.llrp.control import Capabilities
from edge.profiles import GENERIC, ProfileError, ReaderProfile, match_reader, parse_profile, profile_named, profiles
from edge.profiles.files import PACKAGE, read_data
from edge.profiles.regions import FOLDER, parse_region, regions, regions_told
from edge.profiles.store import check_template, template_names

EXIT_SEE_TO: Final = 1
EXIT_USAGE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How a reader describes itself, and the rest of its capabilities where they are recorded."""

    vendor: int
    model: int
    firmware: str
    capabilities: Capabilities | None = None


def list_profiles(*, as_json: bool) -> int:
    """List the profiles in the order in which they are tried."""
    if as_json:
        show_json([_summary(profile) for profile in profiles()])
        return 0
    heads = ("profile", "for", "vendor", "models", "firmware", "unverified")
    rows = [
        (
            profile.name,
            profile.title,
            _shown(profile.match.vendor),
            _models(profile),
            profile.match.firmware_span,
            f"{len(profile.unverified)} of {len(profile.sources)}",
        )
        for profile in profiles()
    ]
    show_table(console(), heads, rows)
    return 0


def show_profile(name: str, *, as_json: bool) -> int:
    """Show a profile value by value, each with its source."""
    try:
        profile = profile_named(name)
    except ProfileError as error:
        complain(str(error))
        return EXIT_USAGE
    if as_json:
        show_json(profile.model_dump(exclude_none=True))
        return 0
    out = console()
    out.print(f"{profile.name}: {profile.title}")
    show_table(out, ("key", "value", "source"), _values(profile))
    if profile.products:
        rows = [(one.name, _shown(one.model), _shown(one.antenna_ports), one.evidence) for one in profile.products]
        show_table(out, ("reader", "ModelName", "antenna ports", "source"), rows)
    if profile.quirks:
        rows = [(one.id, one.what, one.so, one.evidence) for one in profile.quirks]
        show_table(out, ("quirk", "the reader", "the agent", "source"), rows)
    return 0


def lint(files: list[Path]) -> int:
    """Check files, or all that is shipped: syntax, keys, bounds, a source for each value, names and places."""
    found = list(_shipped_faults()) if not files else [fault for file in files for fault in _file_faults(file)]
    for fault in found:
        complain(fault)
    if found:
        return EXIT_SEE_TO
    what = f"{len(files)} files" if files else f"{len(profiles())} profiles and {len(regions())} regions"
    console().print(f"{what}: no faults")
    return 0


def match(told: Told | None, recording: Path | None, *, as_json: bool) -> int:
    """Say which profile a reader gets, and why; `told` or a recording of its capabilities describes it."""
    try:
        reader = _told(told, recording)
    except ToldError as error:
        complain(str(error))
        return EXIT_USAGE
    matched = match_reader(vendor=reader.vendor, model=reader.model, firmware=reader.firmware)
    findings = dict(_findings(reader, matched.profile))
    if as_json:
        show_json({"profile": matched.profile.name, "notes": [matched.words] if matched.words else [], **findings})
    else:
        rows = [("profile", f"{matched.profile.name}: {matched.profile.title}")]
        rows += [("note", matched.words)] if matched.words else []
        rows += [(key.replace("_", " "), _told_words(value)) for key, value in findings.items()]
        show_table(console(), ("what", "is"), rows)
    return EXIT_SEE_TO if matched.profile.name == GENERIC else 0


def _told(told: Told | None, recording: Path | None) -> Told:
    if told is not None:
        return told
    if recording is None:
        raise ToldError("say which reader: --vendor, --model and --firmware, or a recording of its capabilities")
    seen = read_capabilities(recording)
    return Told(vendor=seen.vendor, model=seen.model, firmware=seen.firmware, capabilities=seen)


def _findings(reader: Told, profile: ReaderProfile) -> Iterator[tuple[str, Any]]:
    yield "reader", f"vendor {reader.vendor}, model {reader.model}, firmware {reader.firmware}"
    if (product := profile.product(reader.model)) is not None:
        yield "product", product.name
    yield "unverified", list(profile.unverified)
    seen = reader.capabilities
    if seen is None:
        return
    purposes: tuple[Literal["portal", "count"], ...] = ("portal", "count")
    for purpose in purposes:
        yield f"mode_{purpose}", profile.mode(purpose, seen.mode_ids).why
    told = regions_told(seen.country_code, seen.communications_standard)
    yield "regions", [region.name for region in told]
    yield "antenna_ports", seen.antennas
    yield "inputs", seen.gpis
    if seen.power_levels:
        levels = [level.cdbm for level in seen.power_levels]
        yield "power_dbm", [min(levels) / 100, max(levels) / 100]
    if seen.frequencies_khz:
        yield "channels_mhz", [seen.frequencies_khz[0] / 1000, seen.frequencies_khz[-1] / 1000]


def _shipped_faults() -> Iterator[str]:
    for load in (profiles, regions):
        try:
            load()
        except ProfileError as error:
            yield from str(error).splitlines()
    for name in template_names():
        try:
            check_template(read_data(f"{name}.toml"), file=f"{PACKAGE}/{name}.toml")
        except ProfileError as error:
            yield from str(error).splitlines()


def _file_faults(file: Path) -> Iterator[str]:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        yield f"{file}: cannot be read: {reason}"
        return
    place = file.resolve().with_suffix("")
    try:
        if place.parent.name == ReaderProfile.TEMPLATES:
            check_template(text, file=str(file))
            return
        if place.parent.name == FOLDER:
            name, wanted = parse_region(text, file=str(file)).name, place.name
        else:
            name, wanted = parse_profile(text, file=str(file)).name, f"{place.parent.name}/{place.name}"
    except ProfileError as error:
        yield from str(error).splitlines()
        return
    if name != wanted:
        yield f"{file}: name is {name!r}; the file's place in {PACKAGE} says {wanted!r}"


def _values(profile: ReaderProfile) -> Iterator[tuple[str, str, str]]:
    """Yield each value that some file sets; what isn't shown is the default of generic/llrp."""
    for key in sorted(profile.evidence):
        table, _, name = key.partition(".")
        yield key, _told_words(getattr(getattr(profile, table), name)), profile.evidence[key]


def _summary(profile: ReaderProfile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "title": profile.title,
        "match": profile.match.model_dump(exclude_none=True),
        "sources": len(profile.sources),
        "unverified": list(profile.unverified),
    }


def _models(profile: ReaderProfile) -> str:
    if profile.match.by_name_only:
        return "by name only"
    return ", ".join(str(model) for model in profile.match.models) or "any"


def _told_words(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_told_words(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _shown(value)


def _shown(value: object) -> str:
    return "not known" if value is None else str(value)
