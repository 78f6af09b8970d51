"""How many reads the tags at rest leave for somebody who walks through. Pure.

A reader's antennas take turns. In one turn each tag in range answers once (Gen2 inventory round, EPC Gen2 air
interface 2.0.1, 6.3.2; S0 dual target asks who has answered again in the next turn), so a tag gets as many reads as
there are turns, less those that a null, a body or a collision takes:

    reads = time within the doorway x turns a second x antennas x chance in a turn

The turns are measured: reads come antenna by antenna, and each change of antenna is the end of a turn. Where tags are
so many that a turn ends before all have answered, their own rate says what chance is left. What one more answer costs
is the turns' time by their answers. Nothing is measured where no tag stays: the reader then counts as the slowest on
record, 14.3 ms for a turn with one tag (domain, Rates: R420, 70 reads/s).

The agent quiets residents where they are more than `quiet_above` and the reader takes turns of rounds
(`edge.readers.planner`): who walks then shares three quarters of the time with other newcomers alone.

The time is that of 3 m at 1.5 m/s (domain, LLRP readers 12, reckons with 2 s), 1.5 m on each side of the plane: reads
from farther away hardly tell a direction. On the simulator's shelves with 0 to 500 tags the estimate keeps within a
factor of two of what a walker got (tests/integration/test_survey.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge.commissioning.heard import SECOND_US, Floats, Reads, Stay
from edge.readers.planner import FIND_MS, FOLLOW_MS
from edge.readers.residents import SILENT_US

WALK_MPS: Final = 1.5
WITHIN_M: Final = 3.0
WALK_S: Final = WITHIN_M / WALK_MPS
SEEN: Final = 0.5
"""Chance that a tag that is carried past answers in a turn: nulls, bodies and hands take the rest (simulator)."""
TURN_S: Final = 0.011
ANSWER_S: Final = 0.0033
"""An R420's turn, and an answer in it: 70 reads/s with one tag (domain, Rates)."""
BUSY_ANSWER_S: Final = 0.015
"""The dearest answer on record, pauses of the reader included: an R420's 67 reads/s with nine tags (domain, Rates)."""
PLAN_SHARE: Final = 0.8
"""Of the time while newcomers are followed: finding them and setting a new plan takes the rest (simulator)."""
BEST_SHARE: Final = 0.25
"""Residents at the edge are missed often whatever the airtime; the best quarter shows what airtime leaves."""
MANY: Final = 10
"""A turn has time for fewer tags than this (an R420's turn of 0.2 s for 25): who isn't read then is badly heard."""
RSSI_A_DB: Final = 1.7
"""So many dB a tag's level is above the faintest for each dB of power that it can lose: 2 by the link budget, since
forward and reverse way lose alike (domain, Radio), 1.7 in the simulator, since tags differ in sensitivity."""
FAINTEST_CDBM: Final = -7500.0
"""Taken where the faintest that an antenna hears is louder: few residents don't show how faint the last one can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What agent and reader can do about many tags.

    Attributes:
        quiet_above: with more residents than this they are kept quiet; 0 never.
        takes_turns: the reader takes two rounds in turn.
        masks: newcomers that one round can name; 0: the reader takes no Select for them.
    """

    quiet_above: int = 0
    takes_turns: bool = False
    masks: int = 0


@dataclass(frozen=True, slots=True)
class Ear:
    """One antenna.

    Attributes:
        residents: tags that stay and are heard here.
        answers: their reads in one turn.
        share: chance that one that is heard well is read in a turn.
        level_cdbm: (residents,) mean level of each; NaN where it has none.
    """

    port: int
    residents: int
    answers: float
    share: float
    level_cdbm: Floats


@dataclass(frozen=True, slots=True)
class Air:
    """One reader's airtime.

    Attributes:
        ears: antennas that serve the portal.
        others: antennas of the reader that serve another one, which take their turns too.
        residents: tags that stay and are heard by any of its antennas.
        level_cdbm: (residents, antennas) for `ears` and `others` together, in their order.
        cycle_s: a turn of all antennas.
        answer_s: what one more answer costs.
        measured: False where nothing stays, so that nothing could be measured.
        references: reference tags that are heard, which are asked in every round.
        newcomers: tags at a time that the plan takes for newcomers though they lie there, heard but now and then.
    """

    reader: str
    ears: tuple[Ear, ...]
    others: tuple[Ear, ...]
    residents: int
    level_cdbm: Floats
    cycle_s: float
    answer_s: float
    measured: bool
    ways: Ways
    references: int = 0
    newcomers: float = 0.0

    @property
    def quiets(self) -> bool:
        """Whether the agent keeps the residents quiet."""
        return self.ways.takes_turns and 0 < self.ways.quiet_above < self.residents

    def open_reads(self) -> float:
        """Return the reads of a walker while all tags answer all the time."""
        antennas = len(self.ears) + len(self.others)
        cycle_s = max(self.cycle_s, antennas * TURN_S) + SEEN * antennas * self.answer_s
        return WALK_S / cycle_s * SEEN * sum(ear.share for ear in self.ears)

    def reads(self) -> float:
        """Return the reads of a walker by the agent's plan of rounds, in the mean."""
        if not self.quiets:
            return self.open_reads()
        follow = FOLLOW_MS / (FIND_MS + FOLLOW_MS) * PLAN_SHARE
        if not self.ways.masks:
            return follow * self.open_reads()
        antennas = len(self.ears) + len(self.others)
        turn_s = antennas * (TURN_S + SEEN * ANSWER_S) + self.references * BUSY_ANSWER_S
        return follow * self._turn_share * WALK_S / turn_s * SEEN * len(self.ears)

    def unlucky_reads(self) -> float:
        """Return the reads of a walker whose turns among the newcomers fall badly.

        Newcomers that are more than the masks take turns of a second, half a passage: some walkers get none.
        """
        return self.reads() * (self._turn_share if self.quiets and self.ways.masks else 1.0)

    @property
    def _turn_share(self) -> float:
        """Share of the rounds for newcomers that asks one of them."""
        return min(1.0, self.ways.masks / (1 + self.newcomers))

    def lowered(self, by_db: Mapping[int, float]) -> "Air":
        """Return the airtime with less power at some ports, by the residents' levels."""
        antennas = (*self.ears, *self.others)
        keeps = np.zeros(self.level_cdbm.shape, np.bool_)
        for column, ear in enumerate(antennas):
            levels = self.level_cdbm[:, column]
            with np.errstate(invalid="ignore"):
                keeps[:, column] = levels - 100 * RSSI_A_DB * by_db.get(ear.port, 0.0) >= faintest_cdbm(levels)
        left = [_left(ear, keeps[:, column]) for column, ear in enumerate(antennas)]
        spared = sum(before.answers - after.answers for before, after in zip(antennas, left, strict=True))
        heard = keeps.any(axis=1)
        return Air(
            self.reader,
            tuple(left[: len(self.ears)]),
            tuple(left[len(self.ears) :]),
            int(heard.sum()),
            np.where(keeps, self.level_cdbm, np.nan)[heard],
            max(self.cycle_s - spared * self.answer_s, 0.0),
            self.answer_s,
            self.measured,
            self.ways,
            self.references,
            self.newcomers,
        )


