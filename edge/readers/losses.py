"""Losses of one reader as rows, gathered so that a noisy line doesn't write one for each garbled byte. Pure."""

from typing import Final, NamedTuple

from edge.contracts import LossRow, instant

PERIOD_US: Final = 10_000_000
"""Losses of one kind that go on are one row each ten seconds; the first is told at once."""


class _Open(NamedTuple):
    from_us: int
    to_us: int
    lost: int | None


class LossLog:
    """Open and written losses of one reader, by reason."""

    def __init__(self, reader: str) -> None:
        self._reader = reader
        self._open: dict[str, _Open] = {}
        self._written_us: dict[str, int] = {}

    def add(self, reason: str, from_us: int, to_us: int, count: int | None = None) -> None:
        """Note a loss between two instants; `count` is None where nobody can say how many reads."""
        before = self._open.get(reason)
        if before is not None:
            from_us = min(before.from_us, from_us)
            to_us = max(before.to_us, to_us)
            count = None if count is None or before.lost is None else count + before.lost
        self._open[reason] = _Open(min(from_us, to_us), to_us, count)

    def due(self, now_us: int, *, all_of_them: bool = False) -> list[LossRow]:
        """Return the rows to write now; `all_of_them` at the end of a session."""
        rows = []
        for reason, loss in list(self._open.items()):
            written_us = self._written_us.get(reason)
            if all_of_them or written_us is None or not 0 <= now_us - written_us < PERIOD_US:
                self._written_us[reason] = now_us
                del self._open[reason]
                rows.append(self._row(reason, loss))
        return rows

    def _row(self, reason: str, loss: _Open) -> LossRow:
        return LossRow(
            seq=0,
            reader=self._reader,
            reason=reason,
            from_=instant(loss.from_us),
            to=instant(loss.to_us),
            count=loss.lost,
        )
