"""Scoring on cases made by hand: what is counted, against what, and what the page says of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from edge.llrp.reports import empty_batch
from edge.windows import AntennaSettings, PortalSettings, WindowsSettings
from simulator.scoring.units import NEVER, Unit
from simulator.scoring.visits import Visit
from simulator.world.values import Read, columns
from tests.accuracy import frozen
from tests.accuracy.figures import content, figures, of_delays, peers, per_1000, report
from tests.accuracy.heard import reads_by_tag
from tests.accuracy.page import NAIVE, RESULTS, accuracy_page, lines_of, preface
from tests.accuracy.peers import PEERS
from tests.accuracy.play import EPOCH_US, Played, batch_of
from tests.accuracy.tally import Delay, DoorResult, peers_of

TRAITS = {
    "fit": "yes",
    "layout": "two-sided",
    "channels": "hopping",
    "commissioned": "yes",
    "residents": "0",
    "model": "m",
}
DOOR = DoorResult(
    seed=1,
    traits=TRAITS,
    seconds=60.0,
    reads=100,
    tags=(
        Unit("in", "in", 20),
        Unit("out", "in", 30),
        Unit("out", NEVER, 8),
        Unit("near", "near", 3),
        Unit(None, "out"),
    ),
    groups=(Unit("in", "in", 20), Unit("out", "in", 38)),
    peers=dict.fromkeys(
        PEERS, (Unit("in", "out", 20), Unit("out", "out", 30), Unit("out", "turned_back", 8), Unit("near", "in", 3))
    ),
    delays=(Delay(20, 250_000), Delay(30, None), Delay(8, None)),
    thin=2,
    grouped=2,
    provisionals=4,
    contradicted=1,
    resident_hours=2.0,
)


def played(*reads):
    """What one reader's port 1 (inside) and 2 (outside) read: (microseconds, port, last byte of the EPC)."""
    antennas = (AntennaSettings("r1", 1, "inside"), AntennaSettings("r1", 2, "outside"))
    settings = WindowsSettings(gateway="gw", portals=(PortalSettings("door", "two-sided", antennas),))
    batch = batch_of(columns([Read(at, port, bytes(11) + bytes([tag]), -5000, 1, 1) for at, port, tag in reads]))
    return Played(settings, [("r1", EPOCH_US + 100, batch), ("r1", EPOCH_US + 200, empty_batch(0))], [], [], [], 1.0)


def visit(tag, kind, begin_us, end_us):
    return Visit((bytes(11) + bytes([tag])).hex(), "door", kind, EPOCH_US + begin_us, EPOCH_US + end_us, reads=2)


def test_reads_are_told_apart_by_tag_and_side():
    found = reads_by_tag(played((1, 1, 7), (2, 2, 7), (3, 2, 9)))
    mine = found["door", (bytes(11) + b"\7").hex()]
    assert (np.diff(mine.t_us).tolist(), mine.side.tolist(), mine.antenna.tolist()) == ([1], [0, 1], [0, 1])
    assert mine.levels_dbm().tolist() == [-50.0, -50.0]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("reads", "called"),
    [
        ([(1, 1, 7), (9, 2, 7)], "out"),
        ([(1, 2, 7), (9, 1, 7)], "in"),
        ([(1, 1, 7), (5, 2, 7), (9, 1, 7)], "turned_back"),
        ([(1, 1, 9)], NEVER),
    ],
)
def test_first_and_last_antenna_is_the_rule_that_it_claims_to_be(reads, called):
    assert [unit.called for unit in peers_of(played(*reads), [visit(7, "out", 0, 10)])[NAIVE]] == [called]


def test_reads_outside_of_a_visit_are_not_its_own():
    far = 20_000_000
    visits = [visit(7, "near", 0, 10), visit(7, "near", far, far + 1)]
    found = peers_of(played((1, 1, 7), (far, 2, 7)), visits)
    for name in ("first/last antenna", "RSSI-weighted centroid", "SMURF"):
        assert [unit.called for unit in found[name]] == ["turned_back", "turned_back"], name


def test_a_row_of_figures_counts_what_stands_in_the_units():
    row = figures([DOOR, DOOR])
    assert (row["visits"], row["crossings"], row["direction_errors"], row["missed"]) == (8, 6, 2, 2)
    assert row["of_nothing"] == 2
    assert row["bands"]["15-"]["direction_errors"] == 2
    assert (row["bands"]["5-14"]["missed"], row["bands"]["5-14"]["crossings"]) == (2, 2)
    assert row["through"]["wrong_way"] == 2
    assert row["groups"]["direction_errors"] == 2
    assert peers([DOOR])[NAIVE]["direction_errors"] == 1


