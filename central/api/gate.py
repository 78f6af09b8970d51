"""What the gateways were sent of the gate snapshot."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from central.api.shapes import Answer
from central.application.gate import GateStore


class GateOfGateway(BaseModel):
    """A gateway's newest manifest and delta; null where nothing was sent yet."""

    gateway: str
    site: str
    generation: int | None
    n: int | None
    issued_at: datetime | None
    expires_at: datetime | None
    delta_at: datetime | None
    key: str | None
    entries: int | None
    parts: int
    size_bytes: int


class Gate(Answer):
    """The gate snapshots of all registered gateways."""

    gateways: list[GateOfGateway]


def gate(store: GateStore, now: Callable[[], datetime]) -> APIRouter:
    """Return the reading route to the gate snapshots."""
    router = APIRouter(prefix="/api/v1", tags=["read"])

    @router.get("/gate")
    async def standings() -> Gate:
        """Return what each registered gateway was sent: the generation, the delta, how long they hold."""
        found = [GateOfGateway(**asdict(one)) for one in await store.standings()]
        return Gate(as_of=now(), gateways=found)

    return router
