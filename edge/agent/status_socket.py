"""The running agent tells how it is to whoever asks on this machine: a socket in the data directory, one JSON a call.

The socket is the agent's user's alone, so nothing needs a password. It takes no orders.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

import msgspec
from structlog.typing import FilteringBoundLogger

from edge.agent.at_the_door import AtTheDoor
from edge.agent.fitness import OnTrial
from edge.agent.kernel_cache import Kernels
from edge.agent.machine import Machine
from edge.contracts import Health

SOCKET_FILE: Final = "status.sock"
MODE: Final = 0o600
ASK_S: Final = 5.0
"""A running agent answers in milliseconds; one that takes longer than this is stuck."""
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One of the last movements that were decided; `verdict` is the gate's, where it had one."""

    at: str
    portal: str
    epc: str
    kind: str
    final: bool
    confidence: float
    verdict: str = ""


class AgentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is told: the heartbeat, and what concerns this machine alone.

    Attributes:
        broker: its URL.
        uplink_failures: connections in a row over which the central was not heard.
        uplink_problem: what ended the last of them.
        central_heard: whether the central has spoken over the connection that stands.
        certificate_days_left: of ours at the broker; None without one.
        certificate_problem: why the one that lies in our files isn't used; empty where it is.
        outbox_problem: why events can't be written; empty where they can.
        held: events that wait in memory for the outbox.
        set_aside: outbox files found damaged since the start.
        watchdog_s: the service manager's; None without one.
        stuck: what stands still.
        movements: the last that were decided, the newest last.
        door: fire alarm, portal modes, access controllers.
        trial: the pushed configuration that is on trial; None where none is.
    """

    version: str
    pid: int
    site: str
    health: Health
    machine: Machine
    kernels: Kernels
    broker: str = ""
    uplink_failures: int = 0
    uplink_problem: str = ""
    central_heard: bool = True
    certificate_days_left: float | None = None
    certificate_problem: str = ""
    outbox_problem: str = ""
    held: int = 0
    set_aside: int = 0
    watchdog_s: float | None = None
    stuck: tuple[str, ...] = ()
    movements: list[Movement] = []
    door: AtTheDoor = AtTheDoor()
    trial: OnTrial | None = None


class StatusError(Exception):
    """No agent answers; the message says why that may be."""


class NotRunningError(StatusError):
    """Nobody listens there: no agent runs."""


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """Give a name of the socket that fits the 108 bytes of a socket address however deep the folder lies."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_FILE}"
    finally:
        os.close(descriptor)


class StatusServer:
    """Serves from `async with` to its end; a folder that can't hold a socket is told and costs only the status."""

    def __init__(self, folder: Path, status: Callable[[], AgentStatus], *, log: FilteringBoundLogger) -> None:
        self._folder, self._status, self._log = folder, status, log
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(self._answer, sock=_bound(self._folder))
        except OSError as error:
            where, why = self._folder / SOCKET_FILE, error.strerror or str(error)
            do = "remove it" if isinstance(error, IsADirectoryError) else "see that the agent may write there"
            self._log.warning("status can't be asked for", problem=f"{where}: {why}: {do}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            with suppress(OSError):
                (self._folder / SOCKET_FILE).unlink(missing_ok=True)

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(msgspec.json.encode(self._status()))
            async with asyncio.timeout(ASK_S):
                await writer.drain()
        except (OSError, TimeoutError):
            writer.transport.abort()
        finally:
            writer.close()


def _bound(folder: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        # Linux gives the file the mode that the socket has when it is bound: there is no moment with another.
        os.fchmod(listener.fileno(), MODE)
        with _short(folder) as name:
            # The outbox's lock has made sure that no other agent has this folder, so what lies there is a leftover.
            Path(name).unlink(missing_ok=True)
            listener.bind(name)
    except OSError:
        listener.close()
        raise
    return listener


def ask(folder: Path, *, timeout_s: float = ASK_S) -> AgentStatus:
    """Return what the agent over this data directory says; `StatusError` where none runs or it doesn't answer."""
    try:
        with _short(folder) as name, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(timeout_s)
            line.connect(name)
            answer = bytearray()
            while piece := line.recv(65_536):
                answer += piece
                if len(answer) > MAX_ANSWER_BYTES:
                    raise StatusError(f"what answers in {folder} is no agent of this version")
        return msgspec.json.decode(bytes(answer), type=AgentStatus)
    except (FileNotFoundError, ConnectionRefusedError):
        raise NotRunningError(f"no agent runs over {folder}") from None
    except TimeoutError:
        raise StatusError(f"the agent over {folder} doesn't answer: it stands still; restart it") from None
    except BlockingIOError:
        many = "too many ask at once, or it stands still: ask again, and restart it if that doesn't help"
        raise StatusError(f"the agent over {folder} takes no more questions: {many}") from None
    except NotADirectoryError:
        raise StatusError(f"{folder} is no folder: give the agent's data directory (--data-dir)") from None
    except PermissionError as error:
        raise StatusError(f"{folder}: {error.strerror}: ask as the agent's user or as root") from None
    except OSError as error:
        raise StatusError(f"the agent over {folder} can't be asked: {error.strerror or error}: ask again") from None
    except msgspec.MsgspecError as error:
        raise StatusError(f"what answers in {folder} is no agent of this version: {error}") from None
