"""What an output is for, and when it may not sound.

Errors: `SignalsError`, for what a person wrote and that can't be meant.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["light", "siren", "alive", "gone"]
Pattern = Literal["steady", "blink"]
Verdict = Literal["allow", "refuse", "stale", "carried"]
Mode = Literal["observe", "notify", "alarm"]

_SPAN: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class SignalsError(ValueError):
    """What was written can't be used; the message says what to write."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A daily span in which nothing sounds, minutes of the local day; it may go past midnight."""

    begin_min: int
    end_min: int

    @classmethod
    def parse(cls, text: str) -> "QuietHours":
        """Take `22:00-06:00`; anything else is a `SignalsError`."""
        found = _SPAN.fullmatch(text)
        if found is None:
            raise SignalsError(f"{text!r} is no span of a day: write it like 22:00-06:00")
        begin_h, begin, end_h, end = map(int, found.groups())
        span = cls(60 * begin_h + begin, 60 * end_h + end)
        if span.begin_min == span.end_min:
            raise SignalsError(f"{text!r} is no time or the whole day: a siren that never sounds is left out instead")
        return span

    def holds(self, minute: int) -> bool:
        """Say whether a minute of the day lies in it; the end doesn't."""
        if self.begin_min < self.end_min:
            return self.begin_min <= minute < self.end_min
        return minute >= self.begin_min or minute < self.end_min


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRule:
    """What one output is for.

    Attributes:
        portal: the doorway whose verdicts it shows.
        device: LLRP reader or board that it belongs to.
        output: its number there, from 1.
        kind: `light` and `siren` follow verdicts; `alive` is lit while the doorway is watched; `gone` sounds when a
            reader of the doorway is lost.
        pattern: how it is on.
        seconds: how long, from the last verdict on; the whole is bounded by `acting.MOST_TIMES` of it.
        verdicts: those that `light` or `siren` is switched on by.
        quiet: spans in which it doesn't sound.
    """

    portal: str
    device: str
    output: int
    kind: Kind
    pattern: Pattern = "steady"
    seconds: float = 10.0
    verdicts: frozenset[Verdict] = frozenset({"refuse"})
    quiet: tuple[QuietHours, ...] = ()

    @property
    def sounds(self) -> bool:
        """Whether it is heard, so that fire alarm and quiet hours mute it."""
        return self.kind in {"siren", "gone"}

    @property
    def name(self) -> str:
        """For people: which output of which device."""
        return f"output {self.output} of {self.device}"
