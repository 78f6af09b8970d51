"""The gate's own thread: what arrives is verified and written to disk beside the event loop, in the order it came."""

from collections import Counter
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final, Self

from structlog.typing import FilteringBoundLogger

from edge.gate.disk import USES, GateFiles
from edge.gate.errors import GateError, Refusal
from edge.gate.snapshot import Snapshot
from edge.gate.store import GateStore, StoreCounters, check_size

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_QUEUED_BYTES: Final = 64 * 1024 * 1024
"""The largest snapshot is 48 MiB and may come all at once; who sends more at a time isn't the central."""


class GateKeeper:
    """Gives a store its thread; a context whose end waits for what was taken.

    Args:
        store: loaded already.
        files: where the used permissions are kept beside the store's.
        log: logger.
    """

    def __init__(self, store: GateStore, files: GateFiles, *, log: FilteringBoundLogger) -> None:
        self._store, self._files, self._log = store, files, log
        self._work: SimpleQueue[tuple[int, Callable[[], None]] | None] = SimpleQueue()
        self._queued_bytes, self._lock = 0, Lock()
        self._taken = 0
        self._refused: Counter[Refusal] = Counter()
        self._thread = Thread(target=self._run, name="gate", daemon=True)

    @property
    def snapshot(self) -> Snapshot | None:
        """What is held now."""
        return self._store.snapshot

    @property
    def outline(self) -> Snapshot | None:
        """What the manifest says of doors, while its parts are damaged."""
        return self._store.outline

    @property
    def counters(self) -> StoreCounters:
        """What became of the messages."""
        return self._store.counters

    @property
    def coming(self) -> tuple[int, int] | None:
        """Generation that is being collected, and how many of its parts are missing."""
        return self._store.coming

    @property
    def lacking(self) -> list[str]:
        """Channels that should have brought something by now; none while what came isn't worked off."""
        return [] if self._queued_bytes else self._store.lacking

    @property
    def taken(self) -> int:
        """Messages that came, whatever became of them."""
        return self._taken

    def take(self, channel: str, payload: bytes) -> None:
        """Take a message in the event loop's thread; any bytes may come, none raises and none waits."""
        self._taken += 1
        try:
            check_size(channel, payload)
            self._admit(len(payload))
        except GateError as error:
            self._note_refused(error.why, str(error))
            return
        self._work.put((len(payload), partial(self._store.take, channel, payload)))

    def forget_strays(self) -> None:
        """Let go of parts that waited for their manifest since the last call."""
        self._work.put((0, self._store.forget_strays))

    def keep_uses(self, payload: bytes) -> None:
        """Write which permissions for one use were used."""
        self._work.put((0, partial(self._keep_uses, payload)))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._work.put(None)
        self._thread.join()

    def _admit(self, size: int) -> None:
        with self._lock:
            if self._queued_bytes + size > MOST_QUEUED_BYTES:
                raise GateError("flood", f"{self._queued_bytes} bytes of gate messages wait already")
            self._queued_bytes += size

    def _note_refused(self, why: Refusal, words: str) -> None:
        """Have it counted; nothing of a refused message may wait, or a flood of them would fill the memory."""
        with self._lock:
            waits = why in self._refused
            self._refused[why] += 1
        if not waits:
            self._work.put((0, partial(self._count_refused, why, words)))

    def _count_refused(self, why: Refusal, words: str) -> None:
        with self._lock:
            count = self._refused.pop(why)
        self._store.refuse(why, words, count)

    def _run(self) -> None:
        while (one := self._work.get()) is not None:
            size, work = one
            try:
                work()
            except Exception:  # noqa: BLE001 (a message must not end the gate)
                self._log.exception("gate message could not be taken")
            with self._lock:
                self._queued_bytes -= size

    def _keep_uses(self, payload: bytes) -> None:
        try:
            self._files.write(USES, payload)
        except OSError as error:
            self.counters.disk_failures += 1
            self._log.error("used permission can't be kept on disk", problem=error.strerror or str(error))
