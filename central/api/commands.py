"""Routes to gateways' commands: the list with its answers, one of them, and giving one."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from starlette.exceptions import HTTPException

from central.api.exceptions import PERSON
from central.api.patience import PatientRoute
from central.api.shapes import Answer
from central.application.commanding import Asked, CommandBook, Commands, CommandView
from central.domain.commands import MAX_TOML_BYTES, unfit

GatewayId = Annotated[str, Path(max_length=40, pattern=r"^[a-z0-9-]{1,40}$", examples=["hq-east-1"])]
Number = Annotated[int, Path(ge=1, le=2**62)]
Argument = StrictBool | StrictInt | Annotated[StrictStr, Field(max_length=MAX_TOML_BYTES, pattern=r"^[^\x00]*$")]


class CommandTold(BaseModel):
    """An order: its name and arguments as docs/facilities.md lists them."""

    model_config = ConfigDict(extra="forbid")

    by: Annotated[str, Field(pattern=PERSON, examples=["p-017"])]
    name: Annotated[str, Field(max_length=40, examples=["blink"])]
    args: Annotated[dict[str, Argument], Field(max_length=20, examples=[{"device": "r1", "output": 1}])] = {}


class CommandAnswer(Answer):
    """One command."""

    command: CommandView


class CommandList(Answer):
    """Commands, newest first."""

    commands: list[CommandView]


def commands_read(book: CommandBook, now: Callable[[], datetime]) -> APIRouter:
    """Return the reading routes."""
    router = APIRouter(prefix="/api/v1", tags=["commands"])

    @router.get("/gateways/{gateway}/commands")
    async def given(gateway: GatewayId, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> CommandList:
        """Return what was ordered of a gateway, by whom, and what it answered."""
        return CommandList(as_of=now(), commands=await book.commands(now(), gateway=gateway, limit=limit))

    @router.get("/commands/{number}")
    async def one(number: Number) -> CommandAnswer:
        """Return one command; ask again while its state is `waiting`."""
        return CommandAnswer(as_of=now(), command=await book.command(number, now()))

    return router


def commands_write(commands: Commands, now: Callable[[], datetime]) -> APIRouter:
    """Return the writing route; who includes it puts the token before it."""
    router = APIRouter(prefix="/api/v1", tags=["commands"], route_class=PatientRoute)

    @router.post("/gateways/{gateway}/commands", status_code=HTTPStatus.CREATED)
    async def give(gateway: GatewayId, body: CommandTold) -> CommandAnswer:
        """Sign a command and send it at once; its answer comes later, under the id that this returns."""
        if words := unfit(body.name, body.args, gateway=gateway):
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"Change the request: {words}.")
        found = await commands.give(Asked(gateway, body.name, body.args, body.by))
        return CommandAnswer(as_of=now(), command=found)

    return router
