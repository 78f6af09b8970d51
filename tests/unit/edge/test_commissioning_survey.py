"""What a survey shows and finds, by reads that are put into it; the terminal picture of it."""

import io

import numpy as np
import pytest
from rich.console import Console

from edge.agent.survey_command import print_found
from edge.commissioning.airtime import Ways
from edge.commissioning.picture import FAINT_CDBM, LOUD_CDBM, bar, doorway_table, level_share, plain_line
from edge.commissioning.survey import Place, Survey
from edge.readers.hearing import Heard

BEGIN_US = 1_000_000
RESIDENT, WALKER, REFERENCE = b"\x01" * 12, b"\x02" * 12, b"\x03" * 12
PLACES = [
    Place("r1", 1, "inside", REFERENCE.hex()),
    Place("r1", 2, "inside"),
    Place("r1", 3, "outside", "04" * 12),
]


def heard(rows):
    """Reports of (at_us, epc, port, rssi_cdbm)."""
    rows = sorted(rows)
    epc = np.zeros((len(rows), 62), np.uint8)
    for number, row in enumerate(rows):
        epc[number, : len(row[1])] = np.frombuffer(row[1], np.uint8)
    return Heard(
        epc,
        np.array([8 * len(row[1]) for row in rows], np.uint16),
        np.array([row[2] for row in rows], np.uint16),
        np.array([row[3] for row in rows], np.int16),
        np.ones(len(rows), np.uint16),
        np.array([row[0] for row in rows], np.int64),
    )


@pytest.fixture
def survey():
    """Twelve seconds: a resident and a reference tag throughout, a walker in the last two."""
    survey = Survey("door", PLACES, {"r1": (4,)})
    survey.take("r1", heard([(0, RESIDENT, 1, -5000)]))
    survey.begin(BEGIN_US)
    rows = [(BEGIN_US + 100_000 * n, RESIDENT, 2, -6500) for n in range(120)]
    rows += [(BEGIN_US + 250_000 * n, REFERENCE, 1, -6000) for n in range(48)]
    rows += [(BEGIN_US + 10_000_000 + 50_000 * n, WALKER, 1 + n % 3, -5500 + 20 * n) for n in range(40)]
    survey.take("r1", heard(rows))
    return survey


def test_each_antenna_shows_who_moves_and_how_many_stay(survey):
    shown = {one.place.port: one for one in survey.now(BEGIN_US + 12_000_000)}
    assert {port: one.residents for port, one in shown.items()} == {1: 0, 2: 1, 3: 0}
    assert {one.loudest for one in shown.values()} == {WALKER.hex()}
    assert shown[1].loudest_cdbm == -5500 + 20 * 39
    assert [shown[port].reference_rate for port in (1, 2, 3)] == [3.5, None, 0.0]
    assert shown[2].rate == pytest.approx(10 + 6.5, abs=0.6)


def test_what_came_before_the_beginning_counts_no_more(survey):
    found = survey.finish(BEGIN_US + 12_000_000, {}, {})
    assert sum(one.reads for one in found.antennas) == 120 + 48 + 40


def test_survey_finds_who_stays_who_moved_and_what_is_silent(survey):
    found = survey.finish(BEGIN_US + 12_000_000, {"r1": Ways()}, {("r1", 2): 2700})
    assert survey.epcs() == {RESIDENT.hex(), WALKER.hex(), REFERENCE.hex(), "04" * 12}
    assert [one.residents for one in found.antennas] == [0, 1, 0]
    assert [one.power_cdbm for one in found.antennas] == [None, 2700, None]
    assert found.antennas[1].resident_cdbm == -6500
    (mover,) = found.movers
    assert (mover.epc, mover.reads, mover.peak_cdbm) == (WALKER.hex(), 40, -4720)
    assert mover.antennas == {"r1/1": 14, "r1/2": 13, "r1/3": 13}
    assert sum(found.by_side(mover.epc).values()) == 40
    assert found.by_side(mover.epc)[PLACES[0].side] >= 14
    assert set(found.by_side("00").values()) == {0}
    assert found.antennas[0].reference_rate == 4.0
    assert found.problems == (
        f"antenna 3 of r1 never heard its reference tag {'04' * 12}: look at cable, antenna, tag",
    )
    assert found.verdict.fit
    assert not found.fit


@pytest.mark.parametrize(("listened_us", "told"), [(5_000_000, 5), (9_960_000, 9)])
def test_survey_that_was_broken_off_has_nothing_to_say_of_airtime(survey, capsys, listened_us, told):
    found = survey.finish(BEGIN_US + listened_us, {}, {})
    assert found.verdict is None
    assert not found.fit
    assert found.problems[0] == f"only {told} s were listened to: 10 s at least tell who stays"
    print_found(found)
    assert "Whether door is fit can't be said yet." in capsys.readouterr().out


def test_silent_doorway_is_shown_and_fit():
    survey = Survey("door", PLACES[1:2], {})
    survey.begin(BEGIN_US)
    survey.take("r1", None)
    (shown,) = survey.now(BEGIN_US + 3_000_000)
    assert (shown.rate, shown.loudest_cdbm, shown.residents) == (0.0, None, 0)
    assert survey.finish(BEGIN_US + 12_000_000, {}, {}).fit


def test_picture_draws_sides_rates_levels_and_reference_tags(survey):
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(doorway_table("door", 3.2, survey.now(BEGIN_US + 12_000_000)))
    lines = console.export_text().splitlines()
    assert lines[0].startswith("door: 3 s left")
    rows = [line for line in lines if "r1/" in line]
    assert [("inside" in row, "█" in row) for row in rows] == [(True, True), (True, True), (False, True)]
    assert "4/s" in rows[0]
    assert "none" in rows[1]
    assert "SILENT" in rows[2]


def test_line_says_the_same_without_a_terminal(survey):
    line = plain_line(12.0, survey.now(BEGIN_US + 12_000_000))
    assert line.startswith("12 s: inside r1/1 ")
    assert " 0 stay, reference 4/s | inside r1/2 " in line
    assert line.endswith(" 0 stay, reference SILENT")


@pytest.mark.parametrize(("share", "drawn"), [(0.0, ""), (0.5, "█████"), (1.0, "█" * 10), (7.0, "█" * 10), (-1, "")])
def test_bar_is_as_long_as_its_share_and_never_longer(share, drawn):
    assert bar(share, 10) == drawn.ljust(10)


def test_bar_knows_eighths_and_levels_have_their_ends():
    assert bar(0.05, 10) == "▌".ljust(10)
    assert (level_share(FAINT_CDBM), level_share(LOUD_CDBM), level_share(None)) == (0.0, 1.0, 0.0)
