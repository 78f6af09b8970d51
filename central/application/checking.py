"""What is wrong with sheets that only the whole import and the registry together show. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from central.application.asset_acts import state_problems
from central.application.calendars import unreached
from central.application.errors import NotFound
from central.application.sheets import Problem, SheetRow, Sheets
from central.domain.axes import AssetState
from central.domain.exits import pass_kind
from central.domain.places import PORTAL_MODES, Location, PlaceError, Places, Portal
from central.domain.tags import Bindings, TagError, Wanted, bind


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry holds already, as far as sheets refer to it."""

    locations: Mapping[str, Location]
    gateways: Mapping[str, str]
    """Gateway to site."""
    portals: Mapping[str, Portal]
    roles: Collection[str]
    people: Collection[str]
    pools: Collection[str]
    assets: Collection[str]
    parents: Mapping[str, str]
    """Assets in others, as far up as the sheets' assets reach."""
    tags: Bindings
    states: Mapping[str, AssetState] = field(default_factory=dict)
    inactive: Collection[str] = frozenset()
    """People who act no more."""
    machines: Collection[str] = frozenset()
    """Service accounts: they tell, and approve nothing."""


def acting(known: Known, by: str, sheets: Sheets | None = None) -> None:
    """Raise `NotFound` unless somebody may import: active, or told by the very first sheets of people themselves."""
    # Sheets with problems write nothing: they are told of before it matters who brings them.
    first = sheets is not None and not known.people and (by in sheets.ids("people") or bool(sheets.problems))
    if by != IMPORTER and not first and (by not in known.people or by in known.inactive):
        raise NotFound(f"by: there is no active person or service account {by!r}: /api/v1/people lists them")


def check(sheets: Sheets, known: Known, now: datetime) -> list[Problem]:
    """Return what is wrong with the sheets, with file and line."""
    problems: list[Problem] = []
    locations = {**known.locations, **_told(sheets)}
    there = _there(sheets, known, locations)
    for kind, column, what in _REFERENCES:
        problems += _missing(sheets, kind, column, there[what], what=what)
    problems += _check_tree(sheets, locations)
    active = {row.values["id"]: row.values.get("active", True) for row in sheets.rows["people"]}
    gone = {name for name in known.inactive if not active.get(name)} | {name for name, on in active.items() if not on}
    kinds = dict.fromkeys(known.machines, "service")
    kinds |= {row.values["id"]: row.values["kind"] for row in sheets.rows["people"] if "kind" in row.values}
    machines = {name for name, kind in kinds.items() if kind == "service"}
    world = _World(known, locations, _portals(sheets, known), now, gone, machines)
    for kind, look in _LOOKS.items():
        problems += [Problem(row.file, row.line, text) for row in sheets.all(kind) for text in look(row, world)]
    problems += [
        Problem(row.file, row.line, text) for row in sheets.all("assets") for text in _custodian(row, there, locations)
    ]
    problems += _check_sites(sheets, known)
    problems += _check_parents(sheets, known)
    return problems


_REFERENCES: Final = (
    ("portals", "inside", "location"), ("portals", "outside", "location"), ("assets", "location", "location"),
    ("authorisations", "boundary", "location"), ("people", "location", "location"),
    ("role_holders", "location", "location"), ("openings", "location", "location"), ("tags", "asset", "asset"),
    ("authorisations", "asset", "asset"), ("serials", "asset", "asset"), ("assets", "parent", "asset"),
    ("locations", "owner_role", "role"), ("role_holders", "role", "role"), ("role_holders", "person", "person"),
    ("pools", "owner", "person"), ("authorisations", "person", "person"), ("authorisations", "requested_by", "person"),
    ("authorisations", "approved_by", "person"), ("neighbours", "portal", "portal"),
    ("neighbours", "neighbour", "portal"), ("openings", "portal", "portal"), ("opening_hours", "location", "location"),
    ("travel_times", "one", "location"), ("travel_times", "other", "location"),
    ("calendar_overrides", "location", "location"), ("portal_mutes", "portal", "portal"),
)  # fmt: skip
"""Which column of which sheet names what."""
_SHEET: Final = {"person": "people", "pool": "pools"}


