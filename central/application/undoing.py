"""Taking an import back: what it changed is as before, unless something that came later needs it.

The acts that the import brought about stay in the log and count no more. What stands in the way is told by the row of
the sheet that it concerns, all of it; then nothing is taken back.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from central.application.checking import acting
from central.application.errors import NotFound, RowsRefused
from central.application.importing import WORLDLY, Asked, DryRun, RegistryTransaction, follow, keep_only_if, lock_all
from central.application.rows import ORDER, SAID, Change, Row, row_key, same
from central.application.sheets import Problem
from central.application.states import NewAct


@dataclass(slots=True)
class Undone:
    """What was taken back: rows by kind, or what stood in the way."""

    rows: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    alerts: list[int] = field(default_factory=list)


class Undoing(Protocol):
    """What the store knows of an import and of what came after it."""

    async def undone_at(self, import_: int) -> datetime | None:
        """Return when an import was taken back, None if it stands; `NotFound` if there is no such import."""

    async def acts(self, import_: int) -> list[tuple[int, str | None]]:
        """Return ids and assets of the acts that an import brought about."""

    async def later(self, import_: int) -> list[tuple[str, str]]:
        """Return assets of the import's acts, and the words for what came later on top of those."""

    async def void(self, import_: int, undo: int) -> None:
        """Let the import's acts count no more."""

    async def users(self, kind: str, rows: Sequence[Row]) -> list[tuple[str, str]]:
        """Return the first key column of rows that are to go, and the words for what still needs them."""


class UndoTransaction(RegistryTransaction, Protocol):
    """The import's transaction, and what is known of imports."""

    @property
    def undoing(self) -> Undoing:
        """Imports and what came after them."""


class UndoStore(Protocol):
    """The store as an undo sees it."""

    def importing(self) -> AbstractAsyncContextManager[UndoTransaction]:
        """Open the one import transaction; an error in the block takes all of it back."""


async def undo_import(store: UndoStore, import_: int, by: str, now: datetime, *, dry_run: bool = False) -> Undone:
    """Take an import back, all of it or nothing.

    Raises:
        NotFound: there is no such import, or it is taken back already; or nobody knows who asks.
    """
    done = Undone()
    try:
        async with store.importing() as transaction:
            acting(await transaction.known(Asked([], [])), by)
            at = await transaction.undoing.undone_at(import_)
            if at is not None:
                raise NotFound(f"import {import_} was taken back already, at {at}")
            await _Undo(transaction, import_, by, now, done, await transaction.table.noted(import_)).run()
            keep_only_if(not done.problems and not dry_run)
    except DryRun:
        done.problems.sort(key=lambda one: (one.file, one.line, one.text))
    return done


@dataclass(slots=True)
class _Undo:
    """The work of one undo."""

    transaction: UndoTransaction
    import_: int
    by: str
    now: datetime
    done: Undone
    changes: Sequence[Change]

    async def run(self) -> None:
        assets = {asset for _, asset in await self.transaction.undoing.acts(self.import_) if asset is not None}
        assets |= {asset for change in self.changes for asset in _assets(change)}
        await lock_all(self.transaction, assets, {change.kind for change in self.changes})
        self.done.problems += await self._changed_since()
        self.done.problems += self._told(await self.transaction.undoing.later(self.import_))
        if self.done.problems:
            return
        undo = NewAct(self.now, self.now, "import_undone", self.by, subject=str(self.import_))
        (act,) = await self.transaction.states.add_acts([undo])
        await self.transaction.undoing.void(self.import_, act)
        await self.transaction.states.project(assets)
        if WORLDLY & {change.kind for change in self.changes}:
            assets |= await self.transaction.stories.unsettled()
        await self._follow(assets)
        for kind in reversed(ORDER):
            await self._restore(kind, [change for change in self.changes if change.kind == kind])
        await self.transaction.table.bump()
        if not self.done.problems:
            self.done.alerts = await self._follow(assets)

    async def _changed_since(self) -> list[Problem]:
        problems = []
        for kind in ORDER:
            its = [change for change in self.changes if change.kind == kind]
            rows = await self.transaction.table.rows(kind, {_first(change.key) for change in its}) if its else []
            current = {row_key(kind, row): row for row in rows}
            problems += [
                Problem(one.file, one.line, f"{kind} {one.key!r} was changed since: take that back first")
                for one in its
                if not same(current.get(one.key), one.after)
            ]
        return problems

    async def _restore(self, kind: str, changes: Sequence[Change]) -> None:
        """Put back what was there, take off what wasn't, and tell who still needs that."""
        if not changes:
            return
        old = sorted((change.before for change in changes if change.before is not None), key=_open_ended)
        new = [change.after for change in changes if change.before is None and change.after is not None]
        steps = [partial(self._put, kind, old), partial(self._drop, kind, new)]
        try:
            async with self.transaction.savepoint():
                for step in reversed(steps) if kind in _ONE_STANDS else steps:
                    await step()
        except RowsRefused as error:
            first = changes[0]
            self.done.problems.append(Problem(first.file, first.line, f"{kind}: can't be taken back: {error}"))
        self.done.rows[kind] = len(changes)

    async def _put(self, kind: str, rows: Sequence[Row]) -> None:
        if rows:
            await self.transaction.table.put(kind, rows, self.now)

    async def _drop(self, kind: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        users = await self.transaction.undoing.users(kind, rows)
        self.done.problems += self._told(users, kind)
        if not users:
            gone = [row | {"by": self.by} for row in rows] if kind in SAID else rows
            await self.transaction.table.drop(kind, gone, self.now)

    def _told(self, words: Collection[tuple[str, str]], kind: str = "assets") -> list[Problem]:
        """Return problems at the rows that they concern, or at the first row of the import for an asset without one."""
        lines = {_first(one.key): one for one in self.changes if one.kind == kind}
        problems = []
        for key, text in words:
            place = lines.get(key) or next((one for one in self.changes if key in _assets(one)), None)
            file, line = (place.file, place.line) if place else (f"import {self.import_}", 1)
            problems.append(Problem(file, line, f"{kind} {key!r}: {text}"))
        return problems

    async def _follow(self, assets: Collection[str]) -> list[int]:
        """Tell stories anew: before rows go, so that only what came later still needs them, and again after."""
        return await follow(self.transaction, self.changes, assets, self.now)


_ONE_STANDS: Final = frozenset({"tags", "serials"})
"""Kinds of which one row stands for a tag or asset: the new one goes before the old one comes back."""
_ASSET_COLUMN: Final[Mapping[str, str]] = {
    "assets": "id",
    "acts": "id",
    "serials": "asset",
    "tags": "asset",
    "authorisations": "asset",
}


def _assets(change: Change) -> set[str]:
    column = _ASSET_COLUMN.get(change.kind)
    return {row[column] for row in (change.before, change.after) if row is not None} if column else set()


def _first(key: str) -> str:
    return key.partition("/")[0]


def _open_ended(row: Row) -> bool:
    """Order bindings and serials so that those that end are written before those that stand."""
    return row.get("bound_to", row.get("to_at")) is None
