"""Rows that the outbox didn't take before an agent's parts ended: the next parts write them, or the next start tells.

With them goes the pair that the broker took last: another may lie in our files by now, which it doesn't take.

Order: rows that are left go before those of the journal that takes them over.
Loss: none from one round of an agent to the next. What is left when the process ends is counted in a file, and the next
start tells it in one `loss` row; a kill, or a disk that doesn't even take that file, leaves no count.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from edge.agent.journal import Journal
from edge.contracts import LossRow, Stream
from edge.uplink import KeptPair

LOST_FILE: Final = "rows-lost.json"
NOT_WRITTEN: Final = "the agent's outbox could not be written when it ended"


class Leftover:
    """The journals of a process, one after the other in each stream.

    Args:
        folder: where the count of what is lost is kept from one start to the next.
        log: logger.
    """

    def __init__(self, folder: Path, *, log: FilteringBoundLogger) -> None:
        self._file, self._log = folder / LOST_FILE, log
        self._journals: dict[Stream, Journal] = {}
        self.pair = KeptPair()

    def hand_over(self, stream: Stream, journal: Journal) -> None:
        """Give a new journal what the one before it holds; the first is given what the start before lost."""
        before = self._journals.get(stream)
        self._journals[stream] = journal
        if before is not None:
            journal.take_over(before.give_up())
        elif stream == "movement":
            loss = self._lost_before()
            if loss is not None:
                journal.declare(loss, told=self._forget)

    def close(self) -> None:
        """Note what is lost with the process; the journals have stopped."""
        rows = {stream: journal.held for stream, journal in self._journals.items() if journal.held}
        for stream, held in rows.items():
            problem = self._journals[stream].problem
            self._log.error("rows lost at stop: the outbox can't be written", stream=stream, rows=held, problem=problem)
        movement = self._journals.get("movement")
        loss = None if movement is None else movement.as_loss(NOT_WRITTEN)
        if loss is None:
            return
        partial = self._file.with_suffix(".new")
        try:
            partial.write_bytes(msgspec.json.encode(msgspec.structs.replace(loss, seq=1)))
            partial.chmod(0o600)
            partial.replace(self._file)
        except OSError as error:
            self._log.error("how many rows are lost can't be kept for the next start", problem=error.strerror)
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def _lost_before(self) -> LossRow | None:
        """Return what the last start lost; a damaged file is told in the log."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=LossRow)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._log.warning("what the last start lost can't be read", file=str(self._file), problem=str(error))
            self._forget()
            return None

    def _forget(self) -> None:
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            self._log.warning("a count of lost rows can't be removed: it is told again", problem=error.strerror)
