"""What a passage gives rise to: a finding is a function of the set of its revisions, in whatever order they came."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, cast, get_args

from central.domain.anomalies.records import Suspicion
from central.domain.carrying import Carried, carrier_problem
from central.domain.exits import Authorisation, ExitVerdict, Standing, judge_exit
from central.domain.places import Places

AlertKind = Literal[
    "unauthorised_exit",
    "retired_but_active",
    "lost_seen",
    "untagged_issue",
    "after_hours",
    "stale_snapshot",
    "loaner_overdue",
    "ambiguous_passage",
    "portal_config_mismatch",
    "identity_mismatch",
    "gateway_clock",
    "unknown_tag",
    "portal_bypass",
    "portal_dark",
    "carried_by_another",
    "fire_alarm",
    "door_forced",
    "door_held",
]
Severity = Literal["critical", "high", "low"]

LATE_AFTER: Final = timedelta(minutes=5)
"""An alert on an older event is listed and sent without sound, outside the latency figures (contracts: exits)."""
EARLY: Final = 0.95
"""A word before the last that is less sure than this accuses nobody yet: it is told as ambiguous, and the last word,
seconds later, decides. Doors by default say nothing early below 0.97; four of five exits that weren't any were such
words, which the same door took back."""
UNDECIDED: Final = "unresolved"
"""The kind of a passage whose evidence fits no single course, or whose end nobody saw (the gateway restarted)."""
_WORST_FIRST: Final[tuple[AlertKind, ...]] = ("unauthorised_exit", "stale_snapshot", "ambiguous_passage")


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a passage, as far as alerts depend on it."""

    rev: int
    final: bool
    kind: str
    at: datetime
    origin: str | None
    destination: str | None
    confidence: float
    batch: str | None
    gate_verdict: str | None
    received_at: datetime | None = None
    """When we heard of it; None for when it happened."""
    gate_generation: int | None = None
    """Of the snapshot that the door decided on; None where it held none, or wasn't asked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one asset's passage is accused of; `corrected` when a higher revision no longer says so."""

    kind: AlertKind
    severity: Severity
    at: datetime
    origin: str | None
    destination: str | None
    confidence: float
    corrected: bool
    authorised_late: bool
    reason: str
    edge: str | None = None
    """What the door decided: allow, refuse or stale; None where it wasn't asked."""
    used_twice: str | None = None
    """The authorisation for one use that this exit used once more, unless the door refused that."""


def assess(
    revisions: Sequence[Revision], places: Places, authorisations: Sequence[Authorisation], passage: str | None = None
) -> Finding | None:
    """Return the worst thing that any revision shows, marked corrected if the highest one says otherwise."""
    ordered = sorted(revisions, key=lambda one: one.rev)
    findings = [(one, _accuse(one, places, authorisations, passage)) for one in ordered]
    if ordered and ordered[-1].kind != UNDECIDED:
        findings = [(one, _unsure(one, found)) for one, found in findings]
    for kind in _WORST_FIRST:
        of_kind = [found for _, found in findings if found is not None and found.kind == kind]
        if of_kind:
            newest, last = findings[-1]
            if last is not None and last.kind == kind:
                return last
            if newest.kind == UNDECIDED:
                return _undecided(of_kind[-1])
            return _corrected(of_kind[-1], newest)
    return None


def suspected(found: Finding | None, revisions: Sequence[Revision], suspicions: Sequence[Suspicion]) -> Finding | None:
    """Join what the registry finds odd about a passage's final with what its revisions show: the worst names it."""
    if not suspicions:
        return found
    last = max(revisions, key=lambda one: one.rev)
    kinds = get_args(AlertKind)
    worst = min(suspicions, key=lambda one: kinds.index(one.kind))
    if found is not None and not found.corrected and kinds.index(found.kind) <= kinds.index(worst.kind):
        return replace(found, reason=" ".join([found.reason, *(one.reason for one in suspicions)]))
    odd = _finding(last, cast("AlertKind", worst.kind), worst.severity, " ".join(one.reason for one in suspicions))
    if found is None:
        return odd
    return replace(odd, reason=f"{odd.reason} {found.reason}", authorised_late=False)


def carried_wrong(
    revisions: Sequence[Revision],
    places: Places,
    authorisations: Sequence[Authorisation],
    passage: str,
    carried: Carried,
) -> Finding | None:
    """Return what is to say of who carried an asset out that may leave; corrected where a badge names one who may.

    Only the final is judged: a badge may come until seconds after the crossing.
    """
    last = max(revisions, key=lambda one: one.rev)
    if not last.final or last.origin is None or last.destination is None:
        return None
    verdict = judge_exit(places, last.origin, last.destination, authorisations, last.at, passage=passage)
    if verdict.standing is not Standing.AUTHORISED:
        return None
    holders = [one.person for one in authorisations if one.person is not None and one.valid_at(last.at)]
    wrong, words = carrier_problem(carried, holders, last.at)
    return replace(_finding(last, "carried_by_another", "low", words), corrected=not wrong)


def lifted(revisions: Sequence[Revision], places: Places) -> Finding | None:
    """Return what a passage was accused of and no longer is, by what is told of permissions now."""
    found = assess(revisions, places, ())
    if found is None or found.corrected:
        return found
    return replace(found, corrected=True, reason=f"{found.reason} Corrected: by what is known now it was allowed.")


