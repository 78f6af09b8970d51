"""What the gate shows and sounds, as the configuration says it."""

import difflib
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from edge.config.section import Section
from edge.config.wiring import Id
from edge.signals import QuietHours, SignalsError

LONGEST_SIREN_S: Final = 180.0
"""Three times as long at most, when more is refused meanwhile: neighbours' patience, and noise by-laws."""
_LOCKS: Final = (
    "lock", "bolt", "latch", "strike", "magnet", "barrier", "turnstile", "shutter", "deadbolt", "door", "gate", "block",
    "hold", "release", "opener", "bollard", "mantrap",
)  # fmt: skip
_LOCK_NAMES: Final = frozenset({*_LOCKS, "maglock", "doorlock"}) - {"door", "gate", "block", "hold"}
"""Whole words of a device's name: boards of lights may be called after a door, too."""
_NO_LOCK: Final = (
    "Stockgate never holds a door shut nor opens one, for it may be somebody's way out of a fire: no output is a "
    "lock. Wire locks to the access controller and leave this output out"
)


def _no_lock(kind: Any) -> Any:
    """Refuse what sounds like a lock in words of its own."""
    if isinstance(kind, str) and any(word in kind.lower() for word in _LOCKS):
        raise ValueError(_NO_LOCK)
    return kind


def _span(text: str) -> str:
    try:
        QuietHours.parse(text)
    except SignalsError as error:
        raise ValueError(str(error)) from None
    return text


class GateOutputConfig(Section):
    """A light or siren at a doorway; the output itself stands among its reader's or board's outputs."""

    portal: Id = Field(description="Portal that it belongs to.")
    device: Id = Field(description="LLRP reader or board that switches it.")
    output: int = Field(ge=1, le=64, description="Number of the output there, counted from 1; each has one purpose.")
    kind: Annotated[Literal["light", "siren", "alive", "gone"], BeforeValidator(_no_lock)] = Field(
        description="`light` and `siren` follow the gate's verdicts, `alive` is lit while the portal is watched, "
        "`gone` sounds when a reader of the portal is lost."
    )
    pattern: Literal["steady", "blink"] = Field(default="steady", description="How it is on.")
    seconds: float = Field(
        default=10.0,
        ge=0.5,
        le=600.0,
        description="How long it is on after the last verdict that switches it; ended in the device where that can.",
    )
    verdicts: list[Literal["allow", "refuse", "stale", "carried"]] | None = Field(
        default=None,
        min_length=1,
        max_length=4,
        description="Verdicts that switch it on: `stale` is the portal's answer to a snapshot that is too old. Left "
        "out: a light `refuse` and `carried`, a siren `refuse`.",
    )
    quiet_hours: list[Annotated[str, AfterValidator(_span)]] = Field(
        default=[],
        max_length=8,
        description="Daily spans of local time in which a siren or `gone` is silent, `22:00-06:00`; lights go on.",
    )


class GateConfig(Section):
    """What the gate decides with, and what it shows."""

    outputs: list[GateOutputConfig] = Field(default=[], max_length=64, description="Lights and sirens at doorways.")


def lock_word(device: str) -> str:
    """Return the word in a device's name that a lock would have, "" where there is none."""
    return next((word for word in re.split(r"[^a-z]+", device.lower()) if word in _LOCK_NAMES), "")


def output_problems(number: int, one: GateOutputConfig) -> Iterator[str]:
    """Yield what is wrong with one output by itself."""
    place = f"gate.outputs[{number}]"
    follows = one.kind in {"light", "siren"}
    sounds = one.kind in {"siren", "gone"}
    if one.verdicts is not None and not follows:
        yield f"{place}.verdicts: are for light and siren: leave it out, `{one.kind}` follows no verdict"
    if one.kind == "siren" and (wrong := {"allow", "carried"}.intersection(one.verdicts or ())):
        yield f"{place}.verdicts: a siren does not sound for {' or '.join(sorted(wrong))}: take a light for it"
    if one.quiet_hours and not sounds:
        yield f"{place}.quiet_hours: mute what sounds, and a {one.kind} makes no noise: leave it out"
    if sounds and one.seconds > LONGEST_SIREN_S:
        yield f"{place}.seconds: what sounds does so for {LONGEST_SIREN_S:g} s at most, not {one.seconds:g}"
    if one.kind == "alive":
        for key in {"seconds", "pattern"} & one.model_fields_set:
            yield f"{place}.{key}: a lamp that is alive is lit as long as its portal is watched: leave it out"


def near(name: str, known: list[str]) -> str:
    """Return "; did you mean …?", of the names that are known."""
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.4) or known
    return f"; did you mean {found[0]!r}?" if found else ""
