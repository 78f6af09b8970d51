"""Commands to gateways: who gave which, when, and what the gateway answered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import Field

from central.application.views import Instant, View
from central.domain.commands import Argument


class CommandView(View):
    """A command, and its answer once there is one."""

    id: int
    gateway: str
    name: str
    args: dict[str, Any]
    by: str
    given_at: Instant
    expires_at: Instant
    answered_at: Instant | None
    problem: str | None = Field(description="Why the gateway didn't do it, and what to do; empty where it did.")
    result: dict[str, Any] | None
    state: Literal["waiting", "done", "refused", "unanswered"]


@dataclass(frozen=True, slots=True)
class Asked:
    """An order as somebody gives it."""

    gateway: str
    name: str
    args: Mapping[str, Argument]
    by: str


@dataclass(frozen=True, slots=True)
class Signed:
    """An order that is about to be sent: `key` signs it."""

    asked: Asked
    nonce: str
    key: str
    given_at: datetime
    expires_at: datetime
    answer_by: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """What a gateway answered."""

    gateway: str
    name: str
    nonce: str
    at: datetime
    ok: bool
    problem: str
    result: Mapping[str, Argument]


class CommandBook(Protocol):
    """Where commands and answers are kept; raises `StoreUnavailable`."""

    async def site(self, gateway: str) -> str:
        """Return the site of a gateway that can hear. Raises `NotFound`, `StepUnfit`."""

    async def may(self, by: str, roles: Collection[str]) -> bool:
        """Tell whether somebody holds one of the roles."""

    async def bearer(self, epc: str) -> str | None:
        """Return the asset that bears a tag."""

    async def give(self, signed: Signed) -> int:
        """Keep a command, and that it was given, before it is sent; return its id."""

    async def answer(self, answered: Answered) -> bool:
        """Keep an answer; False if nobody asked, or it was answered before."""

    async def commands(self, now: datetime, *, gateway: str | None = None, limit: int = 100) -> list[CommandView]:
        """Return commands, newest first, a configuration by its digest. Raises `NotFound` where there is no gateway."""

    async def command(self, number: int, now: datetime) -> CommandView:
        """Return one command. Raises `NotFound`."""


class Commands(Protocol):
    """What the API wants."""

    @property
    def book(self) -> CommandBook:
        """Where commands are kept."""

    async def give(self, asked: Asked) -> CommandView:
        """Sign and send a command.

        Raises:
            NotFound: there is no such gateway.
            NotAllowed: the giver has no role that may.
            StepUnfit: the gateway isn't connected, or the command would do harm there.
            BrokerAway: nothing can be sent now.
        """