def door_said(revisions: Sequence[Revision]) -> str | None:
    """Return what the door decided about a passage, by the newest revision that tells."""
    told = [one.gate_verdict for one in sorted(revisions, key=lambda one: one.rev) if one.gate_verdict is not None]
    return told[-1] if told else None


def incident_of(portal: str, passage: str, revisions: Sequence[Revision], found: Finding | None = None) -> str:
    """Return the key of the one incident that a passage belongs to: its batch's at this portal, or its own.

    All that a door could not decide about by one snapshot, and the central allows, is one incident: a door whose
    snapshot ran out, or that holds none that day, is one thing to look after, not one for each asset that left.
    """
    if found is not None and found.kind == "stale_snapshot":
        stale = [one for one in sorted(revisions, key=lambda one: one.rev) if one.gate_verdict == "stale"]
        if stale:
            generation = stale[-1].gate_generation
            return f"stale/{portal}/{f'none/{stale[-1].at:%Y-%m-%d}' if generation is None else generation}"
    batches = [one.batch for one in sorted(revisions, key=lambda one: one.rev) if one.batch is not None]
    return f"exit/{portal}/batch/{batches[0]}" if batches else f"exit/{portal}/passage/{passage}"


def is_late(at: datetime, raised_at: datetime) -> bool:
    """Tell whether an alert comes too long after its event to sound."""
    return raised_at - at > LATE_AFTER


def _accuse(
    one: Revision, places: Places, authorisations: Sequence[Authorisation], passage: str | None
) -> Finding | None:
    if one.kind == UNDECIDED and one.final:
        return _finding(one, "ambiguous_passage", "low", "The evidence fits no single course: look where the asset is.")
    if one.origin is None or one.destination is None:
        return None
    verdict = judge_exit(
        places, one.origin, one.destination, authorisations, one.at, passage=passage, known_by=one.received_at
    )  # fmt: skip
    if verdict.standing in {Standing.UNAUTHORISED, Standing.AUTHORISED_LATE}:
        severity: Severity = "critical" if places[one.destination].kind == "exterior" else "high"
        late = verdict.standing is Standing.AUTHORISED_LATE
        found = _finding(one, "unauthorised_exit", severity, _why(verdict, places), authorised_late=late)
        return _used_twice(found, verdict.spent) if verdict.spent is not None else found
    if one.gate_verdict == "refuse":
        return _finding(one, "stale_snapshot", "low", _old(verdict))
    if one.gate_verdict == "stale" and verdict.standing is Standing.AUTHORISED:
        words = f"The door had no current snapshot to decide by; authorisation {verdict.authorisation} allows it."
        return _finding(one, "stale_snapshot", "low", words)
    return None


def _used_twice(found: Finding, spent: Authorisation) -> Finding:
    """Say that the permission for one use was used up, and that it was used once more unless the door refused that."""
    assert spent.use is not None  # noqa: S101 (that is what makes it spent)
    words = f"{spent.id} is for one use, and was used at {spent.use.portal} at {spent.use.at:%Y-%m-%d %H:%M:%S} UTC"
    if found.edge == "refuse":
        return replace(found, reason=f"{found.reason} {words}; the door refused it.")
    return replace(found, reason=f"{found.reason} {words}: it was used twice.", used_twice=spent.id)


def _old(verdict: ExitVerdict) -> str:
    if verdict.standing is Standing.NO_EXIT:
        return "The door refused it on an old snapshot; by the registry it leaves nothing that is guarded."
    return f"The door refused it on an old snapshot; authorisation {verdict.authorisation} allows it."


def _why(verdict: ExitVerdict, places: Places) -> str:
    name = places[verdict.boundary].name if verdict.boundary else "a guarded place"
    if verdict.standing is Standing.AUTHORISED_LATE:
        return f"Authorisation {verdict.authorisation} to leave {name} was recorded only after the exit."
    return f"No authorisation to leave {name} was valid at that time."


def _finding(
    one: Revision, kind: AlertKind, severity: Severity, reason: str, *, authorised_late: bool = False
) -> Finding:
    return Finding(
        kind=kind,
        severity=severity,
        at=one.at,
        origin=one.origin,
        destination=one.destination,
        confidence=one.confidence,
        corrected=False,
        authorised_late=authorised_late,
        reason=reason,
        edge=one.gate_verdict,
    )


def _unsure(one: Revision, found: Finding | None) -> Finding | None:
    """Take an early word that isn't sure for what it is; where the passage ends undecided it is all that is known."""
    if found is None or found.kind != "unauthorised_exit" or one.final or one.confidence >= EARLY:
        return found
    words = f"Called early, and only {one.confidence:.0%} sure: the passage's last word decides. {found.reason}"
    return replace(found, kind="ambiguous_passage", severity="low", reason=words, used_twice=None)


def _undecided(found: Finding) -> Finding:
    """Let an accusation stand whose passage ended without a decision: no evidence against it came."""
    return replace(found, reason=f"{found.reason} The passage ended undecided: look where the asset is.")


def _corrected(found: Finding, newest: Revision) -> Finding:
    reason = f"{found.reason} Corrected: the passage ended as {newest.kind}; probably a false read."
    return replace(found, corrected=True, reason=reason)