def faintest_cdbm(levels: Floats) -> float:
    """Return the level below which an antenna hears no tag."""
    known = levels[~np.isnan(levels)]
    return min(float(known.min()), FAINTEST_CDBM) if len(known) else FAINTEST_CDBM


def measure(reader: str, reads: Reads, staying: Stay, ports: tuple[int, ...], ways: Ways) -> Air:
    """Return a reader's airtime.

    Args:
        reader: its id.
        reads: all that it read while all tags answered, by time.
        staying: the tags among them that stay.
        ports: the antennas that serve the portal; all others in `staying.ports` only take their turns.
        ways: what can be done about many tags.
    """
    calm = reads.pick(np.isin(reads.tag, np.concatenate([staying.tags, staying.never])))
    cycle_s = _cycle_s(calm, staying)
    ears = {port: _ear(port, staying, cycle_s) for port in staying.ports}
    order = (*(port for port in staying.ports if port in ports), *(port for port in staying.ports if port not in ports))
    answers = float(calm.count.sum()) * cycle_s / staying.seconds if staying.seconds else 0.0
    spent_s = cycle_s - len(ears) * TURN_S
    columns = [staying.ports.index(port) for port in order]
    return Air(
        reader,
        tuple(ears[port] for port in order if port in ports),
        tuple(ears[port] for port in order if port not in ports),
        len(staying.tags),
        staying.level_cdbm[:, columns],
        cycle_s,
        max(spent_s / answers, 0.0) if answers >= 1 else ANSWER_S,
        measured=bool(len(calm)),
        ways=ways,
        references=len(staying.never),
        newcomers=_strays(reads, staying),
    )


def _cycle_s(calm: Reads, staying: Stay) -> float:
    """Return the time of a turn of all antennas: the shortest that any sign of it allows.

    Signs are the changes of antenna, the tag that is read most often at one antenna, and the time that is left where
    few answers come: tags that are heard only now and then hide turns from the first two.
    """
    if not len(calm) or staying.seconds <= 0:
        return 0.0
    begins = np.append(True, calm.port[1:] != calm.port[:-1])
    ports, turns = np.unique(calm.port[begins], return_counts=True)
    signs = [staying.seconds / float(max(staying.reads.max(initial=0), 1))]
    if len(ports) > 1:
        signs.append(staying.seconds / float(turns.max()))
    left = 1 - float(calm.count.sum()) / staying.seconds * BUSY_ANSWER_S
    if left > 0:
        signs.append(len(staying.ports) * TURN_S / left)
    return min(signs)


def _ear(port: int, staying: Stay, cycle_s: float) -> Ear:
    counts, levels = staying.at(port)
    if not len(counts):
        return Ear(port, 0, 0.0, 1.0, levels)
    turns = staying.seconds / cycle_s
    if len(counts) < MANY:
        return Ear(port, len(counts), float(counts.sum()) / turns, 1.0, levels)
    best = np.sort(counts)[-max(1, round(BEST_SHARE * len(counts))) :]
    return Ear(port, len(counts), float(counts.sum()) / turns, min(1.0, float(best.mean()) / turns), levels)


def _left(ear: Ear, keeps: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Ear:
    """Return an antenna that hears fewer residents: those it had no time for take the place of those that went."""
    kept = int(keeps.sum())
    if kept == ear.residents or not ear.residents:
        return ear
    wanted = ear.answers / ear.share * kept / ear.residents
    answers = min(ear.answers, wanted)
    return Ear(ear.port, kept, answers, min(1.0, answers / wanted) if wanted else 1.0, ear.level_cdbm[:0])


def _strays(reads: Reads, staying: Stay) -> float:
    """Return how many tags at a time are taken for newcomers, by those first heard in the listening's second half."""
    if not len(reads) or staying.seconds <= 0:
        return 0.0
    begin_us, end_us = int(reads.at_us[0]), int(reads.at_us[-1])
    late = reads.tag[reads.at_us > (begin_us + end_us) // 2]
    early = reads.tag[reads.at_us <= (begin_us + end_us) // 2]
    fresh = len(np.setdiff1d(late, np.concatenate([early, staying.tags, staying.never])))
    return fresh / (staying.seconds / 2) * SILENT_US / SECOND_US
