"""JSON bytes -> access events. Any bytes give events or `AccessError`, never another error. Pure: time is an argument.

One event, or a list of them: `{"portal": "east", "kind": "badge", "person": "E-0042", "at": "2026-03-01T08:00:05Z"}`.
Keys that are not known are passed over: controllers tell more than we ask.
"""

from collections.abc import Collection
from typing import Annotated, Final, Literal

import msgspec

from edge.access.errors import AccessError
from edge.contracts import ContractError, instant_us
from edge.contracts.rows import Name

MAX_BYTES: Final = 16 * 1024
MAX_EVENTS: Final = 50
AHEAD_US: Final = 60_000_000
"""Clocks differ a little; a badge from further ahead is a wrong clock's."""
PAST_US: Final = 600_000_000
"""Longer than any visit lasts: a badge from before it belongs to no passage that is still open at a door."""
LATEST_US: Final = 30 * 86_400_000_000
"""A controller that was cut off tells of doors for so long; what is older is a wrong clock's."""


class AccessEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened at a portal; `at_us` is UTC."""

    portal: str
    kind: Literal["badge", "forced", "held"]
    at_us: int
    person: str = ""


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    portal: Name
    kind: Literal["badge", "forced", "held"]
    at: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    person: Name | None = None


_decoder: Final = msgspec.json.Decoder(_Told | list[_Told])


def parse_events(payload: bytes, *, portals: Collection[str], now_us: int, believed: bool = True) -> list[AccessEvent]:
    """Return what a controller told; all of it or, by `AccessError`, nothing.

    Args:
        payload: one JSON object or a list of them.
        portals: those of this gateway.
        now_us: when it came; the time of an event that has none.
        believed: whether our own clock was set; until then it may be the wrong one where the two differ much.
    """
    if len(payload) > MAX_BYTES:
        raise AccessError(
            f"{len(payload)} bytes are too many: send at most {MAX_BYTES}, {MAX_EVENTS} events", "oversized"
        )
    try:
        found = _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        form = '{"portal": …, "kind": "badge" | "forced" | "held", "person": …, "at": …}'
        raise AccessError(f"not understood ({error}): send {form}", "unreadable") from None
    told = found if isinstance(found, list) else [found]
    if not 0 < len(told) <= MAX_EVENTS:
        raise AccessError(f"{len(told)} events at once: send 1 to {MAX_EVENTS}", "oversized")
    return [_event(one, portals, now_us, believed) for one in told]


def _event(told: _Told, portals: Collection[str], now_us: int, believed: bool) -> AccessEvent:  # noqa: FBT001 (as told)
    if told.portal not in portals:
        known = ", ".join(sorted(portals))
        raise AccessError(f"portal {told.portal!r} is none of this gateway: name one of {known}", "unfit")
    if (told.kind == "badge") != (told.person is not None):
        words = "a badge names a `person`, by the id that custody and passes have; nothing else does"
        raise AccessError(words, "unfit")
    at_us = now_us if told.at is None else _at_us(told.at)
    if told.kind != "badge":
        # A door that was forced is told, whichever clock is wrong.
        at_us = at_us if now_us - LATEST_US <= at_us <= now_us else now_us
    elif believed or now_us - PAST_US <= at_us <= now_us + AHEAD_US:
        at_us = _timely(told.at or "", at_us, now_us)
    else:
        at_us = now_us
    return AccessEvent(portal=told.portal, kind=told.kind, at_us=at_us, person=told.person or "")


def _at_us(text: str) -> int:
    try:
        return instant_us(_with_fraction(text))
    except ContractError:
        words = f"at is {text!r}: write UTC like 2026-03-01T08:00:05Z, or leave it out"
        raise AccessError(words, "mistimed") from None


def _timely(text: str, at_us: int, now_us: int) -> int:
    """Return when a badge was shown, which must be near enough to now that a passage may be open for it."""
    if at_us > now_us + AHEAD_US:
        raise AccessError(f"at is {text}, over a minute ahead: set the controller's clock", "mistimed")
    if at_us < now_us - PAST_US:
        words = f"at is {text}, over 10 minutes ago: tell the centre of late badges (POST /api/v1/badges)"
        raise AccessError(words, "mistimed")
    return min(at_us, now_us)


def _with_fraction(text: str) -> str:
    """Return a time with the six digits that contracts have."""
    head, dot, fraction = text.removesuffix("Z").partition(".")
    return f"{head}.{fraction[:6]:0<6}Z" if text.endswith("Z") and (fraction.isdigit() or not dot) else text
