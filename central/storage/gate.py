"""The gate snapshot on PostgreSQL: PostgreSQL packs whole parts, so that a million tags need no million objects."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from central.application.gate import Changes, Contents, Entry, GateStanding, Held, News, Packed, SentPart
from central.domain.gate import GateView
from central.storage.database import Connection, Database
from central.storage.queries import query
from edge.contracts import EpcPrefix, bucket_of

_REPEATABLE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PgGate:
    """`central.application.gate.GateStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def held(self) -> dict[str, Held]:
        """Return each gateway's newest generation."""
        async with self._database.transaction() as connection:
            rows = await _rows(connection, "gate.held")
        return {row[0]: Held(*row) for row in rows}

    async def news(self, since: str | None) -> News:
        """Return which boundaries changed since an earlier look."""
        async with self._database.transaction() as connection:
            await connection.execute(_REPEATABLE)
            seen = await _base(connection)
            rows = [] if since is None else await _rows(connection, "gate.news", {"since": since})
        return News(seen, frozenset(row[0] for row in rows))

    async def contents(
        self, view: GateView, prefixes: Sequence[EpcPrefix], now: datetime, changed_since: str | None
    ) -> Contents:
        """Return the parts with changes since a base, or with None all parts."""
        params = _params(view, prefixes, now)
        async with self._database.transaction() as connection:
            await connection.execute(_REPEATABLE)
            base, built = await _base(connection), None
            if changed_since is not None:
                dirty = await _rows(connection, "gate.dirty", params | {"base": changed_since})
                built = sorted({bucket_of(epc) for (epc,) in dirty})
            cursor = connection.cursor(binary=True)
            await cursor.execute(query("gate.parts"), params | {"parts": built})
            parts = [Packed(*row) for row in await cursor.fetchall()]
            sent = [SentPart(*row) for row in await _rows(connection, "gate.sent_parts", params)]
        return Contents(base, built, parts, {part.number: part for part in sent})

    async def changes(self, view: GateView, prefixes: Sequence[EpcPrefix], now: datetime, base: str) -> Changes:
        """Return what changed at the gateway's boundaries since a base."""
        params = _params(view, prefixes, now)
        async with self._database.transaction() as connection:
            await connection.execute(_REPEATABLE)
            dirty = [epc for (epc,) in await _rows(connection, "gate.dirty", params | {"base": base})]
            entries = await _rows(connection, "gate.entries", params | {"epcs": dirty}) if dirty else []
        return Changes(dirty, [Entry(*row) for row in entries])

    async def open(self, held: Held, previous: int | None, parts: Sequence[SentPart]) -> bool:
        """Keep a new generation in place of `previous`; False if another publisher came first."""
        numbers, generations, digests, entries, sizes = ([part[column] for part in parts] for column in range(5))
        async with self._database.transaction() as connection:
            values = {name: getattr(held, name) for name in Held.__dataclass_fields__} | {"previous": previous}
            if not await _rows(connection, "gate.open_generation", values):
                return False
            kept = {"gateway": held.gateway}
            await connection.execute(query("gate.drop_parts"), kept)
            columns = {
                "numbers": numbers,
                "generations": generations,
                "digests": digests,
                "entries": entries,
                "bytes": sizes,
            }
            await connection.execute(query("gate.keep_parts"), kept | columns)
            await connection.execute(query("gate.forget_changes"))
        return True

    async def advance(self, gateway: str, generation: int, n: int, delta: bytes, now: datetime) -> bool:
        """Keep delta `n` of a generation; False if another publisher came first."""
        values = {"gateway": gateway, "generation": generation, "n": n, "delta": delta, "now": now}
        async with self._database.transaction() as connection:
            return bool(await _rows(connection, "gate.advance_delta", values))

    async def standings(self) -> list[GateStanding]:
        """Return what every registered gateway was sent."""
        async with self._database.transaction() as connection:
            return [GateStanding(*row) for row in await _rows(connection, "gate.overview")]


async def _rows(connection: Connection, name: str, params: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query(name), params)).fetchall()


async def _base(connection: Connection) -> str:
    return str((await _rows(connection, "gate.base"))[0][0])


def _params(view: GateView, prefixes: Sequence[EpcPrefix], now: datetime) -> dict[str, Any]:
    ranges = [_range(prefix) for prefix in prefixes]
    return {
        "gateway": view.gateway,
        "boundaries": [boundary for boundary, _ in view.opened_by],
        "scopes": [place for _, place in view.opened_by],
        "now_us": int(now.timestamp() * 1_000_000),
        "lows": [low for low, _ in ranges],
        "highs": [high for _, high in ranges],
    }


def _range(prefix: EpcPrefix) -> tuple[str, str]:
    """Return the texts from which on, and before which, the hex of all EPCs under a prefix sorts."""
    digits = -(-prefix.bits // 4)
    low = int(prefix.hex[:digits], 16) >> (4 * digits - prefix.bits) << (4 * digits - prefix.bits)
    high = low + (1 << (4 * digits - prefix.bits))
    return f"{low:0{digits}x}", f"{high:0{digits}x}" if high < 16**digits else "g"
