"""Which passage used up a permission for one use at this gateway; known over a restart by its bytes."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import msgspec

from edge.contracts.rows import EpcHex
from edge.gate.errors import GateError

MOST_USES: Final = 4096
"""The central takes a used permission out within a minute while it is heard; offline a door sees some hundred a day."""


class Use(NamedTuple):
    """A permission for one use, by what it says; instants are UTC microseconds."""

    epc: EpcHex
    boundary: str
    from_us: int
    to_us: int


class Uses:
    """Permissions that were used here, oldest first."""

    def __init__(self) -> None:
        self._passages: dict[Use, str] = {}
        self._spent: dict[str, list[Use]] = {}
        self.changed = False
        """Whether `encode` gives other bytes than when this was set to False."""

    def __len__(self) -> int:
        return len(self._passages)

    def free_for(self, use: Use, passage: str) -> bool:
        """Tell whether no other passage used it: one passage is told in several revisions."""
        return self._passages.get(use, passage) == passage

    def spend(self, passage: str, uses: Iterable[Use]) -> None:
        """Note what a passage used; the oldest are forgotten beyond some thousand."""
        for use in uses:
            if use not in self._passages:
                self._passages[use] = passage
                self._spent.setdefault(passage, []).append(use)
                self.changed = True
        while len(self._passages) > MOST_USES:
            self._forget(next(iter(self._passages)))

    def release(self, passage: str) -> None:
        """Take back what a passage used that was no crossing after all."""
        for use in tuple(self._spent.get(passage, ())):
            self._forget(use)

    def prune(self, listed: Callable[[Use], bool]) -> None:
        """Forget permissions that no snapshot lists any more."""
        for use in [use for use in self._passages if not listed(use)]:
            self._forget(use)

    def encode(self) -> bytes:
        """Return the bytes that `decode` takes."""
        return msgspec.json.encode(list(self._passages.items()))

    def decode(self, payload: bytes) -> None:
        """Take what an earlier start noted; bytes that are none raise `GateError`."""
        try:
            told = msgspec.json.decode(payload, type=list[tuple[Use, str]])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GateError("unreadable", f"used permissions of {len(payload)} bytes can't be read: {error}") from error
        for use, passage in told:
            self.spend(passage, (use,))
        self.changed = False

    def _forget(self, use: Use) -> None:
        passage = self._passages.pop(use)
        self._spent[passage].remove(use)
        if not self._spent[passage]:
            del self._spent[passage]
        self.changed = True
