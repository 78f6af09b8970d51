"""The same seed, world and commands give the same reads, however time is cut and whatever else a scene holds."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.world.air import meet
from simulator.world.command import DENSE_M4, FAST_FM0, AirCommand
from simulator.world.scene import Holds, Surroundings, Walls
from tests.helpers import air

S = 1_000_000
WALKS = [
    (1 * S, (1.5, -1.5, 1.2), 4 * S, (1.5, 1.5, 1.2)),
    (2 * S, (-1.0, 0.3, 1.0), 5 * S, (3.0, 0.3, 1.0)),
]
COMMANDS = (
    AirCommand(),
    AirCommand(mode=2, session=1, search_mode=1),
    AirCommand(mode=0, session=2, search_mode=2, timing=FAST_FM0),
    AirCommand(mode=2, session=1, search_mode=3, population=100),
)


def busy(seed=1, command=COMMANDS[0], tags=12):
    """Tags on a shelf, two walkers, two antennas."""
    there = air.scene(air.shelf(tags), WALKS, k_db=8.0)
    reader = air.reader(there, air.antennas(2, apart_m=0.8, waves=6), seed=seed)
    return reader, air.asked((1, 2), command=command)


def as_bytes(parts):
    """All columns of some Reads, one after the other."""
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in parts[0].__slots__]
    return b"".join(column.tobytes() for column in columns)


def whole(**made):
    reader, asked = busy(**made)
    return reader.advance(6 * S, asked)


def fingerprint():
    """A hash of a short, busy stretch under every command."""
    parts = [whole(command=command, tags=4).at(slice(0, 150)) for command in COMMANDS]
    return hashlib.sha256(as_bytes(parts)).hexdigest()


@given(
    cuts=st.lists(st.integers(1, 6 * S - 1), max_size=12, unique=True).map(sorted),
    command=st.sampled_from(COMMANDS),
    seed=st.integers(0, 2**64),
)
@settings(max_examples=60, deadline=None)
def test_reads_do_not_depend_on_how_time_is_cut(cuts, command, seed):
    reader, asked = busy(seed, command)
    parts, before_us = [], -1
    for until_us in [*cuts, 6 * S]:
        part = reader.advance(until_us, asked)
        assert not len(part) or before_us < part.at_us[0] <= part.at_us[-1] <= until_us
        before_us = until_us
        parts.append(part)
    assert as_bytes(parts) == as_bytes([whole(seed=seed, command=command)])


@pytest.mark.parametrize("command", COMMANDS)
def test_live_steps_give_what_a_recording_gives(command):
    reader, asked = busy(command=command)
    parts = [reader.advance(until_us, asked) for until_us in range(0, 6 * S + 1, 20_000)]
    assert as_bytes(parts) == as_bytes([whole(command=command)])


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    assert as_bytes([whole(seed=3)]) == as_bytes([whole(seed=3)])
    assert as_bytes([whole(seed=3)]) != as_bytes([whole(seed=4)])


def test_reads_come_in_order_with_what_the_tag_table_says():
    found = whole()
    assert len(found) > 200
    assert (np.diff(found.at_us) >= 0).all()
    assert (found.last_us == found.at_us).all()
    assert (found.seen == 1).all()
    assert found.epc_of(0) == int(found.tag[0]).to_bytes(12, "big")
    assert found.channel.min() >= 1
    assert found.channel.max() <= 50
    assert ((found.phase >= 0) & (found.phase < 4096)).all()
    assert (found.rssi_cdbm % 50 == 0).all()


def test_what_is_not_there_changes_nothing():
    """Holds that begin later, or have ended, stand between the others; the tags' numbers stay."""
    places = air.shelf(12)
    there = air.scene([*places, ONE_MORE, ONE_MORE])
    few = there._replace(holds=Holds(*(column[:12] for column in there.holds)))
    more = there._replace(
        holds=Holds(*(column[[12, *range(6), 13, *range(6, 12)]] for column in there.holds))._replace(
            begin_us=np.array([50 * S] + [0] * 13), end_us=np.array([90 * S] + [99 * S] * 6 + [0] + [99 * S] * 6)
        )
    )
    asked = air.asked()
    assert as_bytes([air.reader(few).advance(8 * S, asked)]) == as_bytes([air.reader(more).advance(8 * S, asked)])


ONE_MORE = [1.0, 0.0, 1.5]


