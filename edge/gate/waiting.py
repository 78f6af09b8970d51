"""Parts that wait: those that the coming manifest wants, and strays that none names yet. Pure, bounded.

Nobody signs a part, so a stray may be anybody's. A true one is retained by the broker, and asked for again once a
manifest names it: letting go of one costs some seconds, never a snapshot.
"""

from collections.abc import Callable, Mapping
from typing import Final

from edge.contracts import BUCKETS, MAX_PART_BYTES

MOST_WAITING_BYTES: Final = BUCKETS * MAX_PART_BYTES
"""A whole snapshot may come ahead of its manifest, and no more than one."""


class WaitingParts:
    """Parts by index and digest.

    Args:
        dropped: told of each stray that went, by index, and why in words.
        most_bytes: of all together; what the manifest wants is never let go.
    """

    def __init__(self, dropped: Callable[[int, str], None], *, most_bytes: int = MOST_WAITING_BYTES) -> None:
        self._dropped, self._most_bytes = dropped, most_bytes
        self._parts: dict[tuple[int, str], bytes] = {}
        self._bytes = 0
        self._old: set[tuple[int, str]] = set()

    def __len__(self) -> int:
        return len(self._parts)

    @property
    def size_bytes(self) -> int:
        """Bytes of all that wait."""
        return self._bytes

    def get(self, index: int, digest: str) -> bytes | None:
        """Return a part that waits."""
        return self._parts.get((index, digest))

    def put(self, index: int, digest: str, payload: bytes, wanted: Mapping[int, str]) -> None:
        """Let a part wait; of strays one an index waits, the newest, and the oldest go where there is no room."""
        if wanted.get(index) != digest:
            strays = [one for one in self._strays(wanted) if one[0] == index]
            self._drop(strays, "another came before a manifest named it")
        self._parts[index, digest] = payload
        self._bytes += len(payload)
        for stray in self._strays(wanted):
            if self._bytes <= self._most_bytes:
                break
            self._drop([stray], f"{self._bytes} bytes wait for a manifest that names them")

    def held(self, wanted: Mapping[int, str]) -> None:
        """Let go of all, since a manifest is held: its own are kept elsewhere by now, and strays it doesn't name go."""
        self._drop(self._strays(wanted), "the manifest that came doesn't name it")
        self._parts.clear()
        self._old.clear()
        self._bytes = 0

    def age(self, wanted: Mapping[int, str]) -> None:
        """Let go of strays that waited since the last call."""
        strays = self._strays(wanted)
        self._drop([one for one in strays if one in self._old], "no manifest that names it came")
        self._old = set(self._strays(wanted))

    def _strays(self, wanted: Mapping[int, str]) -> list[tuple[int, str]]:
        return [one for one in self._parts if wanted.get(one[0]) != one[1]]

    def _drop(self, strays: list[tuple[int, str]], why: str) -> None:
        for stray in strays:
            self._bytes -= len(self._parts.pop(stray))
            self._old.discard(stray)
            self._dropped(stray[0], why)
