"""Which tags are asked to answer, and how often? A pure plan from who was heard of late (domain.md, 12).

Airtime decides: at 200 singulations a second a walker of 2 s gets 8 reads among 50 resident tags, and 2 among 200. So
up to 30 residents all tags answer again and again (S0 or S1, dual target). Above that two rounds take turns: one in S2
or S3, single target, in which a tag that has answered stays quiet while it has power, so that only newcomers speak; and
a short dual-target one that by Select asks newcomers and reference tags alone. A census now and then, all tags again
for some seconds without newcomers, says whether the residents are still many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edge.readers.model import Session
from edge.readers.residents import SETTLED_US

SECOND_US: Final = 1_000_000
HOLD_US: Final = 5 * SECOND_US
"""So long residents must be too many before they are quieted: a cart that passes is no shelf."""
LEAST_PLAN_US: Final = 1 * SECOND_US
"""Changing a plan stops the radio for some 50 ms: at most once a second."""
FEW_SHARE: Final = 0.67
"""After a census they are no more kept quiet at this share of the limit, so that the plan doesn't flap."""
CENSUS_EVERY_US: Final = 300 * SECOND_US
CENSUS_US: Final = 13 * SECOND_US
"""Longer than a tag needs to be called a resident."""
FIND_MS: Final = 200
"""A round that finds newcomers: two seconds in the doorway hold several, on each of four antennas."""
LOOK_MS: Final = 100
FOLLOW_MS: Final = 600
"""The dual-target round while nobody has come, for reference tags, and while somebody has."""
MOST_TURNS: Final = 4
"""Up to so many times the masks that the reader takes, newcomers take turns of a second; more are a crowd."""
MAX_MASK_BYTES: Final = 62

Target = Literal["dual", "single"]


