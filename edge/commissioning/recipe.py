"""The walks that a doorway is commissioned with: ten each way, and those that fail in practice."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from edge.commissioning.errors import CommissioningError

Expect = Literal["in", "out", "none"]
"""What a walk is to be called; `none` is any kind but a crossing."""
PLAIN: Final = "plain"
MOST_WALKS: Final = 200


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk to be done.

    Attributes:
        how: its name: walks of one name and expectation are counted together.
        expect: what it is to be called.
        says: what the installer does.
    """

    how: str
    expect: Expect
    says: str


_HOWS: Final = {
    PLAIN: "one tag in your hand, now in the one, now in the other, at your usual pace, {way}",
    "against the body": "the tag flat against your chest, your back towards the nearer antennas, {way}",
    "backpack": "a laptop in your backpack, {way}",
    "two laptops face to face": "two laptops under your arm, lids together, {way}",
    "full cart": "the full cart, {way}",
    "running": "run, one tag in your hand, {way}",
    "door ajar": "the door half shut, one tag in your hand, {way}",
    "passing by inside": "along the wall inside, 1 to 2 m from the door, not through it",
    "passing by outside": "along the wall outside, 1 to 2 m from the door, not through it",
}
_WAYS: Final = {"out": "from inside to outside", "in": "from outside to inside", "none": "past the door"}
EACH_WAY: Final = 10
HARD: Final = ("against the body", "backpack", "two laptops face to face", "full cart", "running", "door ajar")
PAST: Final = ("passing by inside", "passing by outside")


def walk(how: str, expect: Expect, says: str = "") -> Walk:
    """Return a walk with its instruction; one of our own making needs its own."""
    text = says or _HOWS.get(how, "")
    if not text:
        raise CommissioningError(f"walk {how!r} is none of {', '.join(_HOWS)}: give it `says`, what is to be done")
    return Walk(how, expect, text.format(way=_WAYS[expect]))


def recipe() -> list[Walk]:
    """Return the usual walks in their order: out and in take turns, so that nobody goes a way for nothing."""
    plain = [walk(PLAIN, way) for _ in range(EACH_WAY) for way in _ALTERNATE]
    hard = [walk(how, way) for how in HARD for way in _ALTERNATE]
    return [*plain, *hard, *(walk(how, "none") for how in PAST)]


_ALTERNATE: Final[tuple[Expect, ...]] = ("out", "in")


def confirmation() -> list[Walk]:
    """Return the one walk that confirms a doorway whose reader was swapped."""
    return [walk(PLAIN, "out")]


class _PlanWalk(msgspec.Struct, forbid_unknown_fields=True):
    how: str
    expect: Expect
    times: int = 1
    says: str = ""


class _Plan(msgspec.Struct, forbid_unknown_fields=True):
    walks: list[_PlanWalk]


def read_plan(path: Path) -> list[Walk]:
    """Return the walks of a plan file, `[[walks]]` with `how`, `expect`, and perhaps `times` and `says`.

    Raises:
        CommissioningError: it can't be read or is no plan.
    """
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        plan = msgspec.convert(document, _Plan)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CommissioningError(f"{path}: is no plan of walks: {error}") from error
    if not all(one.times >= 1 for one in plan.walks):
        raise CommissioningError(f"{path}: times counts from 1")
    if not 1 <= sum(one.times for one in plan.walks) <= MOST_WALKS:
        raise CommissioningError(f"{path}: a plan has 1 to {MOST_WALKS} walks")
    try:
        return [walk(one.how, one.expect, one.says) for one in plan.walks for _ in range(one.times)]
    except (CommissioningError, KeyError, IndexError, ValueError) as error:
        raise CommissioningError(f"{path}: {error}") from error
