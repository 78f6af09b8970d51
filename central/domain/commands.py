"""What may be ordered of a gateway: each command's arguments, and how long its answer may take."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from central.domain.captures import CAPTURE, LONGEST_S, UPLOAD_S

Argument = str | int | bool

MAX_TOML_BYTES: Final = 64 * 1024
"""As much as a gateway takes."""
TEST_TAG: Final = "test-tag"
VALID_S: Final = 30
"""A command that comes later than this is obeyed by no gateway."""
_ID: Final = re.compile(r"[^\x00-\x1f\x7f]{1,80}")
_EPC: Final = re.compile(r"([0-9a-f]{2}){1,62}")


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number within bounds."""

    least: int
    most: int
    needed: bool = False

    @property
    def right(self) -> str:
        """What would be right, in words."""
        return f"give a whole number from {self.least} to {self.most}"

    def fits(self, value: Argument) -> bool:
        """Tell whether it is one."""
        return isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most


@dataclass(frozen=True, slots=True)
class Word:
    """A text that a pattern describes."""

    pattern: re.Pattern[str]
    says: str
    needed: bool = True

    @property
    def right(self) -> str:
        """What would be right, in words."""
        return f"give {self.says}"

    def fits(self, value: Argument) -> bool:
        """Tell whether the pattern describes it."""
        return isinstance(value, str) and self.pattern.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class Configuration:
    """A gateway's whole configuration; the gateway checks all of it, so here only what it would send astray."""

    needed: bool = True

    @property
    def right(self) -> str:
        """What would be right, in words."""
        return f"give the gateway's configuration, TOML of at most {MAX_TOML_BYTES} bytes"

    def fits(self, value: Argument) -> bool:
        """Tell whether it is a text that may be sent."""
        return isinstance(value, str) and 0 < len(value.encode("utf-8", "replace")) <= MAX_TOML_BYTES

    def astray(self, value: Argument, gateway: str) -> str:
        """Return why it is none for this gateway, in words, or nothing."""
        try:
            named = tomllib.loads(str(value)).get("gateway")
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            return f"is not TOML: {error}"
        if named != gateway:
            return f"is for gateway {str(named)[:40]!r}: give the one of {gateway!r}"
        return ""


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""

    needed: bool = False

    @property
    def right(self) -> str:
        """What would be right, in words."""
        return "give true or false"

    def fits(self, value: Argument) -> bool:
        """Tell whether it is one of both."""
        return isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Spec:
    """One command."""

    args: Mapping[str, Number | Word | Flag | Configuration]
    answer_s: int
    """Seconds after which nobody waits for its answer any more."""
    either: tuple[str, ...] = ()
    """Of these arguments exactly one is given."""


_READER: Final = Word(_ID, "the id of one of the gateway's readers")
_MINUTE: Final = Number(1, 60)
COMMANDS: Final[Mapping[str, Spec]] = {
    "blink": Spec(
        {
            "device": Word(_ID, "the id of a reader or board"),
            "output": Number(1, 65535, needed=True),
            "seconds": Number(1, 30),
        },
        answer_s=90,
    ),
    "configure": Spec({"toml": Configuration()}, answer_s=240),
    CAPTURE: Spec(
        {
            "reader": Word(_ID, "the id of one of the gateway's readers", needed=False),
            "portal": Word(_ID, "the id of one of the gateway's portals", needed=False),
            "seconds": Number(1, LONGEST_S),
        },
        answer_s=LONGEST_S + UPLOAD_S + 60,
        either=("reader", "portal"),
    ),
    "reload": Spec({}, answer_s=240),
    "restart-reader": Spec({"reader": _READER}, answer_s=60),
    "survey": Spec({"reader": _READER, "seconds": _MINUTE}, answer_s=150),
    "sweep": Spec({"reader": _READER, "seconds": _MINUTE}, answer_s=150),
    TEST_TAG: Spec(
        {
            "portal": Word(_ID, "the id of one of the gateway's portals"),
            "epc": Word(_EPC, "a tag's EPC in lower-case hex"),
            "seconds": _MINUTE,
            "sound": Flag(),
        },
        answer_s=150,
    ),
}
"""What each command takes; the agent has the last word on every one.

What changes the configuration is answered once it is clear that the agent is well with it: after a minute at the
latest, and after two starts of its parts.
"""


def unfit(name: str, args: Mapping[str, Argument], *, gateway: str) -> str:
    """Return what is wrong with an order to a gateway, in words, or nothing."""
    spec = COMMANDS.get(name)
    if spec is None:
        return f"name: there is no command {name[:40]!r}: known are {', '.join(COMMANDS)}"
    strange = sorted(args.keys() - spec.args.keys())
    if strange:
        known = ", ".join(spec.args) or "none"
        return f"args: {name} takes no {strange[0][:40]!r}: known are {known}"
    problems = (_problem(key, wanted, args.get(key), gateway) for key, wanted in spec.args.items())
    if problem := next(filter(None, problems), ""):
        return problem
    if spec.either and sum(key in args for key in spec.either) != 1:
        return f"args: give either {' or '.join(spec.either)}"
    return ""


def _problem(key: str, wanted: Number | Word | Flag | Configuration, value: Argument | None, gateway: str) -> str:
    if value is None:
        return f"args.{key} is missing: {wanted.right}" if wanted.needed else ""
    if not wanted.fits(value):
        return f"args.{key}: {wanted.right}"
    if isinstance(wanted, Configuration) and (problem := wanted.astray(value, gateway)):
        return f"args.{key} {problem}"
    return ""
