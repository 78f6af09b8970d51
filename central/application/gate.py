"""The gate snapshot's records and its store: what each gateway was sent, and what it must be sent now.

The store raises `StoreUnavailable` when the database can't be used now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from central.domain.gate import GateView
from edge.contracts import EpcPrefix


@dataclass(frozen=True, slots=True)
class Held:
    """A gateway's newest generation and its delta, as they were signed."""

    gateway: str
    generation: int
    n: int
    base: str
    """The database's snapshot that the generation shows."""
    geometry: str
    """Digest of the doors and prefixes that it was made for."""
    key: str
    issued_at: datetime
    expires_at: datetime
    entries: int
    manifest: bytes
    delta: bytes


class Packed(NamedTuple):
    """The entries of one part, packed, without the header that names a generation."""

    number: int
    entries: int
    boundaries: Sequence[str]
    packed: bytes


class SentPart(NamedTuple):
    """A part as it was last sent."""

    number: int
    generation: int
    sha256: str
    entries: int
    size: int


class Entry(NamedTuple):
    """What one EPC may do at one boundary; `verdict` is its code, instants are UTC microseconds, int64 ends open."""

    epc: str
    verdict: int
    boundary: str | None
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Contents:
    """Parts as one snapshot of the database has them; `built` None means all 512, absent ones being empty."""

    base: str
    built: Sequence[int] | None
    parts: Sequence[Packed]
    sent: Mapping[int, SentPart]


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from a generation now: `dirty` EPCs, and the entries that they have."""

    dirty: Sequence[str]
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class News:
    """What an instant's look at the changes found: boundaries, the empty text standing for all."""

    seen: str
    boundaries: frozenset[str]


@dataclass(frozen=True, slots=True)
class GateStanding:
    """What a registered gateway was sent, for people."""

    gateway: str
    site: str
    generation: int | None
    n: int | None
    issued_at: datetime | None
    expires_at: datetime | None
    delta_at: datetime | None
    key: str | None
    entries: int | None
    parts: int
    size_bytes: int


class GateStore(Protocol):
    """Where the counters, the digests and the changes stand."""

    async def held(self) -> dict[str, Held]:
        """Return each gateway's newest generation."""

    async def news(self, since: str | None) -> News:
        """Return which boundaries changed since an earlier look; None looks for the first time and finds nothing."""

    async def contents(
        self, view: GateView, prefixes: Sequence[EpcPrefix], now: datetime, changed_since: str | None
    ) -> Contents:
        """Return the parts with changes since a base, or with None all parts."""

    async def changes(self, view: GateView, prefixes: Sequence[EpcPrefix], now: datetime, base: str) -> Changes:
        """Return what changed at the gateway's boundaries since a base."""

    async def open(self, held: Held, previous: int | None, parts: Sequence[SentPart]) -> bool:
        """Keep a new generation in place of `previous`; False if another publisher came first."""

    async def advance(self, gateway: str, generation: int, n: int, delta: bytes, now: datetime) -> bool:
        """Keep delta `n` of a generation; False if another publisher came first."""

    async def standings(self) -> list[GateStanding]:
        """Return what every registered gateway was sent."""