@dataclass(frozen=True, slots=True)
class _World:
    """The registry as it will be, for looks at one row."""

    known: Known
    locations: Mapping[str, Location]
    portals: Mapping[str, Portal]
    now: datetime
    gone: Collection[str] = frozenset()
    """People who act no more, by what stands and what the sheets say."""
    machines: Collection[str] = frozenset()
    """Service accounts, by what stands and what the sheets say."""


LONGEST_MUTE: Final = timedelta(days=31)
"""Whoever wants a door to be quiet for longer gives it another mode."""
IMPORTER: Final = "import"
"""Who imports by the command line, unless somebody is named: who may run it holds the database's password."""
Look = Callable[[SheetRow, _World], Iterator[str]]


def _there(sheets: Sheets, known: Known, locations: Mapping[str, Location]) -> dict[str, Collection[str]]:
    return {
        "location": locations,
        "asset": {*known.assets, *sheets.ids("assets")},
        "role": {*known.roles, *sheets.ids("roles")},
        "person": {*known.people, *sheets.ids("people")},
        "pool": {*known.pools, *sheets.ids("pools")},
        "portal": {*known.portals, *sheets.ids("portals")},
    }


def _missing(sheets: Sheets, kind: str, column: str, there: Collection[str], *, what: str) -> list[Problem]:
    sheet = _SHEET.get(what, f"{what}s")
    return [
        Problem(row.file, row.line, f"{column}: there is no {what} {row.values[column]!r}: add it to {sheet}.csv")
        for row in sheets.all(kind)
        if row.values.get(column) is not None and row.values[column] not in there
    ]


def _told(sheets: Sheets) -> dict[str, Location]:
    """Return the sheets' locations; a broken row's stands in for what it is to be, so that nothing else looks wrong."""
    told = {
        row.values["id"]: Location(row.values["id"], "", "", row.values.get("parent"), guarded=True)
        for row in sheets.broken["locations"]
        if "id" in row.values
    }
    return told | {row.values["id"]: Location(**row.values) for row in sheets.rows["locations"]}


def _portals(sheets: Sheets, known: Known) -> dict[str, Portal]:
    told = {
        row.values["id"]: Portal(**{name: value for name, value in row.values.items() if name != "site"})
        for row in sheets.rows["portals"]
    }
    return {**known.portals, **told}


def _check_tree(sheets: Sheets, locations: Mapping[str, Location]) -> list[Problem]:
    places = Places(locations)
    problems = []
    for row in sheets.all("locations"):
        start = row.values.get("id", row.values.get("parent"))
        try:
            places.chain(start) if start is not None else None
        except PlaceError as error:
            problems.append(Problem(row.file, row.line, f"parent: {error}"))
    return problems


def _check_sites(sheets: Sheets, known: Known) -> list[Problem]:
    problems = []
    sites = dict(known.gateways)
    for row in sheets.all("portals"):
        site, gateway = row.values.get("site"), row.values.get("gateway")
        if site is not None and gateway is not None and sites.setdefault(gateway, site) != site:
            text = f"site: gateway {gateway!r} is at site {sites[gateway]!r} already, and an id is used once only"
            problems.append(Problem(row.file, row.line, text))
    return problems


def _check_parents(sheets: Sheets, known: Known) -> list[Problem]:
    told = [row for row in sheets.all("assets") if "id" in row.values and "parent" in row.values]
    parents = {**known.parents, **{row.values["id"]: row.values["parent"] for row in told}}
    problems = []
    for row in told:
        chain = [row.values["id"]]
        while (step := parents.get(chain[-1])) is not None and step not in chain:
            chain.append(step)
        if step is not None:
            text = f"parent: asset {chain[0]!r} lies within itself: {' > '.join([*chain, step])}"
            problems.append(Problem(row.file, row.line, text))
    return problems


def _portal(row: SheetRow, world: _World) -> Iterator[str]:
    name, mode = row.values.get("id"), row.values.get("mode")
    held = world.known.portals.get(name or "")
    if held is not None and mode is not None and PORTAL_MODES.index(mode) > PORTAL_MODES.index(held.mode):
        yield f"mode: {name!r} has {held.mode}; PUT /api/v1/portals/{name}/mode makes it louder, once it is ready"
    if row.values.get("inside") is not None and row.values["inside"] == row.values.get("outside"):
        yield "outside: a portal joins two different locations"


