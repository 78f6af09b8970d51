"""Import of registry sheets: every problem is told before anything is written, then one transaction writes all.

An import is an act with its rows: what each registry row was before and after, so that it can be taken back.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Protocol

from central.application.asset_acts import acts_of, told_words
from central.application.calendars import NewOverride, PlaceCalendars, shut_for_long
from central.application.checking import IMPORTER, Known, acting, check, wanted_tag
from central.application.columns import COLUMNS
from central.application.commit import BY_HAND
from central.application.duplicates import IMPORTS, duplicates
from central.application.judge import judge_again
from central.application.ports import Transaction
from central.application.rows import (
    ORDER,
    SAID,
    Change,
    Row,
    instant_text,
    merged,
    plain,
    row_key,
    same,
    serial_rows,
    tag_row,
)
from central.application.sheets import Problem, SheetRow, Sheets
from central.application.states import NewAct, States
from central.application.stories import tell
from central.domain.axes import AssetState
from central.domain.tags import bind

WORLDLY: Final = frozenset({"locations", "portals", "neighbours", "openings"})
"""Kinds that may change how places are joined, and so what is inferred from that."""


@dataclass(slots=True)
class Imported:
    """What an import did: rows by kind, or the problems that stopped it; `id` is its act's, None if nothing is kept."""

    rows: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    alerts: list[int] = field(default_factory=list)
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What sheets speak of: so much of the registry is looked at."""

    assets: Collection[str]
    epcs: Collection[str]


class RegistryRows(Protocol):
    """Whole rows of the registry by kind, and what imports changed in them."""

    async def rows(self, kind: str, ids: Collection[str]) -> list[Row]:
        """Return the rows whose first key column is among `ids`."""

    async def put(self, kind: str, rows: Sequence[Row], now: datetime) -> None:
        """Write whole rows."""

    async def drop(self, kind: str, rows: Sequence[Row], now: datetime) -> None:
        """Take rows off; assets and locations go out of sight."""

    async def note(self, import_: int, changes: Sequence[Change]) -> None:
        """Keep what an import changed."""

    async def noted(self, import_: int) -> list[Change]:
        """Return what an import changed."""

    async def placed(self, assets: Collection[str]) -> dict[str, str]:
        """Return where the last standing record put assets."""

    async def lock(self, assets: Collection[str]) -> None:
        """Lock assets in the order of their ids."""

    async def bump(self) -> None:
        """Make a new version of the registry: ingest reads it again."""


class RegistryTransaction(Transaction, Protocol):
    """The writing side of the registry, in one transaction that holds its lock."""

    @property
    def table(self) -> RegistryRows:
        """Rows of the registry."""

    @property
    def states(self) -> States:
        """Acts and states of assets."""

    async def known(self, asked: Asked) -> Known:
        """Return what the registry holds."""


class RegistryStore(Protocol):
    """The store as an import sees it."""

    def importing(self) -> AbstractAsyncContextManager[RegistryTransaction]:
        """Open the one import transaction; an error in the block, or a `DryRun`, takes all of it back."""


class DryRun(Exception):  # noqa: N818 (it carries no error: it takes back a transaction that went well)
    """Ends a dry run inside the transaction, so that the database's own rules have been asked too."""


async def import_sheets(
    store: RegistryStore, sheets: Sheets, now: datetime, *, dry_run: bool = False, by: str = IMPORTER
) -> Imported:
    """Check sheets against the registry and write them, all or nothing; the same sheets again change nothing."""
    done = Imported(problems=list(sheets.problems))
    try:
        async with store.importing() as transaction:
            asked = Asked(_assets(sheets), sheets.ids("tags"))
            await lock_all(transaction, asked.assets, {kind for kind, rows in sheets.rows.items() if rows})
            known = await transaction.known(asked)
            acting(known, by, sheets)
            done.problems += await asyncio.to_thread(check, sheets, known, now)  # ingest goes on beside a large one
            if not done.problems:
                before = (await transaction.registry()).calendars
                await _Import(transaction, sheets, known, now, by, done).run()
                if shut := await _shut(transaction, before, sheets.rows["calendar_overrides"], now):
                    done.problems, done.rows, done.alerts = shut, {}, []
            keep_only_if(not done.problems and not dry_run)
    except DryRun:
        done.id = None
        done.problems.sort(key=lambda one: (one.file, one.line))
    if done.problems and not dry_run:
        await _tell_duplicates(store, sheets, now)
    return done


