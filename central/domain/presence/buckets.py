"""What a count may say of a place: found, missing, unexpected, unknown, and the variance that follows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from central.domain.presence.coverage import Coverage, CoverageKind
from central.domain.presence.fold import Stranger
from central.domain.presence.history import Presence

Bucket = Literal["found", "missing", "unexpected", "unknown"]

MISSING: Final = 0.99
"""An asset is missing when it is gone with this probability: of a hundred called missing, one is there."""
MISSING_ROUNDS: Final = 2
"""And never at the first silence."""
FOUND: Final = 0.9
"""An asset counts as found while it is there with this probability."""
STRANGER_ROUNDS: Final = 2
"""Antennas hear through walls: outside a sweep a tag belongs where it was heard more than once."""


@dataclass(frozen=True, slots=True)
class Booked:
    """An asset of the book of a place, and what speaks for it.

    `observed` says that a door saw it come in; `elsewhere_at` is when another place heard it last.
    """

    presence: Presence | None
    observed: bool
    elsewhere_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """A count. `coverage` is how it was seen; a count without is "not counted": all its assets are unknown."""

    coverage: CoverageKind
    book: int = 0
    found: int = 0
    missing: int = 0
    unexpected: int = 0
    unknown: int = 0

    @property
    def counted(self) -> bool:
        """Whether anything was counted at all."""
        return self.coverage != "none"

    @property
    def net(self) -> float | None:
        """(found + unexpected - book) / book; None if not counted or the book is empty."""
        return (self.found + self.unexpected - self.book) / self.book if self.counted and self.book else None

    @property
    def gross(self) -> float | None:
        """(missing + unexpected) / book: what net hides by setting off. None as for `net`."""
        return (self.missing + self.unexpected) / self.book if self.counted and self.book else None


def bucket_of(asset: Booked, coverage: CoverageKind) -> Bucket:
    """Return the bucket of an asset that the book has at a place which is covered in this way."""
    known = asset.presence
    if coverage == "none" or known is None:
        return "unknown"
    if asset.elsewhere_at is not None and asset.elsewhere_at > (known.heard_at or known.since):
        return "missing" if coverage == "sighted" else "unknown"
    if coverage == "sighted" and known.gone >= MISSING and known.silent >= MISSING_ROUNDS:
        return "missing"
    confirmed = known.heard_at is not None or asset.observed
    return "found" if confirmed and known.probability >= FOUND else "unknown"


def is_unexpected(stranger: Stranger, booked_since: datetime | None, heard_at_home: datetime | None) -> bool:
    """Whether a tag that was heard where the book hasn't got its asset is really there.

    Args:
        stranger: What was heard of it there.
        booked_since: Since when the book has the asset where it has it; None if nowhere.
        heard_at_home: When it was last heard there.
    """
    credible = stranger.swept or stranger.rounds >= STRANGER_ROUNDS
    later = all(stranger.last_at > when for when in (booked_since, heard_at_home) if when is not None)
    return credible and later


def tally(coverage: CoverageKind, buckets: Iterable[Bucket]) -> Tally:
    """Count buckets; the book is all but the unexpected."""
    counts = {"found": 0, "missing": 0, "unexpected": 0, "unknown": 0}
    for one in buckets:
        counts[one] += 1
    book = counts["found"] + counts["missing"] + counts["unknown"]
    return Tally(coverage, book=book, **counts)


def kind_of(line: Coverage | None) -> CoverageKind:
    """Return the kind of a ledger's line; before the first there is no coverage."""
    return line.kind if line else "none"
