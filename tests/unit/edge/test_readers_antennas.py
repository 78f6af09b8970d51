"""Antennas judged by what they hear, by their reference tags, and by what the reader says."""

import random

import numpy as np
import pytest

from edge.llrp.batch import NO_TIME_US
from edge.llrp.reports import empty_batch
from edge.readers.antennas import Antennas
from edge.readers.hearing import Heard, Hearing
from edge.readers.model import ClockState, ReferenceSettings
from edge.readers.references import LEARN_S, Baseline, Baselines

S = 1_000_000
START_US = 1_800_000_000 * S
TAG = "e28011700000020f"
OTHER = "30" + "11" * 11
BASELINE = Baseline(reader="r1", port=1, epc=TAG, rate=4.0, rssi_cdbm=-5500, learnt_us=START_US)


def heard(*reads):
    """Columns of (epc hex, port, RSSI, reads, time)."""
    raw = [bytes.fromhex(epc) for epc, *_ in reads]
    return Heard(
        epc=np.array([list(epc.ljust(62, b"\0")) for epc in raw], np.uint8).reshape(len(reads), 62),
        epc_bits=np.array([8 * len(epc) for epc in raw], np.uint16),
        antenna=np.array([port for _, port, *_ in reads], np.uint16),
        rssi_cdbm=np.array([rssi for _, _, rssi, *_ in reads], np.int16),
        count=np.array([count for *_, count, _ in reads], np.uint16),
        at_us=np.array([at for *_, at in reads], np.int64),
    )


class Door:
    """One reader's antennas, second by second."""

    def __init__(self, *, references=(), baselines=None, ports=(1, 2)) -> None:
        self.baselines = Baselines() if baselines is None else baselines
        self.now_us = START_US
        tags = tuple(ReferenceSettings(port=port, epc=epc) for port, epc in references)
        self.antennas = Antennas("r1", ports, tags, self.baselines, now_us=START_US)
        self.antennas.connected(START_US)
        self.changes = []

    def seconds(self, count, *, epc=TAG, port=1, rssi=-5500, reads=4):
        """Let time pass, with so many reads a second in its middle; None reads nothing."""
        for _ in range(count):
            at_us = self.now_us + S // 2
            self.now_us += S
            what = heard((epc, port, rssi, reads, at_us)) if reads else None
            self.changes += self.antennas.second(what, self.now_us)
        return self.report(port)

    def report(self, port=1):
        return next(report for report in self.antennas.reports() if report.port == port)


def known(*, tmp=None):
    baselines = Baselines(tmp)
    baselines.learn(BASELINE)
    return baselines


def test_a_lost_reference_tag_is_a_fault_from_its_last_read_on():
    door = Door(references=[(1, TAG)], baselines=known())
    assert door.seconds(20).state == "ok"
    last_us = door.now_us - S // 2
    assert door.seconds(4, reads=0).state == "ok"
    report = door.seconds(2, reads=0)
    assert (report.state, report.since_us) == ("fault", last_us)
    assert f"reference tag {TAG} is lost" in report.reason


def test_a_fault_ends_when_the_tag_is_heard_again():
    door = Door(references=[(1, TAG)], baselines=known())
    door.seconds(20)
    door.seconds(30, reads=0)
    assert door.seconds(1).state == "ok"
    states = [(change.before, change.report.state) for change in door.changes if change.port == 1]
    assert states == [("unknown", "ok"), ("ok", "fault"), ("fault", "ok")], "each change once"


def test_a_reference_tag_6_db_weaker_is_a_fault_until_it_is_well_above():
    door = Door(references=[(1, TAG)], baselines=known())
    door.seconds(15, rssi=-5900)
    assert door.report().state == "ok"
    assert door.report().rssi_drift_cdb == -400
    assert door.seconds(15, rssi=-6150).state == "fault"
    assert "6.5 dB weaker than when commissioned" in door.report().reason
    assert door.seconds(15, rssi=-6000).state == "fault", "5 dB is not yet well"
    assert door.seconds(15, rssi=-5700).state == "ok"


def test_a_slow_reference_tag_is_given_time_by_its_own_rate():
    """At one read in 2 s, 5 s of silence come by chance every few minutes."""
    baselines = Baselines()
    baselines.learn(Baseline(reader="r1", port=1, epc=TAG, rate=0.5, rssi_cdbm=-5500, learnt_us=0))
    door = Door(references=[(1, TAG)], baselines=baselines)
    door.seconds(5)
    assert door.seconds(14, reads=0).state == "ok"
    assert door.seconds(3, reads=0).state == "fault"


def test_a_reference_tag_that_was_never_heard_is_told():
    door = Door(references=[(1, TAG)])
    assert door.seconds(4, epc=OTHER).state == "unknown"
    report = door.seconds(2, epc=OTHER)
    assert (report.state, report.since_us) == ("fault", START_US)
    assert "was never heard: hang it in range or correct it" in report.reason


def test_another_antennas_hearing_of_the_tag_counts_for_nothing():
    door = Door(references=[(1, TAG)], baselines=known())
    door.seconds(10)
    door.seconds(10, port=2)
    assert door.report(1).state == "fault"


def test_a_baseline_is_learnt_in_a_minute_and_kept(tmp_path):
    path = tmp_path / "references.json"
    door = Door(references=[(1, TAG)], baselines=Baselines(path))
    assert "being learnt" in door.seconds(30).reason
    rng = random.Random(5)
    for _ in range(LEARN_S - 30):
        door.seconds(1, rssi=-5500 + rng.randrange(-150, 150))
    learnt = Baselines(path).get("r1", 1, TAG)
    assert learnt is not None
    assert (learnt.rate, abs(learnt.rssi_cdbm + 5500) < 60) == (4.0, True)
    assert Baselines(path).get("r1", 1, OTHER) is None, "another tag is commissioned anew"


