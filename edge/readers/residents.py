"""Which tags stay in the field, and which have just come? Told from what was heard, second by second. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from edge.readers.hearing import Heard

SECOND_US: Final = 1_000_000
SETTLED_US: Final = 10 * SECOND_US
"""Who is heard for so long without leaving is a resident: a walk through a doorway takes seconds."""
GONE_US: Final = 30 * SECOND_US
"""A tag that isn't heard for so long has gone; a weak resident may be silent for a while."""
FOLLOW_US: Final = 30 * SECOND_US
"""So long after its first read a tag counts as a newcomer: who stays in the doorway is `parked` after 20 s."""
SILENT_US: Final = 3 * SECOND_US
"""A newcomer that isn't heard for so long has passed."""
MAX_TAGS: Final = 20_000
"""Beyond it nothing more is learnt: the field is as full as a plan can know."""


@dataclass(slots=True)
class _Span:
    first_us: int
    last_us: int


class Residents:
    """Tags of one reader's field."""

    def __init__(self, ignored: Iterable[bytes] = ()) -> None:
        self._ignored = frozenset(ignored)
        self._tags: dict[bytes, _Span] = {}

    def hear(self, heard: Heard | None) -> None:
        """Take reports in the order in which they came."""
        if heard is None or not len(heard):
            return
        raw, width = heard.epc.tobytes(), heard.epc.shape[1]
        spans = zip(heard.epc_bits.tolist(), heard.at_us.tolist(), strict=True)
        for row, (bits, at_us) in enumerate(spans):
            epc = raw[row * width : row * width + (bits + 7) // 8]
            if epc not in self._ignored:
                self.note(epc, at_us)

    def note(self, epc: bytes, at_us: int) -> None:
        """Take one read."""
        span = self._tags.get(epc)
        if span is not None and at_us - span.last_us < GONE_US:
            span.last_us = max(span.last_us, at_us)
        elif span is not None or len(self._tags) < MAX_TAGS:
            self._tags[epc] = _Span(at_us, at_us)

    def forget_gone(self, now_us: int) -> None:
        """Let go of tags that have not been heard for long; not to be called while residents are kept quiet."""
        self._tags = {epc: span for epc, span in self._tags.items() if now_us - span.last_us < GONE_US}

    def clear(self) -> None:
        """Know nothing any more."""
        self._tags.clear()

    def __contains__(self, epc: bytes) -> bool:
        return epc in self._tags or epc in self._ignored

    def count(self) -> int:
        """Return how many tags stay."""
        return sum(span.last_us - span.first_us >= SETTLED_US for span in self._tags.values())

    def newcomers(self, now_us: int, *, since_us: int = 0) -> list[bytes]:
        """Return tags that have come of late, not before `since_us`, and are still there, the newest first."""
        found = [
            (span.first_us, epc)
            for epc, span in self._tags.items()
            if span.first_us >= max(since_us, now_us - FOLLOW_US) and now_us - span.last_us < SILENT_US
        ]
        return [epc for _, epc in sorted(found, reverse=True)]