def _neighbour(row: SheetRow, _: _World) -> Iterator[str]:
    if row.values.get("portal") is not None and row.values["portal"] == row.values.get("neighbour"):
        yield "neighbour: a portal is no neighbour of itself"


def _opening(row: SheetRow, world: _World) -> Iterator[str]:
    locations = world.locations
    kind, name, location = row.values.get("kind"), row.values.get("portal"), row.values.get("location")
    if kind == "portal" and "portal" in row.values and name is None:
        yield "portal: name the portal that this opening is"
    if kind not in {None, "portal"} and name is not None:
        yield f"portal: leave it empty, an opening of kind {kind} is no portal"
    portal = world.portals.get(name) if name is not None else None
    if portal is None or location not in locations or not {portal.inside, portal.outside} <= locations.keys():
        return
    try:
        places = Places(locations)
        inside, outside = places.chain(portal.inside), places.chain(portal.outside)
    except PlaceError:
        return  # told at the locations' own rows
    if (location in inside) == (location in outside):
        yield f"portal: {name!r} leads from {portal.inside!r} to {portal.outside!r}, not in or out of {location!r}"


def _asset(row: SheetRow, world: _World) -> Iterator[str]:
    state = world.known.states.get(row.values.get("id", ""), AssetState())
    yield from state_problems(row.values, state, world.now)


def _custodian(row: SheetRow, there: Mapping[str, Collection[str]], locations: Mapping[str, Location]) -> Iterator[str]:
    kind, name = row.values.get("custody_kind"), row.values.get("custodian")
    if kind in {"person", "pool"} and name is not None and name not in there[kind]:
        yield f"custodian: there is no {kind} {name!r}: add it to {_SHEET[kind]}.csv"
    if kind in {"stockroom", "vendor"} and name is not None:
        place = locations.get(name)
        if place is None or (place.kind not in {"vendor", "repair", ""} and kind == "vendor"):
            yield f"custodian: there is no {kind} location {name!r}: add it to locations.csv"


def _serial(row: SheetRow, _: _World) -> Iterator[str]:
    if "to_at" in row.values and row.values["to_at"] is None:
        yield "to_at: say until when; the serial that an asset bears now stands in assets.csv"
    yield from _later(row.values, "from_at", "to_at")


def _tag(row: SheetRow, world: _World) -> Iterator[str]:
    if not {"epc", "asset", "role"} <= row.values.keys():
        return
    try:
        bind(world.known.tags.of(row.values["epc"]), wanted_tag(row), world.now)
    except TagError as error:
        yield f"epc: {error}"


def wanted_tag(row: SheetRow) -> Wanted:
    """Return what a row of tags.csv wants."""
    return Wanted(row.values["epc"], row.values["asset"], row.values["role"], row.values)


def _authorisation(row: SheetRow, world: _World) -> Iterator[str]:
    boundary = world.locations.get(row.values.get("boundary", ""))
    if boundary is not None and not boundary.guarded:
        yield f"boundary: {boundary.id!r} is not guarded, leaving it needs no authorisation: name what holds it"
    yield from party_problems(row.values, world.gone, world.machines)
    yield from authorisation_problems(row.values)


def party_problems(values: Mapping[str, Any], gone: Collection[str], machines: Collection[str]) -> Iterator[str]:
    """Yield who of an authorisation can't be what it says: people who act no more, and machines: they only ask."""
    for column in ("requested_by", "approved_by"):
        if (name := values.get(column)) in gone:
            yield f"{column}: {name!r} is not active any more: who still is has to say so"
    if (name := values.get("approved_by")) in machines:
        yield f"approved_by: {name!r} is a service account: a person has to approve it"
    carrier = values.get("person") if values.get("kind") == "gate_pass" else None
    if carrier in gone:
        yield f"person: {carrier!r} is not active any more: name who carries it out"
    if carrier in machines:
        yield f"person: {carrier!r} is a service account: a person carries it out"


