"""From what was noted while an estate was played to figures; each stands beside the truth or a bound."""

import math
from collections import Counter

import numpy as np

from simulator.estate.outages import overlap_us
from simulator.estate.shelves import read_probability
from simulator.estate.values import DAY, HOUR, MINUTE, SECOND
from tests.accuracy.bounds import poisson_upper
from tests.accuracy.central.misread import misread_exits
from tests.accuracy.central.play import COUNT_US

SETTLED_US = MINUTE
"""A place has to be right this long after the news arrived, or after the move."""
CROSSED = {"in", "out"}
ALARM = "unauthorised_exit"
MISSING = {"missing", "wrong_location"}
"""An asset that is missing here and was heard elsewhere is told as at a wrong place."""
SWEEPS = 2
ARRIVES_US = 10 * SECOND
"""Rows of shelves come so soon after their span, or after the network is back."""
SURE = 99.0
"""Odds at which an asset is called missing."""
HEARD_AT_END = 0.9
"""What stays is heard in the last tenth of a span (`simulator.estate.shelves`)."""
LEG_STATES = {None: "approved", "open": "in_transit"}
SETTLING_US = 2 * DAY
"""A transfer counts in the daily figure until this long after its last change."""


def all_scores(record):
    """Every figure that the played tables allow, by room; a room whose tables aren't there is None."""
    tables = record.tables
    return {
        "set": content(record),
        "places": places(record),
        "hours": asset_hours(record),
        "missed": missed(record),
        "exits": exits(record) if "alerts" in tables else None,
        "transfers": transfer_states(record) if record.legs else None,
        "missing": missing(record) if "calls" in tables and "coverage" in tables else None,
        "coverage": coverage(record) if "coverage" in tables else None,
        "present": present(record) if record.present else None,
        "doors": doors(record) if "doors" in tables else None,
    }


def content(record):
    """What was played."""
    truth, estate = record.estate.truth, record.estate
    crossings = [one for one in truth.crossings if one.at_us < record.end_us]
    days = (record.end_us - truth.start_us) / DAY
    return {
        "name": estate.scenario.name, "hash": record.digest, "days": days, "assets": len(estate.assets),
        "moving": monthly_movers(record), "crossings": len(crossings), "rows": record.rows, "commits": record.commits,
        "portals": len(truth.world.portals), "passages": passages(record), "refused": len(record.refused),
        "scanned_first": record.scanned_first, "seconds": {name: round(s, 1) for name, s in record.seconds.items()},
    }  # fmt: skip


