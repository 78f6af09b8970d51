"""Import of registry sheets: every problem is told before anything is written, then one transaction writes all."""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from central.application.commit import shard_of
from central.application.judge import judge_again
from central.application.ports import Registry, Transaction
from central.application.sheets import COLUMNS, Problem, SheetRow, Sheets
from central.application.stories import tell
from central.domain.places import Location, PlaceError, Places

WORLDLY: Final = ("locations", "portals")
"""Sheets that may change how places are joined, and so what is inferred from that."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry holds already, as far as sheets refer to it."""

    locations: Mapping[str, Location]
    gateways: Mapping[str, str]
    portals: Mapping[str, str]
    """Portal to gateway."""
    assets: Collection[str]
    tags: Mapping[str, str]
    """EPC to asset."""


@dataclass(slots=True)
class Imported:
    """What an import did: rows by kind, or the problems that stopped it."""

    rows: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    alerts: list[int] = field(default_factory=list)


class RegistryTransaction(Transaction, Protocol):
    """The writing side of the registry, in one transaction that holds its lock."""

    async def known(self) -> Known:
        """Return what the registry holds."""

    async def write(self, kind: str, rows: list[SheetRow], now: datetime) -> set[str]:
        """Write the rows of a kind; return the assets of authorisations that are new or changed."""

    async def close(self, rows: Mapping[str, int], now: datetime) -> None:
        """Record the import as an act and make a new version of the registry."""


class RegistryStore(Protocol):
    """The store as an import sees it."""

    def importing(self) -> AbstractAsyncContextManager[RegistryTransaction]:
        """Open the one import transaction; an error in the block, or a `DryRun`, takes all of it back."""


class DryRun(Exception):  # noqa: N818 (it carries no error: it takes back a transaction that went well)
    """Ends a dry run inside the transaction, so that the database's own rules have been asked too."""


async def import_sheets(store: RegistryStore, sheets: Sheets, now: datetime, *, dry_run: bool = False) -> Imported:
    """Check sheets against the registry and write them, all or nothing; the same sheets again change nothing."""
    done = Imported(problems=list(sheets.problems))
    try:
        async with store.importing() as transaction:
            done.problems += _check(sheets, await transaction.known())
            if not done.problems:
                await _write(transaction, sheets, now, done)
            _keep_only_if(not done.problems and not dry_run)
    except DryRun:
        done.problems.sort(key=lambda one: (one.file, one.line))
    return done


def _keep_only_if(good: bool) -> None:  # noqa: FBT001 (a condition, not a flag)
    if not good:
        raise DryRun


async def _write(transaction: RegistryTransaction, sheets: Sheets, now: datetime, done: Imported) -> None:
    changed: set[str] = set()
    for kind in COLUMNS:
        if sheets.rows[kind]:
            changed |= await transaction.write(kind, sheets.rows[kind], now)
            done.rows[kind] = len(sheets.rows[kind])
    moved = changed | sheets.ids("assets") | {row.values["asset"] for row in sheets.rows["tags"]}
    if any(sheets.rows[kind] for kind in WORLDLY):
        moved |= await transaction.stories.unsettled()
    await transaction.close(done.rows, now)
    registry: Registry = await transaction.registry()
    await transaction.stories.lock(moved)
    await tell(transaction, registry.world, registry.routes, dict.fromkeys(moved, shard_of("")), now)
    if changed:
        done.alerts = await judge_again(transaction, registry, changed, now)


def _check(sheets: Sheets, known: Known) -> list[Problem]:
    """Return the problems that only the whole import and the registry together show."""
    locations = {**known.locations, **_told(sheets)}
    assets = {*known.assets, *sheets.ids("assets")}
    problems = _check_tree(sheets, locations)
    for kind, column in (
        ("portals", "inside"),
        ("portals", "outside"),
        ("assets", "location"),
        ("authorisations", "boundary"),
    ):
        problems += _missing(sheets, kind, column, locations, what="location")
    for kind in ("tags", "authorisations"):
        problems += _missing(sheets, kind, "asset", assets, what="asset")
    problems += _check_portals(sheets, known)
    problems += _check_tags(sheets, known)
    problems += _check_authorisations(sheets, locations)
    return problems


def _missing(sheets: Sheets, kind: str, column: str, there: Collection[str], *, what: str) -> list[Problem]:
    return [
        Problem(row.file, row.line, f"{column}: there is no {what} {row.values[column]!r}: add it to {what}s.csv")
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


def _check_portals(sheets: Sheets, known: Known) -> list[Problem]:
    problems = []
    sites = dict(known.gateways)
    for row in sheets.all("portals"):
        site, gateway = row.values.get("site"), row.values.get("gateway")
        if row.values.get("inside") is not None and row.values["inside"] == row.values.get("outside"):
            problems.append(Problem(row.file, row.line, "outside: a portal joins two different locations"))
        if site is not None and gateway is not None and sites.setdefault(gateway, site) != site:
            text = f"site: gateway {gateway!r} is at site {sites[gateway]!r} already, and an id is used once only"
            problems.append(Problem(row.file, row.line, text))
    return problems


def _check_tags(sheets: Sheets, known: Known) -> list[Problem]:
    return [
        Problem(row.file, row.line, f"epc: {row.values['epc']} is on asset {known.tags[row.values['epc']]!r} already: "
                "use another tag, a used one would carry its history along")
        for row in sheets.all("tags")
        if {"epc", "asset"} <= row.values.keys()
        and known.tags.get(row.values["epc"], row.values["asset"]) != row.values["asset"]
    ]  # fmt: skip


def _check_authorisations(sheets: Sheets, locations: Mapping[str, Location]) -> list[Problem]:
    problems = []
    for row in sheets.all("authorisations"):
        start, end = row.values.get("valid_from"), row.values.get("valid_to")
        if start is not None and end is not None and end <= start:
            problems.append(Problem(row.file, row.line, "valid_to: comes before valid_from"))
        boundary = locations.get(row.values.get("boundary", ""))
        if boundary is not None and not boundary.guarded:
            text = f"boundary: {boundary.id!r} is not guarded, leaving it needs no authorisation: name what holds it"
            problems.append(Problem(row.file, row.line, text))
    return problems
