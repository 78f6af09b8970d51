"""What systemd is told: ready, stopping, and that the agent makes progress (sd_notify(3), a datagram, no library).

The watchdog is fed only while the event loop runs, the outbox's thread takes work, no task of the agent's has ended and
what readers take in reaches the windows. Else systemd starts the agent anew, which is the one cure for what hangs.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from structlog.typing import FilteringBoundLogger

LOOKS_A_PERIOD: Final = 4
"""systemd advises half of its period; twice as often, since what hangs is believed at the second look only."""
IDLE_LOOK_S: Final = 10.0
"""How often progress is judged where no watchdog wants it: a standstill is told in the log all the same."""


class ServiceManager:
    """The socket of whoever supervises us; without one nothing is sent."""

    def __init__(self, address: str | None, *, watchdog_s: float | None = None) -> None:
        self._address, self.watchdog_s = address, watchdog_s

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, pid: int) -> "ServiceManager":
        """Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; a watchdog that is another process's isn't ours."""
        period, owner = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
        ours = owner in {"", str(pid)}
        watchdog_s = int(period) / 1e6 if ours and period.isdecimal() and int(period) > 0 else None
        return cls(environment.get("NOTIFY_SOCKET") or None, watchdog_s=watchdog_s)

    def tell(self, *lines: str) -> bool:
        """Send assignments such as `READY=1`; tell whether they went out, for a manager may be gone."""
        if self._address is None:
            return False
        # An abstract socket is written with @ in the environment and begins with NUL on the wire.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.setblocking(False)  # noqa: FBT003 (the standard library's signature)
                out.sendto("\n".join(lines).encode(), address)
        except OSError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the agent's parts have come.

    Attributes:
        outbox_turns: whether the outbox's thread has taken what it was given at the last look.
        ended: tasks that are over though nobody stopped the agent.
        reports: messages of reads that readers took in; only rises.
        chunks: batches of reads that the windows were given; only rises.
    """

    outbox_turns: bool = True
    ended: tuple[str, ...] = ()
    reports: int = 0
    chunks: int = 0


class Work(Protocol):
    """Who knows how far the parts have come."""

    def standing(self) -> Standing:
        """Return it as of now; called once a look."""
        ...

    def words(self) -> str:
        """Return one line for `systemctl status`."""
        ...


class Progress:
    """Judges one look after another; what stands still is believed when two looks in a row say so. Pure."""

    def __init__(self) -> None:
        self._before: Standing | None = None
        self._suspects: frozenset[str] = frozenset()
        self.stuck: tuple[str, ...] = ()

    def look(self, now: Standing) -> bool:
        """Take how it is now; tell whether the agent moves."""
        suspects = frozenset(self._suspect(now))
        self.stuck = tuple(sorted(suspects & self._suspects))
        self._before, self._suspects = now, suspects
        return not self.stuck

    def _suspect(self, now: Standing) -> list[str]:
        found = [f"the agent's task {name} has ended" for name in now.ended]
        if not now.outbox_turns:
            found.append("a write to the outbox doesn't return")
        if self._before is not None and now.reports > self._before.reports and now.chunks == self._before.chunks:
            found.append("reads come in and the windows get none")
        return found


async def attend(
    manager: ServiceManager,
    work: Work,
    progress: Progress,
    *,
    stop: asyncio.Event,
    back_soon: Callable[[], bool] = lambda: False,
    log: FilteringBoundLogger,
) -> None:
    """Tell the manager that we are ready, feed its watchdog on progress, and say when we stop; ends after `stop`.

    Where `back_soon` says so then, it is told that we reload; that we are ready tells the next round.
    """
    manager.tell("READY=1")
    period_s = IDLE_LOOK_S if manager.watchdog_s is None else manager.watchdog_s / LOOKS_A_PERIOD
    told = False
    while not stop.is_set():
        moves = progress.look(work.standing())
        manager.tell(*(["WATCHDOG=1"] if moves else []), f"STATUS={work.words()}")
        if moves == told:  # moves though a standstill was told, or stands still and it wasn't
            told = not told
            if told:
                log.error("the agent stands still", why="; ".join(progress.stuck), watchdog_s=manager.watchdog_s)
            else:
                log.info("the agent moves again")
        try:
            await asyncio.wait_for(stop.wait(), period_s)
        except TimeoutError:
            continue
    if back_soon():
        now_us = time.monotonic_ns() // 1_000
        manager.tell("RELOADING=1", f"MONOTONIC_USEC={now_us}", "WATCHDOG=1", "STATUS=takes another configuration")
    else:
        manager.tell("STOPPING=1", "STATUS=stopping")