def authorisation_problems(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with when an authorisation holds and who asks for, approves and uses it, by column."""
    yield from _later(values, "valid_from", "valid_to")
    approver = values.get("approved_by")
    if approver is not None and approver == values.get("requested_by"):
        yield f"approved_by: {approver!r} asked for it, so another has to approve it"
    if approver is not None and approver == values.get("person"):
        yield f"approved_by: {approver!r} carries it out, so another has to approve it"
    despite = values.get("despite")
    if isinstance(despite, list) and despite:
        for column in ("requested_by", "approved_by"):
            if values.get(column) is None:
                yield f"{column}: what leaves despite {', '.join(despite)} needs it"
    if values.get("kind") == "gate_pass":
        yield from _gate_pass(values)
    elif values.get("pass_kind") is not None:
        yield "pass_kind: only a gate pass has one, leave it empty"


def _gate_pass(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a gate pass lacks: who carries it out why and until when, who asked and approved, when it is back."""
    for column in ("person", "valid_to", "requested_by", "approved_by"):
        if values.get(column) is None:
            yield f"{column}: a gate pass needs it"
    if not str(values.get("reason") or "").strip():
        yield "reason: a gate pass says why the asset goes out"
    back = values.get("expected_return")
    if pass_kind(values.get("kind"), values.get("pass_kind")) == "returnable":
        if back is None:
            yield "expected_return: say when it is back, or give pass_kind non_returnable or inter_location"
        yield from _later(values, "valid_from", "expected_return")
    elif back is not None:
        yield f"expected_return: leave it empty, a pass of kind {values['pass_kind']} has none"


def _role_holder(row: SheetRow, world: _World) -> Iterator[str]:
    name = row.values.get("person")
    if name in world.machines and not row.values.get("removed"):
        yield f"person: {name!r} is a service account and answers for nothing: name a person"


def _hours(row: SheetRow, _: _World) -> Iterator[str]:
    opens, closes = row.values.get("opens"), row.values.get("closes")
    if opens is not None and closes is not None and closes <= opens:
        yield "closes: comes before opens; hours over midnight are two rows, until 23:59 and from 00:00"


def _travel(row: SheetRow, world: _World) -> Iterator[str]:
    one, other = row.values.get("one"), row.values.get("other")
    if one is not None and one == other:
        yield "other: a way from a site to itself takes no time, name two sites"
    for column, name in (("one", one), ("other", other)):
        place = world.locations.get(name or "")
        if place is not None and place.kind not in {"site", ""}:
            yield f"{column}: location {place.id!r} is a {place.kind}, name the site that it lies in"


def _override(row: SheetRow, _: _World) -> Iterator[str]:
    country, location, day = row.values.get("country"), row.values.get("location"), row.values.get("day")
    if (country is None) == (location is None):
        yield "location: say for whom the day counts, by a location or by a country, not by both"
    if row.values.get("subdivision") is not None and country is None:
        yield "subdivision: name its country too"
    elif day is not None and (why := unreached(date.fromisoformat(day), country, row.values.get("subdivision"))):
        yield f"day: {why}"


def _mute(row: SheetRow, world: _World) -> Iterator[str]:
    yield from _later(row.values, "from_at", "until_at")
    start, end = row.values.get("from_at"), row.values.get("until_at")
    if end is not None and end <= world.now:
        yield "until_at: is over already"
    if start is not None and end is not None and end - start > LONGEST_MUTE:
        yield f"until_at: a door is quietened for {LONGEST_MUTE.days} days at most"


def _later(values: Mapping[str, Any], first: str, second: str) -> Iterator[str]:
    start, end = values.get(first), values.get(second)
    if start is not None and end is not None and end <= start:
        yield f"{second}: comes before {first}"


_LOOKS: Final[Mapping[str, Look]] = {
    "role_holders": _role_holder,
    "portals": _portal,
    "neighbours": _neighbour,
    "openings": _opening,
    "assets": _asset,
    "serials": _serial,
    "tags": _tag,
    "authorisations": _authorisation,
    "opening_hours": _hours,
    "travel_times": _travel,
    "calendar_overrides": _override,
    "portal_mutes": _mute,
}
