"""From scores to figures with names that stay; a room that isn't built gives no figure, and is named."""

from tests.accuracy.bounds import poisson_upper
from tests.bench.figures import Figure

LEAST = 100
"""Assets in a decile that says something."""
TITLES = {
    "exits": "exits and alerts", "transfers": "states of transfers", "missing": "missing assets",
    "coverage": "the coverage ledger", "present": "probability of presence", "doors": "doors' self-measured miss rates",
}  # fmt: skip


def figures_of(scores):
    """Return the figures of one run."""
    found = [*_places(scores), *_hours(scores), *_missed(scores)]
    for room, make in _ROOMS.items():
        if scores[room] is not None:
            found += make(scores[room])
    return found


def not_built(scores):
    """Name the rooms of which this central has nothing to score."""
    return [title for room, title in TITLES.items() if scores[room] is None]


def share(part, whole):
    """A share; of nothing it is none."""
    return part / whole if whole else 0.0


def _places(scores):
    one = scores["places"]
    misread = f"{one.get('wrong_way', 0)} of the others misread by the door"
    detail = f"{one.get('right', 0):,} of {one.get('asked', 0):,} moves, {misread}"
    yield Figure("central.location.right", share(one.get("right", 0), one.get("asked", 0)), "share", detail=detail)
    right, bound = share(one["all_right"], one["all"]), share(one["all_bound"], one["all"])
    told = share(one["all_told"], one["all"])
    detail = f"{one['all']:,} moves; told rightly in time {told:.4f}"
    yield Figure("central.location.right_all", right, "share", "read probability", bound, right / bound, detail)


def _hours(scores):
    one = scores["hours"]
    wrong, best = one["ours"], min(one["last"], one["never"])
    name = "last portal wins" if one["last"] <= one["never"] else "never update"
    detail = f"of {one['all']:,}; last portal wins {one['last']:,}, never update {one['never']:,}"
    ratio = best / wrong if wrong else None
    yield Figure("central.location.wrong_hours", wrong, "asset-hours", name, best, ratio, detail)
    detail = (
        f"of all asset-hours; {share(one['wrong_certain'], one['ours']):.3f} of the wrong ones; "
        f"{share(one['right_doubted'], one['all']):.4f} of all are right and doubted"
    )
    yield Figure("central.location.wrong_certain", share(one["wrong_certain"], one["all"]), "share", detail=detail)


def _missed(scores):
    one, most = scores["missed"], scores["set"]["days"] * 24
    for name in ("median_h", "p95_h"):
        value = one[name]
        detail = (
            f"{one['count']:,} crossings that no door told, {one['open_at_end']} still believed at the end, "
            f"{one['by_doubt']} healed by doubt"
        )
        if value is None:
            detail = f"not by the end, which is the least; {detail}"
        yield Figure(f"central.missed.{name}", most if value is None else value, "h", detail=detail)


def _exits(one):
    detail = f"{one['told_alerted']} of {one['told']} exits without leave that the edge told"
    yield Figure("central.exits.alerted", share(one["told_alerted"], one["told"]), "share", detail=detail)
    all_, bound = share(one["all_alerted"], one["all"]), share(one["bound"], one["all"])
    ratio = all_ / bound if bound else None
    detail = f"{one['all_alerted']} of {one['all']}"
    yield Figure("central.exits.alerted_all", all_, "share", "what doors read", bound, ratio, detail)
    per = 10_000 / max(one["passages"], 1)
    detail = (
        f"{one['false']} of {one['alarms']} alerts, {one['passages']:,} passages; 95 %: below "
        f"{poisson_upper(one['false']) * per:.2f}; {one['misread']} exits without leave were told last that were none"
    )
    false, bound = one["false"] * per, one["misread"] * per
    ratio = bound / false if false else None
    yield Figure("central.exits.false", false, "1/10,000 passages", "doors' last words", bound, ratio, detail)


def _transfers(one):
    days, end = one["days"], one["end"]
    wrong = ", ".join(f"{count} {name}" for name, count in sorted(end.items()) if " as " in name)
    detail = f"{days.get('all', 0):,} asset-days from approval to two days after the last change"
    yield Figure("central.transfers.right", share(days.get("right", 0), days.get("all", 0)), "share", detail=detail)
    detail = f"{end.get('all', 0):,} assets on transfers; wrong: {wrong or 'none'}"
    yield Figure(
        "central.transfers.right_at_end", share(end.get("right", 0), end.get("all", 0)), "share", detail=detail
    )


def _missing(one):
    right = one["right_by_category"]
    calls = ", ".join(f"{right[name]} of {count} {name}" for name, count in sorted(one["by_category"].items()))
    detail = f"{one['right']} of {one['calls']} calls ({calls})"
    yield Figure("central.missing.precision", share(one["right"], one["calls"]), "share", detail=detail)
    detail = f"{one['in_two']} of {one['true']} that left a watched shelf untold: called, or their place corrected"
    found, bound = share(one["in_two"], one["true"]), share(one["bound"], one["true"])
    ratio = found / bound if bound else None
    yield Figure("central.missing.in_two_sweeps", found, "share", "who knows each hit rate", bound, ratio, detail)


def _coverage(one):
    claimed = one["sighted_hours"] + one["balanced_hours"]
    detail = (
        f"{one['hours']:,.0f} location-hours with readers, up {share(one['up_hours'], one['hours']):.3f} of it; "
        f"sighted {share(one['sighted_hours'], one['hours']):.3f}; called so while down {one['blind_hours']:.1f} h"
    )
    yield Figure("central.coverage.claimed", share(claimed, one["hours"]), "share", detail=detail)


def _present(deciles):
    counted = [one for one in deciles if one["count"] >= LEAST]
    if counted:
        worst = max(counted, key=lambda one: abs(one["told"] - one["true"]))
        gap = 100 * abs(worst["told"] - worst["true"])
        detail = (
            f"worst of {len(counted)} deciles of {LEAST} or more: {worst['told']:.3f} told, {worst['true']:.3f} true"
        )
        yield Figure("central.present.calibration", gap, "points", detail=detail)


def _doors(portals):
    held = sum(one["told"][1] <= one["true"] <= one["told"][2] for one in portals)
    detail = f"{held} of {len(portals)} portals' intervals hold the true miss rate"
    yield Figure("central.doors.covered", share(held, len(portals)), "share", detail=detail)


_ROOMS = {
    "exits": _exits, "transfers": _transfers, "missing": _missing, "coverage": _coverage, "present": _present,
    "doors": _doors,
}  # fmt: skip
