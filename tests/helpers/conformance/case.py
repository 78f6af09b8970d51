"""What a case of the matrix is, and what a run of it found."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

AT_ONCE = 8
"""Cases under way together: they mostly wait, and more of them would distort each other's times."""


class Seen:
    """What the agent was seen to do: each sentence is an assertion that held in this run."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.times_s: dict[str, float] = {}

    def that(self, condition, words):
        """Record what the agent did, which must be so."""
        assert condition, f"not so: the agent {words}"
        self.did.append(words)

    def took(self, what, seconds):
        """Record an observed time; times stand on the page and are never compared."""
        self.times_s[what] = seconds


@dataclass(frozen=True)
class Case:
    """One behaviour.

    Attributes:
        number: item of the list "LLRP readers in the field", a dot, and a count.
        behaviour: what readers do, in our words.
        simulated: how it is played here.
        falls_short: why the agent doesn't do right yet; empty where it does.
        program: system program that playing it wants; empty for none.
    """

    number: str
    behaviour: str
    simulated: str
    run: Callable[[Seen], Awaitable[None]]
    falls_short: str = ""
    program: str = ""

    @property
    def order(self):
        return tuple(int(part) for part in self.number.split("."))


@dataclass
class Outcome:
    """What a run of a case found; `error` is why it failed, in full."""

    case: Case
    seen: Seen = field(default_factory=Seen)
    error: str = ""
    duration_s: float = 0.0

    @property
    def did(self):
        return "; ".join(self.seen.did)


CASES: dict[str, Case] = {}


def case(number, behaviour, simulated, *, falls_short="", program=""):
    """Enter a function into the matrix."""

    def enter(run):
        assert number not in CASES, f"{number} is taken"
        CASES[number] = Case(number, behaviour, simulated, run, falls_short, program)
        return run

    return enter


async def run_cases(cases):
    """Run cases together in one event loop; one that fails takes no other with it."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(chosen):
        outcome = Outcome(chosen)
        async with slots:
            begun_s = time.monotonic()
            try:
                async with asyncio.timeout(120):
                    await chosen.run(outcome.seen)
            except Exception:  # noqa: BLE001 (the outcome carries it to the test of this case)
                outcome.error = traceback.format_exc()
            outcome.duration_s = time.monotonic() - begun_s
        return chosen.number, outcome

    return dict(await asyncio.gather(*(one(chosen) for chosen in cases)))
