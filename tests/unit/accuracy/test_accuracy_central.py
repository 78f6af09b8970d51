"""Scores of the central over an estate: each figure from a few moves whose answer is plain."""

import json
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from simulator.estate import build, load_estate
from simulator.estate.truth import TrueTransfer
from simulator.estate.values import HOUR, MINUTE
from tests.accuracy.central import page, scores
from tests.accuracy.central.belief import Beliefs
from tests.accuracy.central.figures import figures_of, not_built
from tests.accuracy.central.misread import misread_exits
from tests.accuracy.central.plant import instant
from tests.accuracy.central.play import Hour, Record


@pytest.fixture(scope="module")
def estate():
    return build(load_estate("small"))


def perfect(estate):
    """A record of a central that knows the truth as soon as an event arrives, and of moves that no door told too."""
    beliefs = Beliefs(estate)
    for asset, stays in estate.truth.stays.items():
        beliefs.changes[asset] = [(at, beliefs.number(place), True) for at, place in stays[1:]]
    record = Record(estate, beliefs, end_us=estate.truth.end_us)
    none = np.zeros(len(estate.assets), bool)
    for at in range(estate.truth.start_us + HOUR, record.end_us + 1, HOUR):
        record.hours.append(Hour(at, none, none, ~none, none))
    return record


def stubborn(estate):
    """A record of a central that never learns anything."""
    beliefs = Beliefs(estate)
    record = Record(estate, beliefs, end_us=estate.truth.end_us)
    for at in range(estate.truth.start_us + HOUR, record.end_us + 1, HOUR):
        beliefs.let_pass(at)
        wrong = beliefs.never != beliefs.true
        record.hours.append(Hour(at, wrong, wrong, wrong, np.zeros_like(wrong)))
    return record


def test_who_knows_all_is_right_always(estate):
    """No wrong hour, every move right, nothing that a missed crossing hides."""
    found = scores.all_scores(perfect(estate))
    assert found["places"]["right"] == found["places"]["asked"] > 300
    assert found["places"]["all_right"] == found["places"]["all"]
    assert found["hours"]["ours"] == 0
    assert found["missed"]["count"] == 0
    figures = {one.name: one for one in figures_of(found)}
    assert figures["central.location.right"].value == 1.0
    assert figures["central.location.wrong_hours"].ratio is None


def test_who_never_learns_is_wrong_about_all_that_moved(estate):
    """Its hours are those of the peer that never updates, and none of them is in doubt."""
    found = scores.all_scores(stubborn(estate))
    hours = found["hours"]
    assert hours["ours"] == hours["never"] == hours["wrong_certain"] > 0
    assert found["places"]["right"] < 0.5 * found["places"]["asked"]
    assert found["missed"]["count"] > 50
    assert found["missed"]["by_doubt"] == 0


def test_a_doubt_ends_the_time_that_a_missed_crossing_deceives(estate):
    """From the crossing to the hour of the first doubt."""
    record = stubborn(estate)
    sure = scores.missed(record)
    for hour in record.hours:
        hour.doubted[:] = True
    found = scores.missed(record)
    assert found["by_doubt"] > 0.7 * found["count"]
    assert found["median_h"] <= 1.0
    assert sure["open_at_end"] > found["open_at_end"]


def test_exits_are_asked_by_passage_and_an_alert_without_a_true_one_is_false(estate):
    """One alert for a true exit, one for an innocent passage."""
    record, truth = perfect(estate), estate.truth
    bad = next(one for one in truth.crossings if one.authorised is False and one.published == "out")
    innocent = next(one for one in truth.crossings if one.authorised and one.passage)
    at = instant(bad.at_us)
    record.tables["alerts"] = [
        (one.passage, one.asset, number, "unauthorised_exit", at, "unauthorised_exit", False)
        for number, one in enumerate((bad, innocent))
    ]
    found = scores.exits(record)
    assert (found["told_alerted"], found["alarms"], found["false"]) == (1, 2, 1)
    assert found["told"] > 1
    assert found["false_upper"] == pytest.approx(4.744, abs=0.001)