async def _shut(
    transaction: RegistryTransaction, before: PlaceCalendars, sheet: Sequence[SheetRow], now: datetime
) -> list[Problem]:
    """Return the row that leaves a place without a working day for too long: what the API refuses, a sheet may not."""
    if not sheet:
        return []
    told = [
        NewOverride(
            date.fromisoformat(row.values["day"]), "published" if row.values.get("removed") else row.values["status"],
            "", IMPORTER, row.values.get("country"), row.values.get("subdivision"), row.values.get("location"),
        )
        for row in sheet
    ]  # fmt: skip
    after = (await transaction.registry()).calendars
    shut = await asyncio.to_thread(shut_for_long, before, after, told, now)
    return [] if shut is None else [Problem(sheet[shut[0]].file, sheet[shut[0]].line, f"day: {shut[1]}")]


async def _tell_duplicates(store: RegistryStore, sheets: Sheets, now: datetime) -> None:
    """Say in the exception queue which tags were wanted for a second asset; no more of a refused import is kept."""
    async with store.importing() as transaction:
        known = await transaction.known(Asked(_assets(sheets), sheets.ids("tags")))
        if found := duplicates(sheets.all("tags"), known.tags, now):
            await transaction.open_exceptions(found, now, source=IMPORTS)


def keep_only_if(good: bool) -> None:  # noqa: FBT001 (a condition, not a flag)
    """End the transaction by `DryRun` unless all is good."""
    if not good:
        raise DryRun


def _assets(sheets: Sheets) -> set[str]:
    named = (row.values.get(column) for kind, column in _NAMES_ASSET for row in sheets.all(kind))
    return {asset for asset in named if asset is not None}


_NAMES_ASSET: Final = (
    ("assets", "id"), ("assets", "parent"), ("tags", "asset"), ("serials", "asset"), ("authorisations", "asset"),
)  # fmt: skip


