"""Fire alarm inputs that are active, kept over a restart: the last word of a device that is lost holds."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from structlog.typing import FilteringBoundLogger

FILE: Final = "fires.json"
MOST: Final = 1_000

Input = tuple[str, int]
"""A device's id and the number of its input, from 1."""
_Kept = Annotated[list[tuple[str, int]], Meta(max_length=MOST)]


class FireNotes:
    """The file of active fire inputs; it is there only while there are some.

    Args:
        folder: the data folder.
        log: logger.
    """

    def __init__(self, folder: Path, *, log: FilteringBoundLogger) -> None:
        self._path, self._log = folder / FILE, log

    def read(self, inputs: Collection[Input]) -> list[Input]:
        """Return those that were active when the agent ended, of inputs that are fire inputs still.

        What can't be read is told, and mutes nothing: a fire input says what it is as soon as its device is there.
        """
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._log.error(
                "whether there was a fire alarm can't be read: sirens sound until an input says so",
                problem=str(error),
            )
            return []
        return sorted(set(kept).intersection(inputs))

    def keep(self, fires: Collection[Input]) -> None:
        """Note which are active; that they can't be noted is told, and changes nothing else."""
        partial = self._path.with_suffix(".partial")
        try:
            if not fires:
                self._path.unlink(missing_ok=True)
                return
            with partial.open("wb") as file:
                file.write(msgspec.json.encode(sorted(fires)))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
        except OSError as error:
            self._log.error(
                "a fire alarm can't be noted on disk: a restart would forget it while its device is lost",
                problem=error.strerror or str(error),
            )
