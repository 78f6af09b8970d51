"""How late crossings were known, from the true crossing on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulator.scoring.match import Pair
from simulator.scoring.units import Stage, said_at

QUANTILES: Final = (0.5, 0.9, 0.99)
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Delays:
    """Delays of crossings that were called in the right direction, microseconds, in no order.

    Without arrivals in the events a delay ends at the last instant that the event speaks of: the edge knew no earlier.
    """

    provisional_us: tuple[int, ...] = ()
    final_us: tuple[int, ...] = ()

    def plus(self, other: "Delays") -> "Delays":
        """Return both together."""
        return Delays(self.provisional_us + other.provisional_us, self.final_us + other.final_us)

    def as_json(self) -> dict[str, Any]:
        """Return quantiles in seconds."""
        return {"provisional": summary(self.provisional_us), "final": summary(self.final_us)}


def delays_of(pairs: Iterable[Pair]) -> Delays:
    """Measure delays."""
    kept = list(pairs)
    return Delays(tuple(_of(kept, "provisional")), tuple(_of(kept, "final")))


def summary(delays_us: Sequence[int]) -> dict[str, Any]:
    """Return the number of delays and their quantiles in seconds, by the nearest rank; None where there are none."""
    ordered = sorted(delays_us)
    found: dict[str, Any] = {"crossings": len(ordered)}
    for share in QUANTILES:
        # The nearest rank: the smallest that at least this share doesn't exceed.
        rank = -(-len(ordered) * round(100 * share) // 100)
        found[f"p{share * 100:g}_s"] = ordered[rank - 1] / _MICROSECONDS if ordered else None
    return found | {"max_s": ordered[-1] / _MICROSECONDS if ordered else None}


def _of(pairs: Sequence[Pair], stage: Stage) -> list[int]:
    found = []
    for visit, call in pairs:
        said = said_at(call, stage)
        if visit is not None and visit.crossed_us is not None and said is not None and said.kind == visit.kind:
            found.append(said.known_us - visit.crossed_us)
    return found
