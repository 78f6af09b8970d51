"""A passage in words: what was called, how sure, and why, as a person at the door would tell it."""

from itertools import groupby, pairwise
from typing import Final

import numpy as np

from edge.agent.explain import Passage
from edge.agent.explain_measure import STILL_RAD, Floats, Measured
from edge.contracts import MovementRow, instant_us

TITLES: Final = {
    "in": "IN through {portal}",
    "out": "OUT through {portal}",
    "turned_back": "TURNED BACK at {portal}",
    "near": "NEAR {portal}, not through it",
    "parked": "PARKED in {portal}",
    "unresolved": "UNRESOLVED at {portal}",
    "retracted": "RETRACTED at {portal}: not a movement",
}
PASSED: Final = "PASSED {portal}, either way"
SIDES: Final = ("inside", "outside")
EVEN_DB: Final = 2.0
"""A smaller difference of the sides says nothing: RSSI comes in steps of 1 dB."""
BRIEF_S: Final = 0.2
"""A side that is louder for less is left out of the story."""
MOST_TOLD: Final = 5
MOVED_SHARE: Final = 0.3
CERTAIN: Final = 0.995


def title(passage: Passage) -> str:
    """Return the verdict in one line."""
    final = passage.final
    words = PASSED if passage.portal.layout == "single" and final.kind == "near" else TITLES[final.kind]
    return f"{words.format(portal=final.portal)} · {_share(final.confidence)} sure"


def subtitle(final: MovementRow) -> str:
    """Return which tag, when, and how much was read of it."""
    long_s = (instant_us(final.ended_at or final.at) - instant_us(final.started_at)) / 1e6
    return (
        f"tag {final.epc} · {final.started_at[:10]} {final.started_at[11:19]} UTC · {final.reads} reads in "
        f"{long_s:.1f} s · passage {final.passage}"
    )


def reasons(passage: Passage, seen: Measured) -> list[str]:
    """Return why, one reason a line: order of the sides, balance, motion, what else was known, how it was called."""
    lines = [_counts(passage, seen), _loudest(passage, seen), _story(passage, seen), _motion(seen)]
    lines += [_around(passage.final), _calls(passage)]
    return [line for line in lines if line]


def _counts(passage: Passage, seen: Measured) -> str:
    if not len(seen.seconds):
        return "None of its reads stands in this recording around the visit."
    numbers = [int((seen.sides == side).sum()) for side in (0, 1)]
    if passage.portal.layout == "single":
        return f"Heard {numbers[0]} times; one antenna can't tell a direction."
    if not all(numbers):
        return f"Heard {sum(numbers)} times, all from {SIDES[0] if numbers[0] else SIDES[1]}."
    return f"Heard {numbers[0]} times from inside, {numbers[1]} times from outside."


def _loudest(passage: Passage, seen: Measured) -> str:
    if np.isnan(seen.envelopes).all():
        return ""
    tops = [float(np.nanmax(one, initial=-np.inf)) for one in seen.envelopes]
    if passage.portal.layout == "single":
        return f"At its loudest {tops[0]:.0f} dBm."
    told = [f"{top:.0f} dBm {side}" for top, side in zip(tops, SIDES, strict=True) if top > -np.inf]
    return f"At its loudest {' and '.join(told)}."


def _story(passage: Passage, seen: Measured) -> str:
    """Tell which side was louder, one after the other."""
    if passage.portal.layout == "single":
        return ""
    stretches = louder(seen.balance, seen.step_s)
    told = [f"{SIDES[sign < 0]} for {long_s:.1f} s (by up to {most:.0f} dB)" for sign, long_s, most in stretches]
    more = " and so on" if len(told) > MOST_TOLD else ""
    return f"Louder {', then '.join(told[:MOST_TOLD])}{more}." if told else "Neither side was louder for long."


def louder(balance: Floats, step_s: float) -> list[tuple[int, float, float]]:
    """Return the stretches in which one side was louder: 1 inside or -1 outside, seconds, and by how many dB at most.

    What lies between two stretches of the same side and is shorter than one of note belongs to them.
    """
    signs = np.where(np.abs(np.nan_to_num(balance)) < EVEN_DB, 0, np.sign(np.nan_to_num(balance))).astype(int)
    found: list[tuple[int, float, float]] = []
    for sign, run in groupby(range(len(signs)), key=lambda at: int(signs[at])):
        steps = list(run)
        if sign == 0 or len(steps) * step_s < BRIEF_S:
            continue
        long_s, most = len(steps) * step_s, float(np.abs(balance[steps]).max())
        if found and found[-1][0] == sign:
            long_s, most = long_s + found[-1][1], max(most, found[-1][2])
            found.pop()
        found.append((sign, long_s, most))
    return found


def _motion(seen: Measured) -> str:
    if not len(seen.turns):
        return "No two phases of one antenna and channel: they say nothing of motion."
    turned = float((seen.turns[:, 1] > STILL_RAD).mean())
    says = "it moved" if turned >= MOVED_SHARE else "it was mostly at rest"
    return f"{turned:.0%} of its phases changed by more than noise from one to the next: {says}."


def _share(confidence: float) -> str:
    return "over 99%" if confidence >= CERTAIN else f"{confidence:.0%}"


def _around(final: MovementRow) -> str:
    known = {"door": final.evidence.door, "beams": final.evidence.beams, "badge": final.evidence.badge}
    told = [f"{name}: {value}" for name, value in known.items() if value is not None]
    told += [] if final.reason is None else [final.reason]
    words = "; ".join(told)
    return words[:1].upper() + words[1:] + "." if told else ""


def _calls(passage: Passage) -> str:
    first, last = passage.calls[0], passage.calls[-1]
    late = _late(last.at_us, passage.final)
    if first is last:
        return f"Called once, {late}."
    early = [call.row.kind for call in passage.calls[:-1]]
    changes = "".join(f", then {after}" for before, after in pairwise(early) if after != before)
    ends = "the final agrees" if last.row.kind == early[-1] else f"the final says {last.row.kind}"
    begins = f"First called {first.row.kind} ({_share(first.row.confidence)} sure){changes}"
    return f"{begins}, {_late(first.at_us, passage.final)}; {ends}, {late}."


def _late(at_us: int, final: MovementRow) -> str:
    since = final.crossed_at or final.ended_at or final.at
    what = "crossing" if final.crossed_at else "last read"
    seconds = (at_us - instant_us(since)) / 1e6
    return f"{abs(seconds):.1f} s {'after' if seconds >= 0 else 'before'} the {what}"


def span(passage: Passage, zero_us: int, seconds: Floats) -> tuple[float, float]:
    """Return from when to when the picture goes: all reads, calls and the visit itself, and a little around them."""
    instants = [call.at_us for call in passage.calls]
    instants += [instant_us(passage.final.started_at), instant_us(passage.final.ended_at or passage.final.at)]
    times = np.concatenate([(np.array(instants, np.float64) - zero_us) / 1e6, seconds])
    margin = max(0.05 * float(times.max() - times.min()), 0.1)
    return float(times.min()) - margin, float(times.max()) + margin