def monthly_movers(record):
    """How many assets move in every whole 30 days, or at all where there is none."""
    truth = record.estate.truth
    months = int((record.end_us - truth.start_us) // (30 * DAY))
    spans = [(truth.start_us + k * 30 * DAY, truth.start_us + (k + 1) * 30 * DAY) for k in range(months)]
    spans = spans or [(truth.start_us, record.end_us)]
    return sum(
        all(any(low < at < high for at, _ in stays[1:]) for low, high in spans) for stays in truth.stays.values()
    )


def passages(record):
    """How many passages reached the central."""
    truth = record.estate.truth
    return sum(
        one.arrived_us is not None and one.arrived_us <= record.end_us for one in (*truth.crossings, *truth.visits)
    )


def places(record):
    """Location right 60 s after a published crossing arrived, and of all moves 60 s after they were made.

    A move is left out that another of the same asset has overtaken by then: that one is asked for instead.
    """
    found = Counter()
    for one, after in moves(record):
        if one.published in CROSSED and one.arrived_us is not None:
            found["told"] += 1
            when = one.arrived_us + SETTLED_US
            if when <= min(after, record.end_us):
                found["asked"] += 1
                right = _right(record, one, when)
                found["right"] += right
                if not right and one.published != record.estate.truth.world.openings[one.opening].way(one.origin):
                    found["wrong_way"] += 1
        when = one.at_us + SETTLED_US
        if when <= min(after, record.end_us):
            found["all"] += 1
            found["all_right"] += _right(record, one, when)
            found["all_told"] += _told_by(record, one, when)
            found["all_readable"] += one.watched
    expected = sum(
        _read(record, one) for one, after in moves(record) if one.at_us + SETTLED_US <= min(after, record.end_us)
    )
    return {**found, "all_bound": expected}


def moves(record):
    """Each crossing with the instant of the asset's next one."""
    after = {}
    for one in reversed(record.estate.truth.crossings):
        following = after.get(one.asset, record.end_us + SETTLED_US + 1)
        after[one.asset] = one.at_us
        if one.at_us < record.end_us:
            yield one, following


def _read(record, one):
    return record.estate.truth.world.openings[one.opening].read if one.watched else 0.0


def _told_by(record, one, when):
    way = record.estate.truth.world.openings[one.opening].way(one.origin)
    return one.published == way and one.arrived_us is not None and one.arrived_us <= when


def _right(record, one, when):
    beliefs = record.beliefs
    start = beliefs.number(record.estate.assets[one.asset].start)
    return beliefs.at(one.asset, when, start)[0] == beliefs.number(one.destination)


def asset_hours(record):
    """Asset-hours at wrong places, of the central and its peers, and how many of them look certain."""
    found = Counter()
    for hour in record.hours:
        found["all"] += len(hour.ours)
        found["ours"] += int(hour.ours.sum())
        found["last"] += int(hour.last.sum())
        found["never"] += int(hour.never.sum())
        found["wrong_certain"] += int((hour.ours & ~hour.doubted).sum())
        found["certain"] += int((~hour.doubted).sum())
        found["right_doubted"] += int((~hour.ours & hour.doubted).sum())
    return dict(found)


def missed(record):
    """Hours from a crossing that no door told until the central's place is right again or in doubt."""
    waits, left, by_doubt = [], 0, 0
    rows = {hour.at_us: index for index, hour in enumerate(record.hours)}
    doubted = np.array([hour.doubted for hour in record.hours])
    for one, _ in moves(record):
        told = one.published in CROSSED and one.arrived_us is not None
        if told or _right(record, one, one.at_us):
            continue
        until, why = _healed(record, one, doubted, rows)
        by_doubt += why == "doubted"
        left += until is None
        waits.append(math.inf if until is None else (until - one.at_us) / HOUR)
    waits.sort()
    return {
        "count": len(waits), "open_at_end": left, "by_doubt": by_doubt,
        "median_h": _quantile(waits, 0.5), "p95_h": _quantile(waits, 0.95),
    }  # fmt: skip


def _healed(record, one, doubted, rows):
    """(instant, why) at which a missed crossing no longer deceives."""
    beliefs, truth = record.beliefs, record.estate.truth
    start = beliefs.number(record.estate.assets[one.asset].start)
    changes = [(at, place, certain) for at, place, certain in beliefs.changes.get(one.asset, ()) if at > one.at_us]
    stays = [at for at, _ in truth.stays[one.asset] if at > one.at_us]
    doubt = _first_doubt(record, one, doubted, rows)
    for at in sorted({at for at, _, _ in changes} | set(stays)):
        if at > record.end_us or (doubt is not None and doubt <= at):
            break
        place, certain = beliefs.at(one.asset, at, start)
        if place == beliefs.number(truth.place(one.asset, at)):
            return at, "right"
        if not certain:
            return at, "doubted"
    return (doubt, "doubted") if doubt is not None else (None, "")


def _first_doubt(record, one, doubted, rows):
    first = (one.at_us // HOUR + 1) * HOUR
    if first not in rows:
        return None
    column = doubted[rows[first] :, record.beliefs.index[one.asset]]
    hit = int(column.argmax())
    return record.hours[rows[first] + hit].at_us if column[hit] else None


def exits(record):
    """True exits against alerts."""
    truth = record.estate.truth
    accused = {row[0] for row in record.tables["alerts"] if row[5] == ALARM}
    bad = [one for one in truth.crossings if one.authorised is False and one.at_us < record.end_us - SETTLED_US]
    came = [one for one in bad if one.arrived_us is not None and one.arrived_us < record.end_us]
    told = [one for one in came if one.published == truth.world.openings[one.opening].way(one.origin)]
    guilty = {one.passage for one in bad if one.published is not None}
    members = {}
    for passage, _, alert, kind, *_ in record.tables["alerts"]:
        members.setdefault((alert, kind), set()).add(passage)
    alarms = [found for (_, kind), found in members.items() if kind == ALARM]
    false = sum(not found & guilty for found in alarms)
    return {
        "all": len(bad), "told": len(told), "told_alerted": sum(one.passage in accused for one in told),
        "all_alerted": sum(one.passage in accused for one in bad if one.passage),
        "bound": sum(_read(record, one) for one in bad),
        "alarms": len(alarms), "false": false, "false_upper": poisson_upper(false), "passages": passages(record),
        "misread": misread_exits(record),
        "kinds": dict(Counter(kind for _, kind in members)),
    }  # fmt: skip


def transfer_states(record):
    """States of approved transfers' assets, day by day while they are under way, and at the end."""
    days, end = Counter(), Counter()
    declared = [one for one in record.estate.truth.transfers if one.id in record.transfers]
    for at_us, legs in record.legs:
        last = at_us == record.legs[-1][0]
        for one in declared:
            for asset, states in one.states.items():
                if one.approved_us >= at_us:
                    continue
                found = legs.get((record.transfers[one.id], asset))
                right = LEG_STATES.get(found, found) == one.state(asset, at_us)
                if states[-1][0] + SETTLING_US > at_us or one.state(asset, at_us) in {
                    "in_transit",
                    "wrong_destination",
                }:
                    days["all"] += 1
                    days["right"] += right
                if last:
                    end["all"] += 1
                    end["right"] += right
                    end[f"{one.state(asset, at_us)} as {LEG_STATES.get(found, found)}"] += not right
    return {"days": dict(days), "end": {name: count for name, count in end.items() if count}}


def missing(record):
    """Calls of missing assets: how many are true, and how many sweeps they took."""
    truth, calls = (
        record.estate.truth,
        [row for row in record.tables["calls"] if row[0] in MISSING and row[1] and row[2]],
    )
    first, right = {}, Counter()
    for category, asset, place, at in calls:
        at_us = int(at.timestamp() * 1e6)
        first.setdefault((asset, place), []).append(at_us)
        right[category] += truth.place(asset, at_us) != place
    sweeps, found, late, bound = [], 0, 0, 0.0
    left = list(_left_untold(record))
    spans = _stays_watched(record) / (record.estate.scenario.zones.span_h * HOUR)
    for one, place, limit in left:
        called = [at for at in first.get((one.asset, place), ()) if at >= one.at_us]
        gone = _unbooked(record, one, place, limit)
        late += not gone and not (called and called[0] <= limit)
        found += gone or bool(called and called[0] <= limit)
        bound += 1.0 if gone else _callable(record, one, len(left) / spans)
        sweeps.append(called[0] if called else None)
    return {
        "calls": len(calls), "right": right.total(), "by_category": dict(Counter(row[0] for row in calls)),
        "right_by_category": dict(right),
        "true": found + late, "in_two": found, "never": sum(one is None for one in sweeps), "bound": bound,
    }  # fmt: skip


def _left_untold(record):
    """(crossing, shelf, instant of the second count after it) of each that left a watched shelf untold."""
    places = record.estate.truth.world.places
    for one, _ in moves(record):
        place = one.origin
        if one.published in CROSSED or not places[place].zone_reader:
            continue
        limit = nth_watch_end(record, place, one.at_us, SWEEPS)
        if limit is not None and _stays_away(record, one, limit) and _booked(record, one, place):
            yield one, place, limit


def _stays_watched(record):
    """Microseconds that assets spent on watched shelves."""
    truth = record.estate.truth
    spent = 0
    for stays in truth.stays.values():
        ends = [at for at, _ in stays[1:]] + [record.end_us]
        for (since, place), until in zip(stays, ends, strict=True):
            if truth.world.places[place].zone_reader:
                spent += max(0, min(until, record.end_us) - since)
    return spent


def _callable(record, one, leaves):
    """How likely it could be called by its second whole silence, if its tag's hit rate and all habits were known.

    `leaves` is the probability of leaving untold in a span. Heard before it left and not at the span's end, it is known
    to have left; else only its silences tell, of the span that it left in too.
    """
    scenario, truth = record.estate.scenario, record.estate.truth
    span = scenario.zones.span_h * HOUR
    share = (one.at_us - truth.start_us) % span / span
    missed = 1.0 - read_probability(scenario, one.asset, one.origin)
    heard = 1.0 - missed**share if share < HEARD_AT_END else 0.0
    silent = leaves / missed ** (SWEEPS + share) >= SURE
    return heard + (1.0 - heard) * silent


def nth_watch_end(record, place, after_us, count):
    """When the count-th whole span of a shelf after an instant has ended and been counted; None if none has."""
    truth, scenario = record.estate.truth, record.estate.scenario
    step, ended = scenario.zones.span_h * HOUR, 0
    at = truth.start_us + -(-(after_us - truth.start_us) // step) * step
    while at + step <= record.end_us - HOUR:
        up = step - overlap_us(truth.down.get(place, ()), at, at + step)
        ended += up == step
        at += step
        if ended == count:
            gateway = truth.world.home[place].gateways[0]
            held = [high for low, high in truth.offline[gateway] if low <= at <= high]
            arrived = max([at, *held]) + ARRIVES_US
            return truth.start_us - (truth.start_us + COUNT_US - arrived) // step * step + COUNT_US
    return None


def _stays_away(record, one, limit):
    stays = record.estate.truth.stays[one.asset]
    return all(place != one.origin for at, place in stays if one.at_us < at <= limit)


def _booked(record, one, place):
    beliefs = record.beliefs
    start = beliefs.number(record.estate.assets[one.asset].start)
    return beliefs.at(one.asset, one.at_us + SETTLED_US, start)[0] == beliefs.number(place)


def _unbooked(record, one, place, limit):
    """Whether the book moved the asset elsewhere in time."""
    number = record.beliefs.number(place)
    return any(found != number for at, found, _ in record.beliefs.changes.get(one.asset, ()) if one.at_us < at <= limit)


def coverage(record):
    """Location-hours with readers that are claimed as covered, and how much of what is claimed as sighted was."""
    truth, end = record.estate.truth, record.end_us
    zones = [place.id for place in truth.world.places.values() if place.zone_reader]
    claimed = Counter()
    blind = 0
    for place, low, high, kind in record.tables["coverage"]:
        if place in zones:
            low_us, high_us = max(_us(low), truth.start_us), min(_us(high), end)
            claimed[kind] += max(0, high_us - low_us)
            if kind == "sighted":
                blind += overlap_us(truth.down.get(place, ()), low_us, high_us)
    total = len(zones) * (end - truth.start_us)
    up = total - sum(overlap_us(truth.down.get(zone, ()), truth.start_us, end) for zone in zones)
    return {
        "hours": total / HOUR, "up_hours": up / HOUR, "sighted_hours": claimed["sighted"] / HOUR,
        "balanced_hours": claimed["balanced"] / HOUR, "blind_hours": blind / HOUR,
    }  # fmt: skip


def present(record):
    """How often assets of the book are where they are said to be, by decile of the probability told."""
    truth, sums = record.estate.truth, np.zeros((10, 3))
    for at_us, rows in record.present:
        for asset, place, probability, bucket in rows:
            if bucket == "unexpected":
                continue
            decile = min(int(probability * 10), 9)
            sums[decile] += (1, probability, truth.place(asset, at_us) == place)
    return [
        {"from": index / 10, "count": int(count), "told": told / count, "true": true / count}
        for index, (count, told, true) in enumerate(sums.tolist())
        if count
    ]


def doors(record):
    """Each portal's miss rate as the central measures it by itself, with its interval, beside the true one.

    True is the share of all crossings at it that the edge told none of, whatever the cause, dark times included.
    """
    found = {portal.id: Counter() for portal in record.estate.truth.world.portals}
    for one, _ in moves(record):
        if one.opening in found:
            found[one.opening]["all"] += 1
            found[one.opening]["missed"] += one.published not in CROSSED
    told = {row[0]: row[1:] for row in record.tables["doors"]}
    return [
        {
            "portal": portal,
            "crossings": counts["all"],
            "true": counts["missed"] / counts["all"],
            "told": told[portal][:3],
        }
        for portal, counts in found.items()
        if counts["all"] and portal in told
    ]


def _us(at):
    return int(at.timestamp() * 1e6)


def _quantile(ordered, share):
    """A quantile of sorted waits; None where it hasn't come by the end."""
    if not ordered:
        return 0.0
    value = ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return None if math.isinf(value) else value
