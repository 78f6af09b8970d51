"""Takes what arrives on `cmd/{name}`: checks it, has it carried out once, and answers on `reply/{name}`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from structlog.typing import FilteringBoundLogger

from edge.commands.errors import NoncesError, NotNotedError, OrderError, TooSoonError
from edge.commands.nonces import Nonces
from edge.contracts import (
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
"""The longest order is a count or a survey of a minute; what isn't over by then has hung."""
MAX_TEXT: Final = 500
"""As long as a reply's `problem` may be."""

Order = Callable[[Mapping[str, Argument]], Awaitable[dict[str, Argument]]]
"""Carries one command's arguments out and returns the reply's result; raises `OrderError` in words where it can't."""


@dataclass(slots=True)
class DeskCounters:
    """Counts since the agent started.

    Attributes:
        refused: by why: unreadable, busy, untrusted, unfit, unknown, replayed, unnoted (the disk can't take the nonce),
            too-soon.
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
    ) -> None:
        self._gateway, self._keyring, self._nonces = gateway, keyring, nonces
        self._orders, self._publish, self._now_us, self._log = dict(orders), publish, now_us, log
        self._tasks: set[asyncio.Task[None]] = set()
        self._noting = asyncio.Lock()
        self.counters = DeskCounters()

    def take(self, channel: str, payload: bytes) -> None:
        """Take a message in the event loop's thread; any bytes may come, none raises and none waits."""
        try:
            command = decode_command(payload)
        except ContractError as error:
            self._refuse("unreadable", str(error))
            return
        refusal = self._refusal(channel, command, payload)
        if refusal is not None:
            self._refuse(*refusal)
            self._answer(command, problem=refusal[1])
            return
        task = asyncio.create_task(self._serve(command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
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
        if command.name not in self._orders:
            known = ", ".join(sorted(self._orders))
            return "unknown", f"this version of the agent has no command {command.name}; it has: {known}"
        if len(self._tasks) >= MOST_AT_ONCE:
            return "busy", f"{MOST_AT_ONCE} commands are being carried out: wait for one of them"
        return None

    async def _serve(self, command: Command) -> None:
        problem, result = "", dict[str, Argument]()
        try:
            async with self._noting:
                await asyncio.to_thread(self._nonces.use, command.nonce, instant_us(command.expires_at))
            async with asyncio.timeout(LONGEST_S):
                result = await self._orders[command.name](command.args)
        except (NoncesError, TooSoonError) as error:
            self._refuse(_why(error), str(error))
            self._answer(command, problem=str(error))
            return
        except OrderError as error:
            problem = str(error)
        except TimeoutError:
            problem = f"command {command.name} was not over after {LONGEST_S:g} s and was broken off"
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
            args=command.args,
            problem=problem,
        )
        self._answer(command, problem=problem, result=result)

    def _answer(self, command: Command, *, problem: str, result: dict[str, Argument] | None = None) -> None:
        reply = Reply(
            name=command.name,
            gateway=self._gateway,
            nonce=command.nonce,
            at=instant(self._now_us()),
            ok=not problem,
            problem=_one_line(problem),
            result=result or {},
        )
        if not self._publish(f"{REPLY}/{command.name}", encode(reply)):
            self.counters.unanswered += 1
            self._log.warning("answer to a command is lost: the broker is away", command=command.name)

    def _refuse(self, why: str, words: str) -> None:
        """Count a refusal, and log the first of its kind; metrics tell of the others."""
        count = self.counters.refused[why] = self.counters.refused.get(why, 0) + 1
        if count == 1:
            self._log.warning("command refused; more of this kind are only counted", why=why, problem=_one_line(words))


def _why(error: NoncesError | TooSoonError) -> str:
    if isinstance(error, TooSoonError):
        return "too-soon"
    return "unnoted" if isinstance(error, NotNotedError) else "replayed"


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:MAX_TEXT]
