"""The score of one run, and of several together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from simulator.scoring.calls import Call
from simulator.scoring.delays import Delays, delays_of
from simulator.scoring.match import match
from simulator.scoring.table import Table, table_of
from simulator.scoring.units import group_units, tag_units
from simulator.scoring.visits import Visit


@dataclass(frozen=True, slots=True)
class Score:
    """Findings against the truth.

    Attributes:
        final: finals, tag by tag.
        provisional: provisionals, tag by tag; only crossings have any.
        groups: finals, by carried group.
        provisional_groups: provisionals, by carried group.
        provisionals: passages that had a provisional.
        contradicted: those whose final says something else, or takes them back.
        open: those that have no final.
        delays: how late right crossings were known.
    """

    final: Table = field(default_factory=Table)
    provisional: Table = field(default_factory=Table)
    groups: Table = field(default_factory=Table)
    provisional_groups: Table = field(default_factory=Table)
    provisionals: int = 0
    contradicted: int = 0
    open: int = 0
    delays: Delays = field(default_factory=Delays)

    def plus(self, other: "Score") -> "Score":
        """Return the score of both runs together."""
        return Score(
            final=self.final.plus(other.final),
            provisional=self.provisional.plus(other.provisional),
            groups=self.groups.plus(other.groups),
            provisional_groups=self.provisional_groups.plus(other.provisional_groups),
            provisionals=self.provisionals + other.provisionals,
            contradicted=self.contradicted + other.contradicted,
            open=self.open + other.open,
            delays=self.delays.plus(other.delays),
        )

    def as_json(self) -> dict[str, Any]:
        """Return all counts and figures under stable names."""
        return {
            "by_tag": {"final": self.final.as_json(), "provisional": self.provisional.as_json()},
            "by_group": {"final": self.groups.as_json(), "provisional": self.provisional_groups.as_json()},
            "provisionals": {"passages": self.provisionals, "contradicted": self.contradicted, "open": self.open},
            "delay": self.delays.as_json(),
        }


def score(visits: Sequence[Visit], calls: Sequence[Call]) -> Score:
    """Hold calls against the visits of one run; `simulator.scoring.match` says which belong together."""
    pairs = match(visits, calls)
    early = [call for call in calls if call.provisional is not None]
    return Score(
        final=table_of(tag_units(pairs, "final")),
        provisional=table_of(tag_units(pairs, "provisional")),
        groups=table_of(group_units(pairs, "final")),
        provisional_groups=table_of(group_units(pairs, "provisional")),
        provisionals=len(early),
        contradicted=sum(_is_contradicted(call) for call in early),
        open=sum(call.final is None for call in early),
        delays=delays_of(pairs),
    )


def together(scores: Iterable[Score]) -> Score:
    """Return the score of several runs as one."""
    return reduce(Score.plus, scores, Score())


def _is_contradicted(call: Call) -> bool:
    return call.final is not None and call.provisional is not None and call.final.kind != call.provisional.kind
