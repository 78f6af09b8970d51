"""Takes what arrives on `cmd/{name}`: checks it, has it carried out once, and answers on `reply/{name}`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final, Self

from structlog.typing import FilteringBoundLogger

from edge.commands.allowance import Allowance
from edge.commands.errors import NoncesError, NotNotedError, OrderError, TooSoonError
from edge.commands.nonces import Nonces
from edge.contracts import (
    MAX_CONFIGURE_BYTES,
    MAX_MESSAGE_BYTES,
    Command,
    ContractError,
    Reply,
    check_command,
    decode_command,
    encode,
    instant,
    instant_us,
)
from edge.contracts.commands import Argument
from edge.contracts.topics import CMD, REPLY
from edge.trust import Keyring, TrustError

MOST_AT_ONCE: Final = 8
"""A count and a survey may run at two readers while a light blinks; whoever floods the topic gets no more."""
LONGEST_S: Final = 120.0
"""Most orders take a minute at most; what isn't over by then, and was not said to take longer, has hung."""
MAX_TEXT: Final = 500
"""As long as a reply's `problem` may be."""
CONFIGURE: Final = "configure"
"""The one command that may be large, since it brings a whole configuration."""
LOGGED_TEXT: Final = 200
"""Characters of an argument beyond which the log has its length instead."""

HIDDEN: Final = "url"
"""An argument that is in no log: a one-time address, which may be good still when the order has failed."""

Order = Callable[[Mapping[str, Argument]], Awaitable[dict[str, Argument]]]
"""Carries one command's arguments out and returns the reply's result; raises `OrderError` in words where it can't."""

LateOrder = Callable[[Command], Awaitable[dict[str, Argument] | None]]
"""An order whose doing may end the desk itself: None says that it is begun and will be answered by `Desk.answer`."""


@dataclass(slots=True)
class DeskCounters:
    """Counts since the agent started.

    Attributes:
        refused: by why: unreadable, busy, untrusted, unfit, unknown, replayed, unnoted (the disk can't take the nonce),
            too-soon.
        unanswered: answers that were not sent: the broker is away, or too many were refused at once.
    """

    done: int = 0
    failed: int = 0
    unanswered: int = 0
    refused: dict[str, int] = field(default_factory=dict)


