"""True visits as the score wants them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from edge.contracts.times import instant_us
from simulator.truth import TrueVisit

CROSSINGS: Final = ("in", "out")
KINDS: Final = ("in", "out", "turned_back", "near", "parked")


@dataclass(frozen=True, slots=True)
class Visit:
    """One asset at one doorway; times in UTC microseconds.

    Attributes:
        group: the walk that carried it, empty where it went alone.
        reads: how often the doorway's antennas read its tag meanwhile.
        monitored: False at an opening without antennas, where nothing can be called.
    """

    epc: str
    portal: str
    kind: str
    started_us: int
    ended_us: int
    crossed_us: int | None = None
    group: str = ""
    reads: int = 0
    monitored: bool = True


def visits_of(true: Iterable[TrueVisit]) -> list[Visit]:
    """Return a truth file's visits.

    Raises:
        ContractError: an instant in it is none.
    """
    return [
        Visit(
            epc=one.epc,
            portal=one.portal,
            kind=one.kind,
            started_us=instant_us(one.started_at),
            ended_us=instant_us(one.ended_at),
            crossed_us=None if one.crossed_at is None else instant_us(one.crossed_at),
            group=one.group,
            reads=one.reads,
            monitored=one.monitored,
        )
        for one in true
    ]