def test_a_tag_heard_too_seldom_is_no_baseline():
    door = Door(references=[(1, TAG)])
    for _ in range(100):
        door.seconds(1)
        door.seconds(1, reads=0)
    assert door.baselines.get("r1", 1, TAG) is None


@pytest.mark.parametrize("broken", [b'[{"reader": 5}]', b'[{"reader": "r\xff"}]', b""])
def test_a_broken_baseline_file_is_told_and_learnt_anew(tmp_path, broken):
    path = tmp_path / "references.json"
    path.write_bytes(broken)
    baselines = Baselines(path)
    assert "learnt anew" in baselines.problem
    assert baselines.get("r1", 1, TAG) is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    baselines = Baselines(tmp_path / "gone" / "references.json")
    baselines.learn(BASELINE)
    assert "can't be kept" in baselines.problem
    assert baselines.get("r1", 1, TAG) == BASELINE


def test_fewer_reads_than_commissioned_are_told_and_are_no_fault():
    door = Door(references=[(1, TAG)], baselines=known())
    report = door.seconds(90, reads=2)
    assert (report.state, report.rate_share) == ("ok", 0.5)
    assert "50 % less often than when it was commissioned" in report.reason


def test_an_unplugged_antenna_is_a_fault_from_the_readers_last_word_before():
    door = Door()
    door.seconds(3)
    proof_us = door.now_us - 200_000
    door.antennas.plugged(1, on=False, proof_us=proof_us)
    report = door.seconds(1, reads=0)
    assert (report.state, report.since_us) == ("fault", proof_us)
    door.antennas.plugged(1, on=True, proof_us=door.now_us)
    assert door.seconds(1, reads=0).state == "ok"


def test_reads_contradict_an_unreliable_antenna_event():
    door = Door()
    door.antennas.plugged(1, on=False, proof_us=door.now_us)
    door.seconds(1, reads=0)
    assert door.seconds(3).state == "ok"


def test_an_antenna_that_heard_tags_all_the_time_is_silent_when_all_are_gone():
    door = Door()
    door.seconds(40)
    last_us = door.now_us - S // 2
    report = door.seconds(6, reads=0)
    assert (report.state, report.since_us) == ("silent", last_us)
    assert door.seconds(600, reads=0).state == "silent", "and stays so"
    assert door.seconds(1).state == "ok"


@pytest.mark.parametrize("visit_s", [3, 12])
def test_a_visit_that_ends_makes_no_antenna_silent(visit_s):
    door = Door()
    for _ in range(3):
        door.seconds(visit_s)
        assert door.seconds(30, reads=0).state == "ok"


def test_an_antenna_without_a_word_for_or_against_it_is_unknown():
    door = Door()
    assert door.seconds(60, reads=0).state == "unknown"
    assert "no reference tag" in door.report().reason


def test_a_lost_reader_leaves_nothing_known_since_its_last_word():
    door = Door(references=[(1, TAG)], baselines=known())
    door.seconds(10)
    heard_us = door.now_us - 300_000
    changes = door.antennas.lost(heard_us)
    assert {change.report.state for change in changes} == {"unknown"}
    assert door.report().since_us == heard_us
    door.now_us += 60 * S
    door.antennas.connected(door.now_us)
    assert door.seconds(1, reads=0).state == "unknown", "a new session judges by itself"
    assert door.seconds(1).state == "ok"


def test_silence_is_not_judged_while_residents_are_kept_quiet():
    door = Door()
    door.seconds(40)
    door.antennas.replanned(full=False, now_us=door.now_us)
    assert door.seconds(30, reads=0).state == "ok"


def test_a_reference_tag_is_judged_in_every_plan():
    door = Door(references=[(1, TAG)], baselines=known())
    door.seconds(10)
    door.antennas.replanned(full=False, now_us=door.now_us)
    assert door.seconds(10, reads=1).state == "ok"
    assert door.report().rate_share is None, "its rate says nothing when it is asked less often"
    assert door.seconds(6, reads=0).state == "fault"


def batch_of(ports, last_us):
    """A batch with a report a port."""
    made = empty_batch(len(ports))
    made.antenna[:], made.last_us[:], made.last_uptime_us[:] = ports, last_us, 7
    made.epc_bits[:], made.epc[:], made.rssi_cdbm[:], made.seen_count[:] = 96, 0, -5000, 1
    return made


def test_hearing_keeps_the_order_and_tells_what_it_skipped(monkeypatch):
    monkeypatch.setattr("edge.readers.hearing.MAX_HELD_REPORTS", 5)
    hearing = Hearing()
    assert hearing.take() is None
    for number in range(4):
        hearing.add(batch_of([number + 1] * 2, number), number, ClockState("host", 0, 0, stepped=False))
    taken = hearing.take()
    assert taken.antenna.tolist() == [3, 3, 4, 4]
    assert hearing.skipped == 4
    assert hearing.take() is None


def test_a_queued_report_proves_life_when_it_was_read():
    hearing = Hearing()
    hearing.add(batch_of([1, 1], [100, NO_TIME_US]), 5000, ClockState("reader", 1000, 0, stepped=False))
    hearing.add(batch_of([2], 9_999), 6000, ClockState("reader", 1000, 0, stepped=False))
    hearing.add(batch_of([3], 100), 7000, ClockState("uptime", 50, 0, stepped=False))
    hearing.add(batch_of([4], 100), 8000, ClockState("host", 0, 0, stepped=False))
    assert hearing.take().at_us.tolist() == [1100, 5000, 6000, 57, 8000]
