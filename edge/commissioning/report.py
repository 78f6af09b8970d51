"""What a commissioning found, what it proves and what is to be done: values and words, from which pages are made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edge.commissioning.advice import Verdict
from edge.commissioning.course import Outcome
from edge.commissioning.proof import bound, expected_error, one_in
from edge.commissioning.recipe import PLAIN, Expect
from edge.commissioning.shortfall import Count, Ear, changes, counted, missing_lines, proven, verdict_words

WEAK_CDB: Final = 1200
"""An antenna this much weaker than the one beside it is told; a body between costs 10 dB in the median of walks."""
CONFIRM_CDB: Final = 600
"""After a swap a level may differ by so much: one walk's peak has a standard deviation of some 3 dB."""
EVEN: Final = 0.5
"""An error rate that isn't held below every other walk is no proof of anything."""
REMEDIES: Final = {
    "against the body": "a body takes 10 to 25 dB: hang an antenna of each side where the other shoulder passes, at "
    "1.1 to 1.4 m",
    "backpack": "a back takes 10 to 25 dB: hang an antenna of each side behind the walker, at 1.2 to 1.5 m, and use "
    "tags of -22 dBm",
    "two laptops face to face": "tags a centimetre apart detune each other: put them on different places of the lids",
    "full cart": "the inner tags of a cart are shadowed and lean on their group: hang an antenna of each side lower, "
    "at 0.5 to 0.9 m, and keep the cart together",
    "running": "a runner is gone in a second: fewer residents in range leave more reads",
    "door ajar": "a leaf is a mirror: wire its contact, so that the agent knows how it stands",
    "passing by inside": "lower the inside antennas or turn them towards the opening",
    "passing by outside": "lower the outside antennas or turn them towards the opening",
    PLAIN: "look at cables and aim: a tag in the open hand is the easiest there is",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderFact:
    """A reader; words are empty where it doesn't tell."""

    id: str
    address: str
    model: str
    firmware: str
    serial: str
    profile: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AntennaFact:
    """An antenna.

    Attributes:
        power_cdbm: None is the reader's own.
        residents: tags that stay in its range; None where no survey was made.
        doorway_cdbm: level of a carried tag by these walks.
        before_cdbm: the level that was configured.
    """

    reader: str
    port: int
    side: str
    power_cdbm: int | None
    residents: int | None
    doorway_cdbm: int | None
    before_cdbm: int | None

    @property
    def name(self) -> str:
        """`reader/port`."""
        return f"{self.reader}/{self.port}"


@dataclass(frozen=True, slots=True)
class Group:
    """Walks of one name and expectation: how many were done, and how many called right."""

    how: str
    expect: Expect
    right: int
    done: int
    skipped: int

    @property
    def words(self) -> str:
        """The count, and what is left out."""
        left_out = f", {self.skipped} left out" if self.skipped else ""
        return f"{self.right} of {self.done}{left_out}" if self.done else "not walked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One commissioning of one portal.

    Attributes:
        made_at: date and time, in words.
        airtime: None where no survey was made.
        strays: EPCs that lie there and were called a crossing.
        confirms: it was one walk after a swap: levels are compared with those configured, and none is set.
        own_notes: what else is to be told.
    """

    site: str
    gateway: str
    portal: str
    inside: str
    outside: str
    layout: str
    made_at: str
    version: str
    readers: tuple[ReaderFact, ...]
    antennas: tuple[AntennaFact, ...]
    airtime: Verdict | None
    outcomes: tuple[Outcome, ...]
    strays: tuple[str, ...] = ()
    confirms: bool = False
    own_notes: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[Group, ...]:
        """Walks counted together, in the order of their first."""
        keys = dict.fromkeys((one.walk.how, one.walk.expect) for one in self.outcomes)
        return tuple(_group(how, expect, self.outcomes) for how, expect in keys)

    @property
    def counts(self) -> tuple[Count, ...]:
        """The walks through the doorway as a certificate counts them."""
        return counted(self.outcomes, self._ears)

    @property
    def fit(self) -> bool:
        """Whether the doorway may go into service: certified, or confirmed after a swap."""
        return not self.reasons

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the doorway isn't certified, or not confirmed, a line each; none if it is.

        Airtime must suffice, nine walks of ten get 15 reads with four on each side, plain walks be called right, and
        nothing that stayed on its side be called a crossing. Hard walks that failed are told as reservations.
        """
        return tuple(self._reasons())

    @property
    def reservations(self) -> tuple[str, ...]:
        """Kinds of walks that failed, or were never done, though the doorway may be fit."""
        return tuple(
            dict.fromkeys(one.how for one in self.groups if one.how != PLAIN and (one.right < one.done or not one.done))
        )

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        if not self.fit:
            return f"{self.portal} is not {'confirmed' if self.confirms else 'certified'}"
        if self.confirms:
            return f"{self.portal} is confirmed: the walk was called right, at the levels of its commissioning"
        kept = f", except for: {', '.join(self.reservations)}" if self.reservations else ""
        return f"{self.portal} is certified{kept}"

    @property
    def proof(self) -> tuple[str, ...]:
        """What the walks prove: that enough of them were read enough, and how they were called."""
        plain = [one for one in self._done if one.walk.how == PLAIN]
        crossings = [one for one in self._done if one.walk.expect != "none"]
        lines = [f"reads: {verdict_words(self.counts)}"] if proven(self.counts) else []
        lines.append(_proof("plain walks", plain))
        if len(crossings) > len(plain):
            lines.append(_proof("all walks through the door", crossings))
        return tuple(lines)

    @property
    def missing(self) -> tuple[str, ...]:
        """What each walk through the doorway lacked that was read too rarely, a line each."""
        return missing_lines(self.counts)

    @property
    def advice(self) -> tuple[str, ...]:
        """What is to be done, a line each."""
        return tuple(self._advice())

    @property
    def _done(self) -> list[Outcome]:
        return [one for one in self.outcomes if one.result != "skipped"]

    @property
    def _ears(self) -> tuple[Ear, ...]:
        return tuple(Ear(one.name, one.side, one.power_cdbm, one.residents) for one in self.antennas)

    def _reasons(self) -> Iterator[str]:
        if self.airtime is not None and not self.airtime.fit:
            yield f"airtime: {self.airtime.words}"
        if not self.confirms and not proven(self.counts):
            yield verdict_words(self.counts)
        plain = [one for one in self._done if one.walk.how == PLAIN]
        if not plain:
            yield "no plain walk was done"
        if _right(plain) < len(plain):
            yield f"{len(plain) - _right(plain)} of {len(plain)} plain walks were called wrong or missed"
        crossed = [one.walk.how for one in self._done if one.walk.expect == "none" and one.result != "right"]
        if crossed:
            yield f"called a crossing though it was walked past the door: {', '.join(dict.fromkeys(crossed))}"
        if self.strays:
            yield f"called a crossing though lying there: {', '.join(self.strays)}"
        if self.confirms:
            yield from (f"antenna {one.name} has another level than when commissioned" for one in self._moved_levels())

    def _moved_levels(self) -> Iterator[AntennaFact]:
        for one in self.antennas:
            if one.before_cdbm is not None and (
                one.doorway_cdbm is None or abs(one.doorway_cdbm - one.before_cdbm) > CONFIRM_CDB
            ):
                yield one

    def _advice(self) -> Iterator[str]:
        if self.airtime is not None and not self.airtime.fit:
            yield self.airtime.words
        yield from self._level_advice()
        if not self.confirms:
            yield from changes(self.counts, self._ears, self.airtime)
        for how in self._hows_to_mend():
            yield f"{how}: {REMEDIES.get(how, 'repeat it, and look at which antennas heard it')}"
        for epc in self.strays:
            yield f"tag {epc} lies there and was called a crossing: move it away from the door"
        unknown = [group for group in self.groups if not group.done]
        for how in dict.fromkeys(group.how for group in unknown):
            ways = ", ".join(group.expect for group in unknown if group.how == how and group.expect != "none")
            yield f"{how}{f' ({ways})' if ways else ''} was not walked: nothing is known of it"
        yield from self.own_notes

    def _hows_to_mend(self) -> Sequence[str]:
        """What was carried badly: called wrong, or read too rarely where a tag in the hand is read well."""
        failed = [one.walk.how for one in self._done if one.result in {"wrong", "missed"}]
        plain = [one.enough for one in self.counts if one.walk.how == PLAIN]
        if 2 * sum(plain) >= len(plain):
            failed += [one.walk.how for one in self.counts if not one.enough and one.walk.how != PLAIN]
        return list(dict.fromkeys(failed))

    def _level_advice(self) -> Iterator[str]:
        if self.confirms:
            for one in self._moved_levels():
                was = _dbm(one.before_cdbm)
                yield f"antenna {one.name} hears {_dbm(one.doorway_cdbm)}, {was} when commissioned: look at its cable"
            return
        if not any(one.doorway_cdbm is not None for one in self.antennas):
            return
        for one in self.antennas:
            side = [other.doorway_cdbm for other in self.antennas if other.side == one.side]
            beside = [level for level in side if level is not None]
            if one.doorway_cdbm is None:
                yield f"antenna {one.name} heard fewer than half of the walks: look at cable, connector and aim"
            elif max(beside) - one.doorway_cdbm > WEAK_CDB:
                weaker = (max(beside) - one.doorway_cdbm) / 100
                yield f"antenna {one.name} is {weaker:.0f} dB weaker than the one beside it: look at cable and aim"


def _group(how: str, expect: Expect, outcomes: Sequence[Outcome]) -> Group:
    mine = [one for one in outcomes if (one.walk.how, one.walk.expect) == (how, expect)]
    done = [one for one in mine if one.result != "skipped"]
    return Group(how, expect, sum(one.result == "right" for one in done), len(done), len(mine) - len(done))


def _proof(what: str, walks: Sequence[Outcome]) -> str:
    if not walks:
        return f"{what}: none was done, nothing is proved"
    by_way = [(way, [one for one in walks if one.walk.expect == way]) for way in ("in", "out")]
    counts = ", ".join(f"{way} {_right(mine)} of {len(mine)}" for way, mine in by_way if mine)
    errors = len(walks) - _right(walks)
    proved = bound(errors, len(walks))
    words = f"{what}: {counts}: proves {f'better than {one_in(proved)}' if proved < EVEN else 'nothing'}"
    expected = expected_error([one.margin for one in walks])
    if expected is None:
        return f"{words}; too few for a model from margins"
    if expected >= EVEN:
        return f"{words}; model from the margins seen: no better than chance"
    return f"{words}; model from the margins seen: {one_in(expected)}{', not yet proven' if expected < proved else ''}"


def _right(walks: Sequence[Outcome]) -> int:
    return sum(one.result == "right" for one in walks)


def _dbm(cdbm: int | None) -> str:
    return "nothing" if cdbm is None else f"{cdbm / 100:.1f} dBm"