class Desk:
    """The commands of one gateway; a context whose end breaks off what is being carried out.

    Args:
        gateway: whose commands these are.
        keyring: who may give them.
        nonces: which were carried out.
        orders: what each name does.
        publish: puts bytes on a channel; tells whether there was a connection to do so.
        now_us: wall clock, UTC microseconds.
        log: logger; each command that one of the keys has signed is a row in it.
        longest_s: for orders that may take longer than others, how long.
        now_s: monotonic seconds.
        late: orders that may be answered by another desk, the one of the agent's next round.
    """

    def __init__(
        self,
        gateway: str,
        keyring: Keyring,
        nonces: Nonces,
        orders: Mapping[str, Order],
        *,
        publish: Callable[[str, bytes], bool],
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
        late: Mapping[str, LateOrder] | None = None,
        longest_s: Mapping[str, float] = MappingProxyType({}),
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowance = Allowance(now_s)
        self._late = dict(late or {})
        self._longest_s = dict(longest_s)
        self._closed = False
        self._gateway, self._keyring, self._nonces = gateway, keyring, nonces
        self._orders, self._publish, self._now_us, self._log = dict(orders), publish, now_us, log
        self._tasks: set[asyncio.Task[None]] = set()
        self._noting = asyncio.Lock()
        self.counters = DeskCounters()

    def take(self, channel: str, payload: bytes) -> None:
        """Take a message in the event loop's thread; any bytes may come, none raises and none waits."""
        try:
            large = channel == f"{CMD}/{CONFIGURE}"
            command = decode_command(payload, max_bytes=MAX_CONFIGURE_BYTES if large else MAX_MESSAGE_BYTES)
        except ContractError as error:
            self._refuse("unreadable", str(error))
            return
        refusal = self._refusal(channel, command, payload)
        if refusal is not None:
            self._refuse(*refusal)
            self._answer_refused(command, refusal[1])
            return
        task = asyncio.create_task(self._serve(command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Break off what is being carried out, and say so; nothing is begun any more."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _refusal(self, channel: str, command: Command, payload: bytes) -> tuple[str, str] | None:
        """Return why a command isn't even begun, as a counter's name and in words."""
        try:
            self._keyring.check(payload)
            check_command(command, gateway=self._gateway, now_us=self._now_us())
        except TrustError as error:
            return "untrusted", str(error)
        except ContractError as error:
            return "unfit", str(error)
        if channel != f"{CMD}/{command.name}":
            return "unfit", f"command {command.name} came on {channel}: give it on {CMD}/{command.name}"
        if command.name not in self._orders and command.name not in self._late:
            known = ", ".join(sorted([*self._orders, *self._late]))
            return "unknown", f"this version of the agent has no command {command.name}; it has: {known}"
        if self._closed or len(self._tasks) >= MOST_AT_ONCE:
            many = f"{MOST_AT_ONCE} commands are being carried out: wait for one of them"
            return "busy", "the agent stops or begins anew: give the command again in a while" if self._closed else many
        return None

    async def _serve(self, command: Command) -> None:
        problem = ""
        result: dict[str, Argument] | None = None
        longest_s = self._longest_s.get(command.name, LONGEST_S)
        try:
            async with self._noting:
                note = partial(self._nonces.use, command.nonce, instant_us(command.expires_at), now_us=self._now_us())
                await asyncio.to_thread(note)
            async with asyncio.timeout(longest_s):
                late = self._late.get(command.name)
                result = await (self._orders[command.name](command.args) if late is None else late(command))
            if result is None:
                return
        except (NoncesError, TooSoonError) as error:
            self._refuse(_why(error), str(error))
            self._answer_refused(command, str(error))
            return
        except OrderError as error:
            problem = str(error)
        except asyncio.CancelledError:
            self._answer(command, problem=f"command {command.name} was broken off: the agent stops or begins anew")
            raise
        except TimeoutError:
            problem = f"command {command.name} was not over after {longest_s:g} s and was broken off"
        except Exception as error:  # noqa: BLE001 (a command must not end the agent, and its giver must hear of it)
            self._log.exception("command failed", command=command.name, nonce=command.nonce)
            problem = f"command {command.name} failed: {type(error).__name__}, see the gateway's log"
        self.counters.failed += bool(problem)
        self.counters.done += not problem
        self._log.info(
            "command carried out" if not problem else "command not carried out",
            command=command.name,
            nonce=command.nonce,
            key=None if command.signature is None else command.signature.key,
            args=_brief(command.args),
            problem=problem,
        )
        self._answer(command, problem=problem, result=result)

    def _answer(self, command: Command, *, problem: str, result: dict[str, Argument] | None = None) -> None:
        if not self._tell(command.name, command.nonce, problem, result):
            self.counters.unanswered += 1
            self._log.warning("answer to a command is lost: the broker is away", command=command.name)

    def _answer_refused(self, command: Command, problem: str) -> None:
        """Answer within bounds: an answer is a message like an alarm's, and takes its place on the way."""
        if not (self._allowance.take() and self._tell(command.name, command.nonce, problem, None)):
            self.counters.unanswered += 1

    def answer(self, name: str, nonce: str, *, problem: str, result: dict[str, Argument]) -> bool:
        """Answer a late order, which an earlier desk has begun; tell whether there was a connection to do so."""
        told = self._tell(name, nonce, problem, result)
        if told:
            self.counters.failed += bool(problem)
            self.counters.done += not problem
        return told

    def _tell(self, name: str, nonce: str, problem: str, result: dict[str, Argument] | None) -> bool:
        reply = Reply(
            name=name,
            gateway=self._gateway,
            nonce=nonce,
            at=instant(self._now_us()),
            ok=not problem,
            problem=_one_line(problem),
            result=result or {},
        )
        return self._publish(f"{REPLY}/{name}", encode(reply))

    def _refuse(self, why: str, words: str) -> None:
        """Count a refusal, and log the first of its kind; metrics tell of the others."""
        count = self.counters.refused[why] = self.counters.refused.get(why, 0) + 1
        if count == 1:
            self._log.warning("command refused; more of this kind are only counted", why=why, problem=_one_line(words))


def _brief(args: Mapping[str, Argument]) -> dict[str, Argument]:
    """Return arguments for the log, which is no place for a whole configuration or a one-time address."""
    sizes = {key: len(str(value)) for key, value in args.items() if key != HIDDEN}
    return {key: args[key] if size <= LOGGED_TEXT else f"{size} characters" for key, size in sizes.items()}


def _why(error: NoncesError | TooSoonError) -> str:
    if isinstance(error, TooSoonError):
        return "too-soon"
    return "unnoted" if isinstance(error, NotNotedError) else "replayed"


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:MAX_TEXT]
