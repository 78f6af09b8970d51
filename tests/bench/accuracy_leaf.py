"""What knowing the door is worth: events of residents behind a metal leaf, with and without a background."""

from collections.abc import Iterator

from tests.accuracy.leaf import DOORS, SECONDS, measure
from tests.bench.figures import ACCURACY, Figure

ALARMING = ("out", "in", "parked", "early out", "early in")


@ACCURACY.register("leaf.")
def leaf() -> Iterator[Figure]:
    """Events of tags that never moved, per door and hour; the same windows without a background beside it."""
    without, with_ = measure()
    hours = len(DOORS) * SECONDS / 3600
    detail = f"{len(DOORS)} doors with a contact, {SECONDS / 60:.0f} minutes each; with the background / without"
    for name, kinds in (("events", None), ("alarming", ALARMING)):
        ours, theirs = (
            sum(count for kind, count in one.false.items() if kinds is None or kind in kinds) / hours
            for one in (with_, without)
        )
        ratio = theirs / max(ours, 1 / hours)
        yield Figure(f"leaf.{name}", ours, "per door and hour", "no background", theirs, ratio, detail)
    yield Figure("leaf.movers", with_.movers, "finals", "no background", without.movers, None, "of tags that did move")
