"""What truly happened."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.estate.world import World


@dataclass(slots=True)
class TrueCrossing:
    """One asset went from one place to another.

    Attributes:
        authorised: every guarded place that it left was covered by what was recorded by then; None where it left none.
        approved_late: it was covered by what was recorded only afterwards.
        watched: the opening is a portal and its reader was up.
        published: kind of the final that the edge sent, None where the tag wasn't read.
        passage: that the final is of.
        arrived_us: when the final first reached the central.
    """

    asset: str
    at_us: int
    opening: str
    origin: str
    destination: str
    errand: str
    group: str
    shielded: bool = False
    authorised: bool | None = None
    approved_late: bool = False
    watched: bool = False
    published: str | None = None
    passage: str = ""
    arrived_us: int | None = None


@dataclass(slots=True)
class TrueVisit:
    """A tag came near a portal and did not cross; `published` as in a crossing."""

    asset: str
    at_us: int
    portal: str
    kind: str
    published: str = ""
    passage: str = ""
    arrived_us: int | None = None


@dataclass(slots=True)
class TrueTransfer:
    """An approved transfer and what became of each of its assets.

    States: approved, in_transit, received, returned_to_origin, wrong_destination.
    """

    id: str
    approved_us: int
    origin: str
    destination: str
    sender: str
    receiver: str
    declared: bool
    states: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def state(self, asset: str, at_us: int) -> str:
        """Return the state of one asset's leg at an instant."""
        return [state for since, state in self.states[asset] if since <= at_us][-1]

    def add(self, asset: str, at_us: int, state: str) -> None:
        """Note a change."""
        self.states[asset].append((at_us, state))


@dataclass(slots=True)
class Truth:
    """All of it."""

    world: World
    start_us: int
    end_us: int
    stays: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """Asset to (since, place), in order."""
    crossings: list[TrueCrossing] = field(default_factory=list)
    visits: list[TrueVisit] = field(default_factory=list)
    transfers: list[TrueTransfer] = field(default_factory=list)
    down: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Portal, or zone, to the spans in which its reader was down."""
    offline: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Gateway to the spans without network."""
    dead: dict[str, int] = field(default_factory=dict)
    """Asset to when its tag died."""

    @property
    def records(self) -> list[TrueCrossing | TrueVisit | TrueTransfer]:
        """Return all single things that happened."""
        return [*self.crossings, *self.visits, *self.transfers]

    def place(self, asset: str, at_us: int) -> str:
        """Return where an asset is at an instant."""
        stays = self.stays[asset]
        return stays[max(bisect_right(stays, at_us, key=lambda one: one[0]) - 1, 0)][1]

    def is_down(self, watcher: str, at_us: int) -> bool:
        """Tell whether a portal's or a zone's reader was down."""
        return within(self.down.get(watcher, ()), at_us) is not None


def within(spans: Sequence[tuple[int, int]], at_us: int) -> tuple[int, int] | None:
    """Return the span that holds an instant; spans are sorted and apart."""
    index = bisect_right(spans, at_us, key=lambda span: span[0]) - 1
    if index >= 0 and at_us < spans[index][1]:
        return spans[index]
    return None
