"""Commands that blind a doorway keep apart, so that whoever may give them can't hold it blind with them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from edge.commands import TooSoonError

APART_S: Final = 30
"""Longer than a session takes to stand again, so that the doorway is watched for most of the time between."""


class Blinding:
    """Which readers a command blinds, and since when none does.

    Args:
        steady_us: a clock that no one sets.
    """

    def __init__(self, steady_us: Callable[[], int]) -> None:
        self._steady_us = steady_us
        self._blind: set[str] = set()
        self._ended_us: dict[str, int] = {}

    @contextmanager
    def of(self, reader: str) -> Iterator[None]:
        """Note that a reader is blind until the block ends; `TooSoonError` where it is already, or was just now."""
        if reader in self._blind:
            raise TooSoonError(f"another command blinds reader {reader} now: wait until that is over")
        ended_us = self._ended_us.get(reader)
        if ended_us is not None and (ago_s := (self._steady_us() - ended_us) / 1e6) < APART_S:
            raise TooSoonError(
                f"a command blinded reader {reader} {ago_s:.0f} s ago: its doorway is watched for {APART_S} s between "
                f"two of them, try again in {APART_S - ago_s:.0f} s"
            )
        self._blind.add(reader)
        try:
            yield
        finally:
            self._blind.discard(reader)
            self._ended_us[reader] = self._steady_us()