def test_scenes_are_asked_for_as_time_goes_on_and_may_differ():
    """Each scene holds for two seconds only; the reads are those of one scene for all."""
    asked_for = []
    there = air.scene(air.shelf(12), WALKS)
    reader = air.reader(there)

    def scene_of(begin_us, end_us):
        asked_for.append((begin_us, end_us))
        return there._replace(begin_us=begin_us, end_us=end_us)

    reader._scene_of = scene_of
    parts = [reader.advance(until_us, air.asked()) for until_us in range(0, 6 * S + 1, 50_000)]
    assert as_bytes(parts) == as_bytes([air.reader(there).advance(6 * S, air.asked())])
    assert 3 <= len(asked_for) <= 8
    assert all(begin < end for begin, end in asked_for)


def test_a_tag_that_is_laid_down_is_heard_from_then_on_and_one_taken_away_no_more():
    there = air.scene(air.shelf(2))
    there = there._replace(
        holds=there.holds._replace(begin_us=np.array([0, 3 * S]), end_us=np.array([2 * S, air.FOREVER_US]))
    )
    found = air.reader(there).advance(6 * S, air.asked())
    assert found.at_us[found.tag == 0].max() < 2 * S + 20_000
    assert 3 * S <= found.at_us[found.tag == 1].min() < 3 * S + 300_000


def test_while_nothing_inventories_time_passes_and_reads_are_gone():
    reader, asked = busy()
    assert len(reader.advance(1 * S, asked)) > 0
    assert len(reader.advance(4 * S, None)) == 0
    found = reader.advance(5 * S, asked)
    assert found.at_us.min() >= 4 * S
    assert len(reader.advance(6 * S, air.asked(()))) == 0
    assert len(reader.advance(7 * S, air.asked((9,)))) == 0


def test_what_the_client_changes_counts_from_the_next_round_on():
    reader, _ = busy()
    found = reader.advance(1 * S, air.asked((1,)))
    assert set(found.antenna.tolist()) == {1}
    later = reader.advance(3 * S, air.asked((2,)))
    assert set(later.antenna[later.at_us > S + 300_000].tolist()) == {2}
    assert len(reader.advance(5 * S, air.asked((2,), power_dbm=-20.0))) < 10


def test_a_long_slice_makes_room_for_its_reads():
    reader = air.reader(air.scene(air.shelf(60)))
    found = reader.advance(60 * S, air.asked(command=AirCommand(mode=0, timing=FAST_FM0)))
    assert len(found) > 60_000
    assert reader.counts.singles == pytest.approx(len(found), abs=60)


def facing(timing, *, other_runs, walls=None):
    """Reads of twenty seconds before another reader 8 m away that looks into ours, on four channels."""
    there = air.scene(air.shelf(5), loss_db=6.0)
    mine = air.reader(there, hopping=False, habits=air.NO_PAUSES)
    opposite = air.antennas(at=(8.0, 0.0, 1.5))
    opposite = opposite._replace(boresight=-opposite.boresight)
    other = air.reader(there, opposite, seed=2, hopping=False, habits=air.NO_PAUSES)
    meet([mine, other], Surroundings(2.0, 8.0, 0.0), walls)
    asked = air.asked(command=AirCommand(mode=2, timing=timing))
    count = 0
    for until_us in range(S, 21 * S, S):
        other.advance(until_us, asked if other_runs else None)
        count += len(mine.advance(until_us, asked))
    return count


def test_a_neighbour_on_the_same_channel_disturbs_and_a_dense_mode_suffers_less():
    lost = [1 - facing(t, other_runs=True) / facing(t, other_runs=False) for t in (FAST_FM0, DENSE_M4)]
    assert lost[0] > 0.2
    assert lost[1] < lost[0] / 2


def test_a_wall_keeps_neighbours_apart():
    wall = Walls(np.array([[6.0, -9.0, 6.0, 9.0]]), np.zeros(1), np.full(1, 3.0), np.full(1, 60.0))
    assert facing(FAST_FM0, other_runs=True, walls=wall) == facing(FAST_FM0, other_runs=False)


def test_compiled_and_plain_say_the_same_bytes():
    """The same with NUMBA_DISABLE_JIT=1."""
    run = subprocess.run(
        [sys.executable, "-c", "from tests.unit.simulator.test_air_reader import fingerprint; print(fingerprint())"],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    assert run.stdout.strip() == fingerprint()
