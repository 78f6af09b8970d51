"""What rules hand to the exception queue, and the port that takes it.

An opening says that something is wrong. The queue holds one open exception for each (category, asset, location):
what is said again is the same occurrence, what happens again is a further one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from central.domain.exceptions.taxonomy import CATEGORIES, Category


@dataclass(frozen=True, slots=True)
class Opening:
    """Something is wrong with an asset, at a place, or both.

    Attributes:
        category: a name in `central.domain.exceptions.taxonomy.CATEGORIES`.
        severity: critical, high, medium, low, or None for the category's own.
        at: when it began. With `key` it is the occurrence's identity: a rule that says the same thing again about the
            same log gives the same `at`.
        evidence: what led to it, for a person to read: passage, portal, transfer, figures as text.
        key: tells apart what happened to one (category, asset, location) at one instant, as two EPCs do.

    Raises:
        ValueError: the category is in no taxonomy, or neither asset nor location is named.
    """

    category: str
    severity: str | None
    asset: str | None
    location: str | None
    at: datetime
    evidence: Mapping[str, str]
    key: str = ""

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise ValueError(f"exception category {self.category!r} is unknown: add it to the taxonomy")
        if self.asset is None and self.location is None:
            raise ValueError(f"an exception of category {self.category} names neither asset nor location")

    @property
    def of(self) -> Category:
        """The category's row of the taxonomy."""
        return CATEGORIES[self.category]


class Openings(Protocol):
    """The exception queue as rules see it, inside a transaction. Assets are locked before it is called."""

    async def settle_exceptions(
        self, source: str, assets: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Make the queue say about `assets` what `source` says now; return the ids of exceptions that changed.

        Opens what is new and adds occurrences to what is open. An occurrence that `source` no longer says is withdrawn;
        an exception that has none left is suggested for closure ("the world has put it right"), never closed. What
        somebody has closed stays closed until something new happens. Every opening's asset must be in `assets`.
        """

    async def settle_keys(
        self, source: str, keys: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Do the same for what `source` says about keys, as passages are: every opening's key must be in `keys`."""

    async def suggest_closing(
        self, categories: Collection[str], assets: Collection[str], words: str, source: str, now: datetime
    ) -> list[int]:
        """Suggest the closing of assets' open exceptions of some categories; return which."""

    async def open_exceptions(
        self, openings: Sequence[Opening], now: datetime, *, source: str = "central"
    ) -> list[int]:
        """Open, or add occurrences, without withdrawing any: for what isn't a function of an asset's log."""
