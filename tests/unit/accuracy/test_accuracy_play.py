"""Playing in process: deterministic, in the order of arrivals, asked as the agent asks."""

import numpy as np
import pytest

from simulator.scenarios.load import load
from simulator.world.values import Read
from simulator.world.values import columns as made
from tests.accuracy.agent import Asking
from tests.accuracy.commission import EACH_WAY, commissioned, commissioning, walked
from tests.accuracy.play import EPOCH_US, REPORT_US, batch_of, play, settings_of
from tests.accuracy.watch import watch


@pytest.fixture(scope="module")
def turning():
    return play(load("turning-back"), 5)


def columns(played):
    return [
        (
            reader,
            at_us,
            *(getattr(batch, name).tobytes() for name in ("epc", "antenna", "rssi_cdbm", "phase", "last_us")),
        )
        for reader, at_us, batch in played.chunks
        if len(batch)
    ]


def test_the_same_seed_gives_the_same_reads(turning):
    assert columns(play(load("turning-back"), 5)) == columns(turning)
    assert columns(play(load("turning-back"), 6)) != columns(turning)


def test_reads_arrive_within_a_report_after_they_were_made(turning):
    arrivals = [at_us for _, at_us, _ in turning.chunks]
    assert arrivals == sorted(arrivals)
    for _, at_us, batch in turning.chunks:
        if len(batch):
            assert at_us - REPORT_US <= batch.last_us.min() <= batch.last_us.max() < at_us


def test_a_silent_reader_still_says_each_second_that_it_lives(turning):
    arrivals = np.array([at_us for _, at_us, _ in turning.chunks])
    assert np.diff(arrivals).max() <= 1_000_000
    assert arrivals[-1] > EPOCH_US + 1e6 * (turning.seconds - 1.1)


def test_visits_are_counted_as_the_truth_counts_them(turning):
    assert [visit.kind for visit in turning.visits] == ["turned_back"] * 3
    assert sum(visit.reads for visit in turning.visits) == turning.reads
    assert all(visit.started_us > EPOCH_US for visit in turning.visits)


def test_many_residents_are_quieted_by_the_agents_own_plan():
    scenario = load("shelf-200")
    quieted, asked = play(scenario, 3), play(scenario, 3, quiet_above=0)
    assert quieted.plan_changes > 0
    assert asked.plan_changes == 0
    newcomer = next(visit for visit in quieted.visits if visit.kind == "turned_back")
    same = next(visit for visit in asked.visits if visit.epc == newcomer.epc)
    assert newcomer.reads > same.reads


def test_zebra_readers_report_no_phase():
    zebra = Asking(load("forklift-500").readers[0], 0)
    impinj = Asking(load("single-walk").readers[0], 0)
    assert not zebra.reports_phase
    assert impinj.reports_phase


def test_inputs_come_with_their_first_levels():
    played = play(load("door-propped"), 1)
    assert played.sensors
    first = {(one.reader, one.port) for one in played.sensors if one.at_us == EPOCH_US}
    assert first == {(one.reader, one.port) for one in played.sensors}


def test_a_beam_that_starts_the_reader_leaves_the_rest_unread():
    played = play(load("beam-triggered"), 1)
    broken = [one.at_us for one in played.sensors if one.high]
    reads = np.concatenate([batch.last_us for _, _, batch in played.chunks if len(batch)])
    after = reads - np.array(broken)[np.searchsorted(broken, reads) - 1]
    assert reads.min() > min(broken)
    assert after.max() < 7_000_000


def test_watched_rows_carry_the_arrival_that_brought_them(turning):
    rows = watch(turning)
    arrivals = {at_us for _, at_us, _ in turning.chunks}
    assert rows
    assert {one.arrived_us for one in rows} <= arrivals


def test_commissioning_walks_ten_times_each_way_with_tags_of_its_own():
    scenario = load("shelf-50")
    walks = commissioning(scenario, "stockroom-door")
    assert sum(walk.reverse for walk in walks.walks) == EACH_WAY
    assert len(walks.walks) == 2 * EACH_WAY
    assert min(tag for walk in walks.walks for tag in walk.tags) > scenario.tags.count
    assert walks.shelves == scenario.shelves


def test_commissioning_teaches_each_antenna_its_level():
    scenario = load("turning-back")
    antennas = commissioned(scenario).portals[0].antennas
    assert [one.doorway_cdbm for one in settings_of(scenario).portals[0].antennas] == [None] * 4
    assert all(one.doorway_cdbm is not None and -8000 < one.doorway_cdbm < -3000 for one in antennas)


def test_batches_keep_what_was_read():
    reads = made([Read(at_us=7, antenna=2, epc=bytes(range(12)), rssi_cdbm=-5550, phase=9, channel=3)])
    batch = batch_of(reads)
    assert (batch.epc[0, :12].tolist(), int(batch.epc_bits[0])) == (list(range(12)), 96)
    assert (int(batch.last_us[0]), int(batch.phase[0]), int(batch.rssi_cdbm[0])) == (EPOCH_US + 7, 9, -5550)
    assert int(batch_of(reads, phase=False).phase[0]) == -1


def test_a_door_whose_outside_hears_nothing_is_not_fit():
    scenario = load("turning-back")
    assert walked(scenario)[1]
    reader = scenario.readers[0]
    deaf = tuple(one.model_copy(update={"cable_loss_db": 19.0} if one.port > 2 else {}) for one in reader.antennas)
    assert not walked(scenario.model_copy(update={"readers": (reader.model_copy(update={"antennas": deaf}),)}))[1]
