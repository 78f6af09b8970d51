"""Five published or common rules on the same reads as ours in the gallery; on the frozen set: accuracy_passages.py."""

from collections.abc import Iterator
from typing import Any, Final

from simulator.scenarios.load import builtin_names
from tests.accuracy.other_rules_page import keep
from tests.accuracy.peer_runs import LEFT_OUT, OURS, gallery_scene, tally
from tests.accuracy.spread import spread
from tests.bench.figures import ACCURACY, Figure

UNDECIDABLE: Final = "single"
"""One antenna tells no direction, so that nobody can be compared there."""


@ACCURACY.register("peers.")
def peers() -> Iterator[Figure]:
    """Play the gallery, keep the figures for the page, and yield one a scenario."""
    scenes = spread(gallery_scene, [name for name in builtin_names() if name not in LEFT_OUT])
    found = {one.name: tally(one) for one in scenes if one.layout != UNDECIDABLE}
    keep(found)
    for name, row in found.items():
        yield figure(f"peers.{name}", row)


def figure(name: str, row: dict[str, Any]) -> Figure:
    """Return ours beside the best peer; the ratio is that of the errors, half an error added to both."""
    right = {rule: one["right"] for rule, one in row["rules"].items()}
    best = max((rule for rule in right if rule != OURS), key=right.__getitem__)
    ours, theirs, count = right[OURS], right[best], row["visits"]
    others = ", ".join(f"{rule} {number}" for rule, number in right.items() if rule not in {OURS, best})
    return Figure(
        name,
        100 * ours / max(count, 1),
        "%",
        best,
        100 * theirs / max(count, 1),
        (count - theirs + 0.5) / (count - ours + 0.5),
        f"right in three classes: ours {ours} of {count} visits; {best} {theirs}, {others}",
    )