def test_a_door_that_tells_a_way_in_as_one_out_sets_a_bound_to_false_alerts(estate):
    """One misread entry without leave is one incident, one of two in a manifest too; with leave it is none."""
    record, truth = perfect(estate), estate.truth
    before = misread_exits(record)
    openings, standing = truth.world.openings, {row["asset"] for row in estate.sheets["authorisations"]}
    entries = [
        one for one in truth.crossings
        if one.errand == "transfer" and one.published == "in" and one.opening.endswith("dock-gate")
        and openings[one.opening].way(one.origin) == "in" and one.asset not in standing
    ]  # fmt: skip
    first, second = next((one, other) for one, other in pairwise(entries) if one.group == other.group)
    carried = next(
        one for one in truth.crossings
        if one.asset in standing and one.published == "in" and one.opening.endswith("entrance")
    )  # fmt: skip
    try:
        carried.published = "out"
        assert misread_exits(record) == before
        first.published = "out"
        assert misread_exits(record) == before + 1
        second.published = "out"
        assert misread_exits(record) == before + 1
        arrived, first.arrived_us, second.arrived_us = (first.arrived_us, second.arrived_us), None, None
        assert misread_exits(record) == before
        first.arrived_us, second.arrived_us = arrived
    finally:
        carried.published = first.published = second.published = "in"


def test_a_transfers_state_is_right_day_by_day(estate):
    """What is said to be open while it is under way is right; what stays open after its receipt isn't."""
    record, asset = perfect(estate), next(iter(estate.assets))
    start = estate.truth.start_us
    transfer = TrueTransfer("T", start, "a", "b", "x", "y", declared=True, states={asset: [(start, "approved")]})
    transfer.add(asset, start + 5 * HOUR, "in_transit")
    transfer.add(asset, start + 30 * HOUR, "received")
    kept, estate.truth.transfers = estate.truth.transfers, [transfer]
    try:
        record.transfers = {"T": "TR-1"}
        record.legs = [(start + hours * HOUR, {("TR-1", asset): "open"}) for hours in (24, 48)]
        found = scores.transfer_states(record)
    finally:
        estate.truth.transfers = kept
    assert found["days"] == {"all": 2, "right": 1}
    assert found["end"] == {"all": 1, "received as in_transit": 1}


def test_calls_of_missing_assets_are_true_where_the_asset_is_elsewhere(estate):
    """One call for an asset that has gone, one for an asset that is there."""
    record, truth = perfect(estate), estate.truth
    gone = next(one for one in truth.crossings if truth.world.places[one.origin].zone_reader)
    still = next(asset for asset, stays in truth.stays.items() if len(stays) == 1)
    at = instant(gone.at_us) + timedelta(minutes=1)
    record.tables |= {
        "coverage": [],
        "calls": [("missing", gone.asset, gone.origin, at), ("missing", still, estate.assets[still].start, at)],
    }
    found = scores.missing(record)
    assert (found["calls"], found["right"]) == (2, 1)


def test_coverage_counts_location_hours_with_readers_only(estate):
    """A day of one shelf that is sighted, and of a floor that has none."""
    record, truth = perfect(estate), estate.truth
    zone = next(one.id for one in truth.world.places.values() if one.zone_reader)
    begin = instant(truth.start_us)
    day = begin + timedelta(days=1)
    record.tables["coverage"] = [(zone, begin, day, "sighted"), (truth.world.buildings[0].floor, begin, day, "sighted")]
    found = scores.coverage(record)
    assert found["sighted_hours"] == 24
    assert found["hours"] == 24 * 7 * sum(one.zone_reader for one in truth.world.places.values())


def test_presence_is_set_beside_the_truth_by_decile(estate):
    """Half of those of whom 0.95 is told are there."""
    record, truth = perfect(estate), estate.truth
    asset = next(iter(truth.stays))
    at = truth.start_us + MINUTE
    place, other = truth.place(asset, at), truth.world.buildings[0].dock
    record.present = [(at, [(asset, place, 0.95, "found"), (asset, other, 0.95, "found")])]
    assert scores.present(record) == [{"from": 0.9, "count": 2, "told": 0.95, "true": 0.5}]


def test_rooms_without_tables_are_named_and_never_scored(estate):
    """No alert, no count: no figure of them, and the page says so."""
    found = scores.all_scores(perfect(estate))
    assert len(not_built(found)) == 6
    assert not [one.name for one in figures_of(found) if one.name.startswith(("central.exits", "central.missing"))]


def test_the_page_is_made_of_kept_scores(estate, tmp_path, monkeypatch):
    """With scores it has every figure; without, it says how to measure."""
    monkeypatch.setattr(page, "RESULTS", tmp_path / "results.json")
    assert "Not measured yet" in page.central_page()
    page.keep(scores.all_scores(perfect(estate)))
    assert json.loads((tmp_path / "results.json").read_text())["set"]["assets"] == 1000
    assert "| `central.location.right` | ≥ 0.995 | 1 |" in page.central_page()
    assert "| exits and alerts | | not built | | |" in page.central_page()