@dataclass(frozen=True, slots=True)
class Round:
    """One way to ask tags, on all antennas in turn.

    Attributes:
        session: Gen2 session.
        target: `dual`: who has answered is asked again; `single`: stays quiet as long as the session remembers.
        masks: first bytes of the EPCs that are asked; none = all tags.
        duration_ms: when the next round takes over; 0 = never.
        at_ports: one more mask for an antenna port alone, beside `masks`.
        ports: antenna ports; none = all that the reader uses.
    """

    session: Session
    target: Target
    masks: tuple[bytes, ...] = ()
    duration_ms: int = 0
    at_ports: tuple[tuple[int, bytes], ...] = ()
    ports: tuple[int, ...] = ()

    def masks_at(self, port: int) -> tuple[bytes, ...]:
        """Return the masks of one antenna port."""
        return (*self.masks, *(mask for at, mask in self.at_ports if at == port))


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds that take turns; with `full`, tags at rest answer all the time."""

    rounds: tuple[Round, ...]
    full: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLimits:
    """What settings and reader leave to the plan.

    Attributes:
        open_session: session of dual-target rounds.
        quiet_session: session in which residents are kept quiet.
        quiet_above: so many residents are borne; 0 = any number.
        select: EPC prefixes that alone are asked.
        references: port and EPC of reference tags, which must always be asked.
        filters: Select masks that the reader takes for a round.
        rounds: rounds that it takes turns with.
    """

    open_session: Session = 0
    quiet_session: Session = 2
    quiet_above: int = 30
    select: tuple[bytes, ...] = ()
    references: tuple[tuple[int, bytes], ...] = ()
    filters: int = 0
    rounds: int = 2


class Planner:
    """The plan of one session."""

    def __init__(self, limits: PlanLimits) -> None:
        self._limits = limits
        self._phase: Literal["open", "quiet", "census"] = "open"
        self._since_us = 0
        self._changed_us = 0
        self._many_us: int | None = None
        self._plan = self._open_plan()

    @property
    def plan(self) -> Plan:
        """The plan as it stands."""
        return self._plan

    @property
    def remembers(self) -> bool:
        """Whether residents are kept quiet: they then must not be forgotten for their silence."""
        return self._phase == "quiet"

    @property
    def quieted_in(self) -> Session | None:
        """The session in which residents are kept quiet now; None while nobody is."""
        return self._limits.quiet_session if self.remembers else None

    @property
    def newcomers_from_us(self) -> int:
        """Tags first heard before this instant are residents, however they are heard now."""
        return self._since_us - SETTLED_US if self._phase == "quiet" else 0

    def step(self, now_us: int, *, residents: int, newcomers: Sequence[bytes]) -> bool:
        """Take who is there now; return whether the plan became another one.

        Args:
            now_us: time.
            residents: tags that stay.
            newcomers: tags that have come of late, the newest first.
        """
        if self._limits.quiet_above == 0 or self._limits.rounds < 2:  # noqa: PLR2004 (one round can't take turns)
            return False
        phase = self._next_phase(now_us, residents, newcomers)
        if now_us - self._changed_us < LEAST_PLAN_US:
            return False
        # Who was new before the residents were told apart is no newcomer to the plan that quiets them.
        known = newcomers if phase == self._phase else ()
        plan = self._quiet_plan(now_us, residents, known) if phase == "quiet" else self._open_plan(phase)
        if phase != self._phase:
            self._phase, self._since_us = phase, now_us
        changed = plan.rounds != self._plan.rounds
        self._plan = plan
        if changed:
            self._changed_us = now_us
        return changed

    @property
    def counts_anew(self) -> bool:
        """Whether a census has just begun: who is there must be learnt from nothing."""
        return self._phase == "census" and self._changed_us == self._since_us

    def _next_phase(
        self, now_us: int, residents: int, newcomers: Sequence[bytes]
    ) -> Literal["open", "quiet", "census"]:
        limit, lasted_us = self._limits.quiet_above, now_us - self._since_us
        if self._phase == "open":
            self._many_us = (self._many_us or now_us) if residents > limit else None
            return "quiet" if self._many_us is not None and now_us - self._many_us >= HOLD_US else "open"
        if self._phase == "quiet":
            return "census" if lasted_us >= CENSUS_EVERY_US and not newcomers else "quiet"
        if lasted_us < CENSUS_US:
            return "census"
        self._many_us = None
        return "open" if residents <= FEW_SHARE * limit else "quiet"

    def _open_plan(self, phase: str = "open") -> Plan:
        one = self._portal_round(self._limits.open_session, "dual")
        who = f"tags of {len(one.masks)} EPC prefixes" if one.masks else "all tags"
        words = f"{who} answer again and again (S{one.session}, dual target)"
        return Plan((one,), full=True, words=f"counts the tags that stay: {words}" if phase == "census" else words)

    def _quiet_plan(self, now_us: int, residents: int, newcomers: Sequence[bytes]) -> Plan:
        session = self._limits.quiet_session
        words = f"{residents} tags stay and are kept quiet in S{session}"
        if newcomers:
            words += f"; {len(newcomers)} newcomers are followed"
        turns = self._follow(newcomers, now_us) if newcomers else self._look()
        if turns is None:
            return Plan((self._portal_round(session, "single"),), full=False, words=words)
        return Plan((self._portal_round(session, "single", FIND_MS), turns), full=False, words=words)

    def _follow(self, newcomers: Sequence[bytes], now_us: int) -> Round:
        """Return the round for newcomers: they alone, in turns where there are too few masks; of a crowd: everybody."""
        limits = self._limits
        room = limits.filters - bool(limits.references)
        if room <= 0 or len(newcomers) > MOST_TURNS * room:
            return self._portal_round(limits.open_session, "dual", FOLLOW_MS)
        ordered = sorted(newcomers)
        first = room * (now_us // LEAST_PLAN_US) if len(newcomers) > room else 0
        chosen = {ordered[(first + place) % len(ordered)] for place in range(min(room, len(ordered)))}
        masks = tuple(epc[:MAX_MASK_BYTES] for epc in sorted(chosen))
        return Round(limits.open_session, "dual", masks, FOLLOW_MS, at_ports=limits.references)

    def _look(self) -> Round | None:
        """Return the round for reference tags, each on its own antenna; None where there are none."""
        limits = self._limits
        if not limits.references:
            return None
        ports = tuple(sorted({port for port, _ in limits.references}))
        masks = limits.references if limits.filters else ()
        return Round(limits.open_session, "dual", (), LOOK_MS, at_ports=masks, ports=ports)

    def _portal_round(self, session: Session, target: Target, duration_ms: int = 0) -> Round:
        """Return a round for the whole portal: prefixes, and reference tags, which need not begin with one."""
        limits = self._limits
        others = tuple(one for one in limits.references if not one[1].startswith(limits.select))
        if not limits.select or len(limits.select) + bool(others) > limits.filters:
            return Round(session, target, (), duration_ms)
        return Round(session, target, limits.select, duration_ms, at_ports=others)


def sessions_for(slot: int, preferred: Session, fixed: Session | None) -> tuple[Session, Session]:
    """Return the sessions of open and quiet rounds; readers in neighbouring slots share neither."""
    if fixed is not None:
        return fixed, fixed if fixed >= 2 else (2 if fixed == 0 else 3)  # noqa: PLR2004 (S2 and S3 remember)
    open_session = preferred if slot % 2 == 0 else 1 if preferred == 0 else 0
    return (open_session, 2) if slot % 2 == 0 else (open_session, 3)
