"""Figures and their registry: every figure comes from a run on the machine at hand."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One measured figure; `ratio` is how many times better ours is (> 1 is better), None without a peer."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    detail: str = ""


@dataclass
class Registry:
    """Functions that measure, each with the beginning of the names that it yields."""

    title: str
    entries: list[tuple[str, Callable[[], Iterable[Figure]]]] = field(default_factory=list)

    def register(self, prefix: str) -> Callable[[Callable[[], Iterable[Figure]]], Callable[[], Iterable[Figure]]]:
        """Register a measuring function under the common beginning of its figures' names."""

        def keep(measure: Callable[[], Iterable[Figure]]) -> Callable[[], Iterable[Figure]]:
            self.entries.append((prefix, measure))
            return measure

        return keep

    def run(self, only: str) -> Iterator[Figure]:
        """Yield figures whose names begin with `only`; functions that can't yield one aren't run."""
        for prefix, measure in self.entries:
            if prefix.startswith(only) or only.startswith(prefix):
                yield from (figure for figure in measure() if figure.name.startswith(only))


BENCH = Registry("Speed")
ACCURACY = Registry("Accuracy")
