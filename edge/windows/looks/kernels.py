"""Measure a visit and ask the trees, in one call: a call has its price, and so has each array that goes into it."""

# ruff: noqa: PLR0917, PLR1714 (a kernel takes its arrays one by one; a set costs more than two comparisons)

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (one letter keeps the column names readable in formulas)
from edge.windows.evidence import kernels as evidence
from edge.windows.jit import njit
from edge.windows.model import kernels as model

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

LATE = 6
"""Log-odds that a visit tells its companions first: of what it is; then EARLY of them: of in and out by now."""
EARLY = 3


@njit(cache=True)
def look(
    log: I32, head: I64, at_us: int, why: int, per_side: int, refs: I64, place: F64, noted_at: I64, noted: F64,
    tables: tuple[F64, F64], features: F64, outline: F64,
) -> tuple[int, float]:  # fmt: skip
    """Fill a visit's features and its outline; return the outline's newest bin, and the likeliest crossing, s.

    Args:
        log: (n, LOG) the visit's reads.
        head: (HEAD,) see `layout`.
        at_us: instant of the decision.
        why: it is made.
        per_side: antennas that each side has, the fewer.
        refs: (antennas + 1,) see `evidence.kernels.measure`.
        place: what the place is, and what is known of the tag: the last features.
        noted_at: columns of what is known beside the reads.
        noted: values of those.
        tables: amplitudes and cosines, see `evidence.kernels.measure`.
        features: (columns.COUNT,) filled.
        outline: (2, OUTLINE) zeros, filled.
    """
    n, bin0_us = log.shape[0], head[L.BIN0_US]
    amplitudes, cosines = tables
    heads = np.empty(11, np.int64)
    heads[0], heads[1], heads[2] = head[L.STIR], head[L.STIR_TOP], head[L.MOVED]
    heads[3], heads[4], heads[5] = at_us - head[L.STILL_US], 0, head[L.BASE_CDBM]
    heads[6], heads[7] = head[L.PEAK_CDBM], head[L.READS]
    heads[8], heads[9] = int(why == L.LEFT or why == L.FLUSHED), int(why == L.SETTLED)
    heads[10] = per_side
    many = features.shape[0] - place.shape[0]
    change_s = evidence.measure(log, n, at_us - bin0_us, heads, refs, amplitudes, cosines, features[:many])
    for k in range(place.shape[0]):
        features[many + k] = place[k]
    for k in range(noted_at.shape[0]):
        features[noted_at[k]] = noted[k]
    return evidence.outline(log, n, bin0_us, refs, amplitudes, outline), change_s


@njit(cache=True)
def alone(features: F64, late: model.Forest, early: model.Forest, more: I64, told: F64) -> None:
    """Fill what a visit tells its companions: its log-odds by itself, and some features.

    Args:
        features: (columns.COUNT,).
        late: trees of what it is.
        early: trees of in and out by now.
        more: columns of the features that are told.
        told: (LATE + EARLY + those,) filled.
    """
    model.ask(features, late, told[:LATE])
    model.ask(features, early, told[LATE : LATE + EARLY])
    for k in range(more.shape[0]):
        told[LATE + EARLY + k] = features[more[k]]


@njit(cache=True)
def beside(
    outline: F64, last_bin: int, last_us: int, mine: int, memory_us: int, used: int, outlines: F64, bins: I64,
    lasts_us: I64, places: I64, alike: F64,
) -> int:  # fmt: skip
    """Find the visits heard within some time of one, and how alike they are; return how many.

    Args:
        outline: (2, OUTLINE) of the one.
        last_bin: its newest bin.
        last_us: its last read.
        mine: place of its tag, which is left out; -1 where it has none.
        memory_us: that time.
        used: places in use.
        outlines: (places, 2, OUTLINE).
        bins: (places,).
        lasts_us: (places,).
        places: filled with those places.
        alike: filled, 0 to 1.
    """
    count = 0
    for place in range(used):
        if place != mine and abs(lasts_us[place] - last_us) <= memory_us:
            places[count] = place
            count += 1
    for k in range(count):
        place = places[k]
        evidence.alike(outline, last_bin, outlines[place : place + 1], bins[place : place + 1], alike[k : k + 1])
    return count


@njit(cache=True)
def again(
    features: F64, kept: I64, own: F64, told: F64, begin: int, alike: F64, columns: int, forest: model.Forest, out: F64,
) -> None:  # fmt: skip
    """Fill the log-odds of a visit with what its companions say: the mean of both looks, which beats either (ADR 11).

    Args:
        features: (columns.COUNT,) of the visit.
        kept: columns of the features that are looked at again.
        own: (classes,) log-odds by itself.
        told: (n, LATE + EARLY + …) what its companions tell, see `alone`.
        begin: where the same log-odds begin in it.
        alike: (n,).
        columns: that `pool` makes after the log-odds.
        forest: the trees of visits in company.
        out: (classes,) filled.
    """
    classes, many = own.shape[0], kept.shape[0]
    x = np.zeros(many + 3 * classes + columns)
    for k in range(many):
        x[k] = features[kept[k]]
    rounded = np.empty(classes)
    for k in range(classes):
        rounded[k] = round(own[k] * 4096.0) / 4096.0
        x[many + k] = rounded[k]
    evidence.pool(rounded, told[:, LATE + EARLY :], told[:, begin : begin + classes], alike, x[many + classes :])
    model.ask(x, forest, out)
    for k in range(classes):
        out[k] = (rounded[k] + out[k]) / 2
