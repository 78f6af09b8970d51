"""Gives signed commands to gateways and takes their answers; any number of processes may do so on one database."""

import asyncio
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import msgspec
import structlog

from central.application.capturing import DEFAULT_S, Address
from central.application.commanding import Answered, Asked, CommandBook, CommandView, Signed
from central.application.errors import BrokerAway, NotAllowed, RowsRefused, StepUnfit, StoreUnavailable
from central.domain.captures import CAPTURE
from central.domain.commands import COMMANDS, TEST_TAG, VALID_S
from central.gate.keys import KeyRing, SigningKey
from central.gate.messages import wire
from edge.contracts import (
    Command,
    ContractError,
    Reply,
    decode_reply,
    encode,
    instant_us,
    parse_topic,
    signed_bytes,
    topic,
)
from edge.contracts.topics import CMD, REPLY, ROOT

SUBSCRIPTIONS: Final = (f"{ROOT}/+/+/{REPLY}/+",)
MOST_WAITING: Final = 1000
"""Answers that wait for the database; each is small, and nobody gives so many commands."""
RETRY_S: Final = 1.0

_log = structlog.get_logger("central.commands")


class Broker(Protocol):
    """A connection to a broker; `central.ingest.link.Link` is one."""

    @property
    def connected(self) -> bool:
        """Whether the subscriptions stand."""

    def start(
        self, topics: Sequence[str], on_message: Callable[[str, bytes], None], on_session: Callable[[], None]
    ) -> None:
        """Connect and subscribe."""

    def tell(self, topic: str, payload: bytes) -> bool:
        """Publish once, for who listens now; False while disconnected."""

    def stop(self) -> None:
        """Disconnect in order."""


class Addresses(Protocol):
    """What the commander wants of `central.application.capturing.Captures`."""

    def address(self, seconds: int, now: datetime) -> Address:
        """Make an address for a capture of so many seconds. Raises `StepUnfit`."""

    async def expect(self, command: int, address: Address) -> None:
        """Keep it."""


class Commander:
    """Signs with the central's key, and keeps every command and every answer.

    Args:
        broker: where commands go and answers come from.
        book: where both are kept.
        keys: the central's keys; the first signs.
        now: clock.
        roles: who gives a command must have one of these; without any, everybody may who may write at all.
        captures: makes the addresses that captures go up to.
    """

    def __init__(
        self,
        broker: Broker,
        book: CommandBook,
        keys: KeyRing,
        *,
        now: Callable[[], datetime],
        roles: Collection[str] = (),
        captures: Addresses | None = None,
    ) -> None:
        self._captures = captures
        self._broker, self._book, self._keys, self._now, self._roles = broker, book, keys, now, tuple(roles)
        self._answers: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(MOST_WAITING)
        self.dropped = 0
        """Answers that could not be read or believed, or came while too many waited."""

    @property
    def book(self) -> CommandBook:
        """Where commands are kept."""
        return self._book

    async def may(self, by: str) -> bool:
        """Tell whether somebody may give commands."""
        return not self._roles or await self._book.may(by, self._roles)

    async def give(self, asked: Asked) -> CommandView:
        """Sign, keep and send a command; it is in the book before it is on its way."""
        if not await self.may(asked.by):
            raise NotAllowed(f"{asked.by!r} may give no commands: that takes one of the roles {', '.join(self._roles)}")
        await self._check_test(asked)
        site = await self._book.site(asked.gateway)
        if not self._broker.connected:
            raise BrokerAway("the broker is away, so no command can be sent")
        now = self._now()
        nonce, expires = secrets.token_hex(16), now + timedelta(seconds=VALID_S)
        address = self._address(asked, now)
        whole = asked if address is None else replace(asked, args={**asked.args, **address.args})
        payload, key = make_command(whole, nonce, now, expires, self._keys.signing)
        answer_by = now + timedelta(seconds=COMMANDS[asked.name].answer_s)
        number = await self._book.give(Signed(asked, nonce, key, now, expires, answer_by))
        if address is not None and self._captures is not None:
            await self._captures.expect(number, address)
        if not self._broker.tell(topic(site, asked.gateway, f"{CMD}/{asked.name}"), payload):
            raise BrokerAway(f"the broker went away, so command {number} was not sent")
        _log.info("command given", command=asked.name, gateway=asked.gateway, by=asked.by, number=number)
        return await self._book.command(number, now)

    async def _check_test(self, asked: Asked) -> None:
        """Let no asset be carried through a door as a test; the gateway refuses it too, by its own snapshot."""
        if asked.name != TEST_TAG:
            return
        asset = await self._book.bearer(str(asked.args["epc"]))
        if asset is not None:
            raise StepUnfit(f"{asset} bears this tag: take one for the test that is nobody's")

    def _address(self, asked: Asked, now: datetime) -> Address | None:
        """Return where the file of a capture goes; it is in the command alone, never in the book."""
        if asked.name != CAPTURE or self._captures is None:
            return None
        seconds = asked.args.get("seconds", DEFAULT_S)
        return self._captures.address(int(seconds), now)

    async def run(self) -> None:
        """Take answers until cancelled."""
        self._broker.start(SUBSCRIPTIONS, self._hear, lambda: None)
        try:
            while True:
                where, payload = await self._answers.get()
                await self._keep(where, payload)
        finally:
            self._broker.stop()

    def _hear(self, where: str, payload: bytes) -> None:
        try:
            self._answers.put_nowait((where, payload))
        except asyncio.QueueFull:
            self._drop(where, f"{MOST_WAITING} answers wait for the database")

    async def _keep(self, where: str, payload: bytes) -> None:
        """Keep one answer, however long the database is away."""
        try:
            reply = _read(where, payload)
        except ContractError as error:
            self._drop(where, str(error))
            return
        while True:
            try:
                await self._book.answer(_answered(reply))
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)
            except RowsRefused as error:
                self._drop(where, str(error))
                return
            else:
                return

    def _drop(self, where: str, why: str) -> None:
        self.dropped += 1
        if self.dropped == 1:
            _log.warning("answer dropped; more are only counted", topic=where[:200], why=why[:300])


def make_command(asked: Asked, nonce: str, now: datetime, expires: datetime, key: SigningKey) -> tuple[bytes, str]:
    """Return a signed command, and the name of the key that signed it."""
    command = Command(
        name=asked.name,
        gateway=asked.gateway,
        nonce=nonce,
        issued_at=wire(now),
        expires_at=wire(expires),
        args=dict(asked.args),
    )
    signed = msgspec.structs.replace(command, signature=key.sign(signed_bytes(encode(command))))
    return encode(signed), key.name


def _read(where: str, payload: bytes) -> Reply:
    """Return an answer that came on its own topic; raise `ContractError` for any other."""
    reply, heard = decode_reply(payload), parse_topic(where)
    if (heard.gateway, heard.channel) != (reply.gateway, f"{REPLY}/{reply.name}"):
        raise ContractError(f"answer of {reply.gateway} to {reply.name} came on {where}")
    return reply


def _answered(reply: Reply) -> Answered:
    at = datetime.fromtimestamp(instant_us(reply.at) / 1e6, UTC)
    return Answered(reply.gateway, reply.name, reply.nonce, at, reply.ok, reply.problem, reply.result)
