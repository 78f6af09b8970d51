"""Figures and their registry: every figure comes from a run on the machine at hand."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


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
    needs: dict[str, Path] = field(default_factory=dict)
    named_only: set[str] = field(default_factory=set)

    def register(
        self, prefix: str, *, needs: Path | None = None, when_named: bool = False
    ) -> Callable[[Callable[[], Iterable[Figure]]], Callable[[], Iterable[Figure]]]:
        """Register a measuring function under the common beginning of its figures' names.

        Without the folder that it `needs` it isn't run, and `lacking` says so. `when_named` is for what takes so long
        that it is run only where it is asked for by that name, or by the beginning of such names only.
        """

        def keep(measure: Callable[[], Iterable[Figure]]) -> Callable[[], Iterable[Figure]]:
            self.entries.append((prefix, measure))
            if when_named:
                self.named_only.add(prefix)
            if needs is not None:
                self.needs[prefix] = needs
            return measure

        return keep

    def run(self, only: str) -> Iterator[Figure]:
        """Yield figures whose names begin with `only`; functions that can't yield one aren't run."""
        met = {prefix for prefix, _ in self.entries if _meets(prefix, only)}
        for prefix, measure in self.entries:
            needed = self.needs.get(prefix)
            named = prefix not in self.named_only or only.startswith(prefix) or met <= self.named_only
            if prefix in met and named and (needed is None or needed.is_dir()):
                yield from (figure for figure in measure() if figure.name.startswith(only))

    def lacking(self, only: str) -> list[str]:
        """Say which of the functions asked for can't run here, and what folder they need."""
        wanted = ((prefix, needed) for prefix, needed in self.needs.items() if _meets(prefix, only))
        return [f"{prefix}* needs the folder {needed}" for prefix, needed in wanted if not needed.is_dir()]


def _meets(prefix: str, only: str) -> bool:
    return prefix.startswith(only) or only.startswith(prefix)


BENCH = Registry("Speed")
ACCURACY = Registry("Accuracy")
