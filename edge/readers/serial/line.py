"""One open serial line: bytes with their arrival times in, bytes out, control lines.

A device's file descriptor is watched by the event loop. What has none that can be watched (`rfc2217://` and other URLs
of pyserial) is read by a thread.
"""

import asyncio
import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import serial

from edge.readers.errors import ReaderBusyError, ReaderClosedError, ReaderError, ReaderUnreachableError
from edge.readers.serial.model import LINE_NAMES
from edge.readers.within import within

RECEIVE_BYTES: Final = 65_536
MOST_HELD_BYTES: Final = 1 << 20
"""Bytes that wait for a slow sink: ninety seconds at 115,200 baud. Beyond it they are dropped, which is told."""
HANG_UP_READS: Final = 3
"""So many reads in a row that the system calls ready and that bring nothing: the device is gone."""
THREAD_WAIT_S: Final = 0.1


class Line:
    """An open line, used once; `open_line` makes one.

    Args:
        port: the opened pyserial port.
        where: reader and device, for messages.
        now_us: the host's clock.
    """

    def __init__(self, port: Any, where: str, now_us: Callable[[], int]) -> None:
        self._port, self._where, self._now_us = port, where, now_us
        self._loop = asyncio.get_running_loop()
        self._held: list[tuple[int, bytes]] = []
        self._held_bytes = 0
        self._news = asyncio.Event()
        self._lost: ReaderError | None = None
        self._unsent = b""
        self._empty_reads = 0
        self.dropped_bytes = 0
        """Bytes thrown away since nobody took them."""
        self._fd = _descriptor(port)
        self._thread: ThreadPoolExecutor | None = None
        if self._fd is None:
            self._thread = ThreadPoolExecutor(2, f"serial {where}")  # one reads, one writes
            self._thread.submit(self._read_by_thread)
        else:
            os.set_blocking(self._fd, False)
            self._loop.add_reader(self._fd, self._readable)

    async def receive(self, timeout_s: float) -> list[tuple[int, bytes]]:
        """Return what has come, with host times; nothing after `timeout_s`. Raises once the line is lost."""
        if not self._held and self._lost is None:
            with suppress(TimeoutError):
                async with within(timeout_s):
                    await self._news.wait()
        self._news.clear()
        held, self._held, self._held_bytes = self._held, [], 0
        if not held and self._lost is not None:
            raise self._lost
        return held

    def send(self, data: bytes) -> None:
        """Send bytes; on a lost line nothing happens."""
        if self._lost is not None or not data:
            return
        if self._thread is not None:
            self._thread.submit(self._write_by_thread, data)
        else:
            self._unsent += data
            self._writable()

    def inputs(self, numbers: tuple[int, ...]) -> dict[int, bool]:
        """Return the state of control lines by their number; raises `ReaderClosedError` where there are none."""
        names = {1: "cts", 2: "dsr", 3: "cd", 4: "ri"}
        try:
            return {number: bool(getattr(self._port, names[number])) for number in numbers}
        except (OSError, ValueError) as error:
            wired = ", ".join(LINE_NAMES[number] for number in numbers)
            raise ReaderClosedError(
                f"{self._where}: its control lines ({wired}) can't be read ({_reason(error)}): "
                "has this adapter any, or is it unplugged? Leave `gpis` out where it has none"
            ) from error

    async def close(self) -> None:
        """Send what waits if that goes at once, and close."""
        if self._fd is not None:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
        self._end(ReaderClosedError(f"{self._where}: closed"))
        if self._thread is not None:
            await asyncio.to_thread(self._thread.shutdown)
        with suppress(OSError):  # a pulled device may fail to close, which frees it all the same
            await asyncio.to_thread(self._port.close)

    def _readable(self) -> None:
        assert self._fd is not None  # noqa: S101 (only the watched descriptor calls this)
        try:
            data = os.read(self._fd, RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(self._gone(error))
            return
        if data:
            self._empty_reads = 0
            self._arrived(self._now_us(), data)
        else:
            self._empty_reads += 1
            if self._empty_reads >= HANG_UP_READS:
                self._end(self._gone(None))

    def _writable(self) -> None:
        assert self._fd is not None  # noqa: S101 (as above)
        try:
            self._unsent = self._unsent[os.write(self._fd, self._unsent) :]
        except BlockingIOError:
            pass
        except OSError as error:
            self._end(self._gone(error))
            return
        if self._unsent:
            self._loop.add_writer(self._fd, self._writable)
        else:
            self._loop.remove_writer(self._fd)

    def _arrived(self, at_us: int, data: bytes) -> None:
        if self._held_bytes + len(data) > MOST_HELD_BYTES:
            self.dropped_bytes += len(data)
        else:
            self._held.append((at_us, data))
            self._held_bytes += len(data)
        self._news.set()

    def _gone(self, error: Exception | None) -> ReaderClosedError:
        words = f"the device is gone ({_reason(error)})" if error else "the device is gone"
        return ReaderClosedError(f"{self._where}: {words}: is the cable still in?")

    def _end(self, reason: ReaderError) -> None:
        if self._lost is None:
            self._lost = reason
            if self._fd is not None:
                self._loop.remove_reader(self._fd)
                self._loop.remove_writer(self._fd)
            self._news.set()

    # The thread's side.

    def _read_by_thread(self) -> None:
        while self._lost is None:
            try:
                data = self._port.read(max(1, self._port.in_waiting))
            except (OSError, ValueError, TypeError) as error:  # pyserial's URL handlers raise all three when closed
                self._hand_over(self._end, self._gone(error))
                return
            if data:
                self._hand_over(self._arrived, self._now_us(), bytes(data))

    def _write_by_thread(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except (OSError, ValueError) as error:
            self._hand_over(self._end, self._gone(error))

    def _hand_over(self, call: Callable[..., None], *args: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed once the program ends
            self._loop.call_soon_threadsafe(call, *args)


async def open_line(url: str, bauds: int, *, where: str, now_us: Callable[[], int]) -> Line:
    """Open a device or URL at 8 data bits, no parity, one stop bit, and nobody else's; errors say what to do."""
    options: dict[str, Any] = {} if "://" in url else {"exclusive": True}
    opening = asyncio.ensure_future(
        asyncio.to_thread(serial.serial_for_url, url, bauds, timeout=THREAD_WAIT_S, **options)
    )
    try:
        port = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise
    except (OSError, ValueError) as error:
        raise _unopened(where, url, error) from error
    return Line(port, where, now_us)


def _close_late(opening: "asyncio.Future[Any]") -> None:
    """Close a port that was opened after nobody wanted it any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _unopened(where: str, url: str, error: Exception) -> ReaderError:
    number = getattr(error, "errno", None)
    if number in {errno.EAGAIN, errno.EBUSY}:
        return ReaderBusyError(f"{where}: another program has it open: end that one")
    remedies = {
        errno.ENOENT: "there is no such device: plug it in, or look for its name in /dev/serial/by-id",
        errno.ENODEV: "there is no device behind it: plug it in, or look for its name in /dev/serial/by-id",
        errno.ENXIO: "there is no device behind it: plug it in, or look for its name in /dev/serial/by-id",
        errno.EACCES: "the agent's user may not open it: add it to the group dialout (usermod -aG dialout USER)",
        errno.EPERM: "the agent's user may not open it: add it to the group dialout (usermod -aG dialout USER)",
    }
    if number in remedies:
        return ReaderUnreachableError(f"{where}: {remedies[number]}")
    what = "is it running, and is the address right?" if "://" in url else "is it a serial device?"
    return ReaderUnreachableError(f"{where}: it can't be opened ({_reason(error)}): {what}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _descriptor(port: Any) -> int | None:
    """Return the file descriptor that an event loop can watch; None where the port has none."""
    if not isinstance(port, serial.Serial):
        return None
    return int(port.fileno())
