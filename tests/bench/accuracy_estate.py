"""How right the central is over two simulated months: the frozen estate, which takes most of twenty minutes."""

import sys

from tests.accuracy.central.figures import figures_of, not_built
from tests.accuracy.central.page import keep
from tests.accuracy.central.run import measure
from tests.bench.figures import ACCURACY


@ACCURACY.register("central", when_named=True)
def central():
    """Yield all figures, and keep the scores for the page."""
    scores = measure("frozen")
    keep(scores)
    for title in not_built(scores):
        sys.stderr.write(f"not built: {title}\n")
    yield from figures_of(scores)