@dataclass(slots=True)
class _Import:
    """The writing of sheets that have no problem."""

    transaction: RegistryTransaction
    sheets: Sheets
    known: Known
    now: datetime
    by: str
    done: Imported
    changes: list[Change] = field(default_factory=list)

    async def run(self) -> None:
        self.done.rows = {kind: len(self.sheets.rows[kind]) for kind in COLUMNS if self.sheets.rows[kind]}
        begun = NewAct(self.now, self.now, "registry_imported", self.by, detail=self.done.rows)
        (self.done.id,) = await self.transaction.states.add_acts([begun])
        for kind in ORDER:
            await self._write(kind)
        await self._tell_assets()
        await self.transaction.table.note(self.done.id, self.changes)
        await self.transaction.table.bump()
        await self._follow()

    async def _write(self, kind: str) -> None:
        if kind == "gateways":
            await self._gateways()
        elif kind == "tags":
            await self._tags()
        else:
            sheet = self.sheets.rows[kind]
            await self._change(kind, [row for row in sheet if not row.values.get("removed")])
            await self._remove(kind, [row for row in sheet if row.values.get("removed")])
        if kind == "assets":
            await self._serials()

    async def _change(self, kind: str, sheet: Sequence[SheetRow]) -> None:
        before = await self._standing(kind, sheet)
        rows = [(row, merged(kind, row, before.get(_key(kind, row)), self.now)) for row in sheet]
        if kind in SAID:
            rows = [(row, one | {"by": self.by}) for row, one in rows]
        await self._put(kind, rows, before)

    async def _remove(self, kind: str, sheet: Sequence[SheetRow]) -> None:
        before = await self._standing(kind, sheet)
        gone = [(row, before[_key(kind, row)]) for row in sheet if _key(kind, row) in before]
        if kind in SAID:
            gone = [(row, one | {"by": self.by}) for row, one in gone]
        if gone:
            await self.transaction.table.drop(kind, [row for _, row in gone], self.now)
        for place, row in gone:
            self.changes.append(Change(kind, row_key(kind, row), place.file, place.line, row, None))

    async def _gateways(self) -> None:
        """Register the gateways that portals name for the first time."""
        first: dict[str, SheetRow] = {}
        for row in self.sheets.rows["portals"]:
            if row.values["gateway"] not in self.known.gateways:
                first.setdefault(row.values["gateway"], row)
        rows = [
            (row, {"id": name, "site": row.values["site"], "registered_at": instant_text(self.now)})
            for name, row in first.items()
        ]
        await self._put("gateways", rows, {})

    async def _tags(self) -> None:
        sheet = self.sheets.rows["tags"]
        standing = await self.transaction.table.rows("tags", {row.values["epc"] for row in sheet})
        before = {row_key("tags", row): row for row in standing}
        rows = []
        for row in sheet:
            wanted = bind(self.known.tags.of(row.values["epc"]), wanted_tag(row), self.now)
            key = f"{wanted.epc}/{instant_text(wanted.bound_from)}"
            rows.append((row, tag_row(wanted, before.get(key), self.now)))
        await self._put("tags", sorted(rows, key=lambda one: one[1]["bound_to"] is None), before)

    async def _serials(self) -> None:
        sheet = [row for row in self.sheets.rows["assets"] if "serial" in row.values]
        known: dict[str, list[Row]] = {}
        for row in await self.transaction.table.rows("serials", {row.values["id"] for row in sheet}):
            known.setdefault(row["asset"], []).append(row)
        before = {row_key("serials", row): row for its in known.values() for row in its}
        rows = [
            (row, serial)
            for row in sheet
            for serial in serial_rows(row.values["id"], row.values["serial"], known.get(row.values["id"], []), self.now)
        ]
        await self._put("serials", sorted(rows, key=lambda one: one[1]["to_at"] is None), before)

    async def _standing(self, kind: str, sheet: Sequence[SheetRow]) -> dict[str, Row]:
        first = {_key(kind, row).partition("/")[0] for row in sheet}
        return {row_key(kind, row): row for row in await self.transaction.table.rows(kind, first)} if first else {}

    async def _put(self, kind: str, rows: Sequence[tuple[SheetRow, Row]], before: Mapping[str, Row]) -> None:
        """Write rows, and note those that are not as they were."""
        if not rows:
            return
        await self.transaction.table.put(kind, [row for _, row in rows], self.now)
        first = {row_key(kind, row).partition("/")[0] for _, row in rows}
        after = {row_key(kind, row): row for row in await self.transaction.table.rows(kind, first)}
        for place, row in rows:
            key = row_key(kind, row)
            if not same(after[key], before.get(key)):
                self.changes.append(Change(kind, key, place.file, place.line, before.get(key), after[key]))

    async def _tell_assets(self) -> None:
        """Append what the assets' rows say as acts, and fold the states anew."""
        sheet = self.sheets.rows["assets"]
        placed = await self.transaction.table.placed([row.values["id"] for row in sheet])
        acts: list[NewAct] = []
        for row in sheet:
            asset = row.values["id"]
            state = self.known.states.get(asset, AssetState())
            acts += acts_of(asset, told_words(row.values, state), now=self.now, by=self.by, cause=self.done.id)
            if row.values["location"] not in {None, placed.get(asset)}:
                acts.append(self._act("placed", asset, location=row.values["location"]))
        self._note_acts(sheet, {act.asset for act in acts})
        acts += [
            self._act("parent_set", change.key, detail={"parent": change.after["parent"]})
            for change in self.changes
            if change.kind == "assets" and change.after is not None
            if change.after["parent"] != (change.before or {}).get("parent")
        ]
        await self.transaction.states.add_acts(acts)
        await self.transaction.states.project({act.asset for act in acts if act.asset is not None})

    def _note_acts(self, sheet: Sequence[SheetRow], assets: Collection[str | None]) -> None:
        """Note whose rows brought acts about: if these can't be taken back, it is told by the row."""
        for row in sheet:
            asset = row.values["id"]
            if asset in assets:
                self.changes.append(Change("acts", asset, row.file, row.line, None, {"id": asset}))

    def _act(self, kind: str, asset: str, *, location: str | None = None, detail: Row | None = None) -> NewAct:
        return NewAct(
            self.now, self.now, kind, self.by, asset=asset, location=location, detail=detail or {}, cause=self.done.id
        )

    async def _follow(self) -> None:
        """Bring stories and alerts up to what the registry says now."""
        moved = self.sheets.ids("assets") | {row.values["asset"] for row in self.sheets.rows["tags"]}
        self.done.alerts = await follow(self.transaction, self.changes, moved, self.now)


async def lock_all(transaction: RegistryTransaction, assets: Collection[str], kinds: Collection[str]) -> None:
    """Lock assets, and those of which `follow` tells when such kinds of rows change, in the one order.

    Ingest locks in that order too: a lock that came later, for a lower id, could wait for it while it waits for us.
    """
    further = await transaction.stories.unsettled() if WORLDLY & set(kinds) else set()
    await transaction.table.lock({*assets, *further})


async def follow(
    transaction: RegistryTransaction, changes: Sequence[Change], moved: Collection[str], now: datetime
) -> list[int]:
    """Tell stories and judge exits again after registry rows changed; return the ids of alerts that changed.

    Args:
        transaction: the one that changed them.
        changes: rows that changed.
        moved: assets of which more was told than those rows say.
        now: when.
    """
    judged = {
        row["asset"]
        for change in changes
        if change.kind == "authorisations"
        for row in (change.before, change.after)
        if row is not None
    }
    assets = {*moved, *judged}
    if any(change.kind in WORLDLY for change in changes):
        assets |= await transaction.stories.unsettled()
    registry = await transaction.registry()
    await transaction.stories.lock(assets)
    await tell(transaction, registry.world, registry.routes, dict.fromkeys(assets, BY_HAND), now)
    return await judge_again(transaction, registry, judged, now) if judged else []


def _key(kind: str, row: SheetRow) -> str:
    return row_key(kind, {name: plain(value) for name, value in row.values.items()})
