"""One asset's whole life on one line of time: what the API reads of it, page by page."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from central.application.errors import StepUnfit
from central.application.views import Instant, View, on_the_wire

MomentKind = Literal["movement", "act", "hearing", "transfer", "pass", "exception", "alert", "count"]
KINDS: Final[tuple[str, ...]] = get_args(MomentKind)


class MomentView(View):
    """Something that happened to an asset; `key` tells apart what happened at once, `data` is as its kind has it."""

    at: Instant
    kind: MomentKind
    key: str
    data: dict[str, Any]


class Moments(View):
    """A page of a life, newest first; `next` asks for the page before it, None where the life begins."""

    moments: list[MomentView]
    next: str | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ends."""

    at: datetime
    kind: str
    key: str

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        """Read what a page gave as `next`; None is the newest.

        Raises:
            StepUnfit: no page gave it.
        """
        if text is None:
            return cls(datetime.max.replace(tzinfo=UTC), "~", "~")
        at, _, rest = text.partition("|")
        kind, _, key = rest.partition("|")
        try:
            return cls(datetime.fromisoformat(at).astimezone(UTC), kind, key)
        except (ValueError, OverflowError) as error:
            raise StepUnfit(f"before={text!r} is no end of a page: take `next` of the page before") from error


def page(moments: list[MomentView], limit: int) -> Moments:
    """Return a page of moments that were read with one more than fit."""
    shown = moments[:limit]
    last = shown[-1] if len(moments) > limit else None
    return Moments(moments=shown, next=f"{on_the_wire(last.at)}|{last.kind}|{last.key}" if last else None)