def test_delays_have_quantiles_of_those_that_are_known_and_a_share_of_the_others():
    found = of_delays([Delay(20, 100_000), Delay(20, -50_000), Delay(20, 400_000), Delay(20, None)])
    assert (found["of"], found["without"], found["crossings"]) == (4, 0.25, 3)
    assert found["p50_s"] == pytest.approx(0.1)
    assert found["before"] == pytest.approx(1 / 3)


def test_shares_are_of_visits_that_were_read():
    unread = replace(DOOR, tags=(*DOOR.tags, Unit("in", NEVER, 0)))
    made = content([unread])
    assert (made["episodes"], made["thin"], made["in_groups"]) == (4, 0.5, 0.5)
    assert made["shares"]["out"] == 0.5


def test_a_layout_without_direction_is_in_its_own_row_only():
    single = replace(
        DOOR,
        traits=TRAITS | {"layout": "single"},
        tags=(Unit("near", "near", 9),),
        groups=(),
        peers=dict.fromkeys(PEERS, ()),
    )
    found = report([DOOR, single])
    assert found["all"]["visits"] == 4
    assert found["by"]["layout"]["single"]["visits"] == 1
    assert "single" not in json.dumps(found["by"]["channels"])


def test_the_tables_say_what_was_counted():
    text = "\n".join(lines_of(report([DOOR])))
    assert "| wrong direction of 1,000 read crossings, by tag | ≤ 2 | 333.3 (95 %: below 1581.3) | 333.3 |" in text
    assert "| ours | 33.33 % | 33.33 % | 0.00 % | 0.00 % | 33.33 % | 0.00 % |" in text
    assert "| provisionals contradicted by their finals | ≤ 1 % | 25.00 % | |" in text


def test_shares_of_the_set_stand_under_their_own_names():
    """More pass by than turn back here: the row names `near` first."""
    near = replace(DOOR, tags=(*DOOR.tags, Unit("turned_back", "near", 9), Unit("near", "near", 9)))
    text = "\n".join(lines_of(report([near])))
    assert "| near, turned back, parked | ≥ 15 %, ≥ 15 %, no aim | 33.3 %, 16.7 %, 0.0 % | |" in text


def test_visits_that_are_no_episodes_are_explained():
    """Called, though the truth counted no read in its time."""
    outside = replace(DOOR, tags=(*DOOR.tags, Unit("in", "in", 0)))
    assert "Visits in the tables that are no episodes: 1, called" in "\n".join(preface(report([outside])))
    assert "no episodes" not in "\n".join(preface(report([DOOR])))


def test_figures_are_per_thousand_of_what_there_is():
    assert per_1000(3, 1500) == 2.0
    assert per_1000(0, 0) == 0.0


def test_where_another_rule_is_ahead_is_said():
    perfect = tuple(Unit(kind, kind, 20) for kind in ("in", "out", "near"))
    better = replace(DOOR, peers=DOOR.peers | {"SMURF": perfect})
    lines = [line for line in lines_of(report([better])) if line.startswith(("| SMURF", "| EdgeX"))]
    assert "layout two-sided" in next(line for line in lines if line.startswith("| SMURF | 1.0"))
    assert any(line.endswith("| nowhere |") for line in lines)


def test_a_part_of_the_set_is_marked_as_one():
    found = report([DOOR], "abc", of=330)
    assert "Only 1 of the set's 330 doors" in "\n".join(preface(found))
    assert "Only" not in "\n".join(preface(report([DOOR], "abc")))


def test_the_kept_figures_are_of_the_committed_set():
    found = json.loads(RESULTS.read_text("utf-8"))
    assert found["hash"] == frozen.committed()
    assert found["of"] == frozen.COUNT


def test_the_set_keeps_its_promises():
    """Of a whole run; a part of the set is too small to show them, and then the page says that it is one."""
    found = json.loads(RESULTS.read_text("utf-8"))
    if found["measured"] < found["of"]:
        assert "no figure here is one to quote" in accuracy_page()
        return
    made = found["set"]
    assert made["episodes"] >= 20_000
    assert made["thin"] >= 0.2
    assert min(made["shares"]["near"], made["shares"]["turned_back"]) >= 0.15
    assert 0.4 <= made["in_groups"] <= 0.6
