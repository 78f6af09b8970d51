"""Commands to gateways on PostgreSQL."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from psycopg.rows import class_row

from central.application.commanding import Answered, CommandView, Signed
from central.application.errors import NotFound, StepUnfit
from central.storage.database import Connection, Database
from central.storage.queries import query


class PgCommands:
    """`central.application.commanding.CommandBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def site(self, gateway: str) -> str:
        """Return the site of a registered and connected gateway."""
        found = await self._one("gateway", {"gateway": gateway})
        if found is None:
            raise NotFound(f"there is no registered gateway {gateway!r}: /api/v1/gateways lists them")
        site, online = found
        if not online:
            raise StepUnfit(f"gateway {gateway!r} is not connected: it would not hear the command")
        return str(site)

    async def may(self, by: str, roles: Collection[str]) -> bool:
        """Tell whether somebody holds one of the roles."""
        found = await self._one("may", {"by": by, "roles": list(roles)})
        return bool(found and found[0])

    async def bearer(self, epc: str) -> str | None:
        """Return the asset that bears a tag."""
        found = await self._one("bearer", {"epc": epc})
        return None if found is None else str(found[0])

    async def give(self, signed: Signed) -> int:
        """Keep a command, and the act of giving it."""
        asked = signed.asked
        values = {name: getattr(signed, name) for name in ("nonce", "key", "given_at", "expires_at", "answer_by")}
        values |= {"gateway": asked.gateway, "name": asked.name, "by": asked.by, "args": json.dumps(dict(asked.args))}
        async with self._database.transaction() as connection:
            ((number,),) = await (await connection.execute(query("commanding.give"), values)).fetchall()
            told = {"gateway": asked.gateway, "name": asked.name, "args": _brief(asked.args), "key": signed.key}
            await _tell(connection, "command_given", number, asked.by, signed.given_at, told)
        return int(number)

    async def answer(self, answered: Answered) -> bool:
        """Keep an answer, and the act of answering."""
        values = {name: getattr(answered, name) for name in ("nonce", "gateway", "name", "at", "ok", "problem")}
        values["result"] = json.dumps(dict(answered.result))
        async with self._database.transaction() as connection:
            found = await (await connection.execute(query("commanding.answer"), values)).fetchall()
            if not found:
                return False
            told = {"name": answered.name, "ok": answered.ok, "problem": answered.problem, "result": answered.result}
            await _tell(connection, "command_answered", found[0][0], answered.gateway, answered.at, told)
        return True

    async def commands(self, now: datetime, *, gateway: str | None = None, limit: int = 100) -> list[CommandView]:
        """Return commands, newest first; a configuration by its digest."""
        found = await self._views({"gateway": gateway, "id": None, "limit": limit, "now": now})
        if not found and gateway is not None and await self._one("gateway", {"gateway": gateway}) is None:
            raise NotFound(f"there is no registered gateway {gateway!r}: /api/v1/gateways lists them")
        return [one.model_copy(update={"args": _brief(one.args)}) for one in found]

    async def command(self, number: int, now: datetime) -> CommandView:
        """Return one command."""
        found = await self._views({"gateway": None, "id": number, "limit": 1, "now": now})
        if not found:
            raise NotFound(f"there is no command {number}: /api/v1/gateways/GATEWAY/commands lists them")
        return found[0]

    async def _views(self, params: dict[str, Any]) -> list[CommandView]:
        async with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(CommandView)) as cursor,
        ):
            return await (await cursor.execute(query("commanding.commands"), params)).fetchall()

    async def _one(self, name: str, params: dict[str, Any]) -> tuple[Any, ...] | None:
        async with self._database.transaction() as connection:
            return await (await connection.execute(query(f"commanding.{name}"), params)).fetchone()


async def _tell(  # noqa: PLR0917 (an act, all of it)
    connection: Connection, act: str, number: int, by: str, at: datetime, detail: Mapping[str, Any]
) -> None:
    params = {"act": act, "subject": f"command/{number}", "by": by, "at": at, "detail": json.dumps(dict(detail))}
    await connection.execute(query("commanding.told"), params)


def _brief(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments for log and list: a configuration stands there by its digest, whole under the command's id."""
    if "toml" not in args:
        return dict(args)
    text = str(args["toml"]).encode()
    return {**args, "toml": f"{len(text)} bytes, sha256 {sha256(text).hexdigest()}"}
