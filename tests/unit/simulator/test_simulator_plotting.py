"""Pictures of scenarios: what they show is what happened, and the same input gives the same bytes."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from simulator.cli import app
from simulator.plotting import figure, plan, style, traces
from simulator.plotting.observed import PlotError, followed, span_us
from simulator.plotting.run import observe, picture
from simulator.scenarios.load import load
from simulator.world.values import Crossing

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def crossing():
    """A run of two people who cross in the doorway."""
    return observe(load("two-people-crossing"), None, None, None)


def size_of(path):
    content = path.read_bytes()
    assert content.startswith(PNG)
    return struct.unpack(">II", content[16:24])


def visit(tag, kind="out", reads=1, *, started_s=0.0, portal="door", monitored=True):
    begin_us = round(1e6 * started_s)
    crossed_us = begin_us + 500_000 if kind in {"in", "out"} else None
    epc = bytes([tag])
    return Crossing(epc, portal, kind, begin_us, crossed_us, begin_us + 1_000_000, "", reads, "ok", monitored)


def test_same_scenario_and_seed_give_the_same_bytes(tmp_path):
    for name in ("one.png", "two.png"):
        picture(load("single-walk"), 5, None, None, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_whoever_sets_matplotlib_otherwise_gets_the_same_bytes(tmp_path):
    """Settings in a user's matplotlibrc are no part of the input."""
    import matplotlib as mpl  # noqa: PLC0415 - only here

    picture(load("single-walk"), 5, None, None, tmp_path / "one.png")
    with mpl.rc_context({"font.size": 20, "axes.grid": True, "savefig.dpi": 50}):
        picture(load("single-walk"), 5, None, None, tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_command_writes_a_picture_900_pixels_wide(tmp_path):
    out = tmp_path / "walk.png"
    done = CliRunner().invoke(app, ["plot", "single-walk", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "tag 1 at stockroom-a-door: out, crossed at 5.00 s" in done.stderr
    assert size_of(out)[0] == 900


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["single-walk", "--seconds", "2"], "no tag comes to a portal in 2 s"),
        (["door-propped", "--seconds", "2", "--tag", "11"], "tag 11 never comes to a portal in 2 s"),
    ],
)
def test_a_picture_without_a_visit_is_the_plan_alone(tmp_path, words, said):
    out = tmp_path / "plan.png"
    done = CliRunner().invoke(app, ["plot", *words, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert said in done.stderr
    assert size_of(out)[1] < 500


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["singlewalk"], "did you mean 'single-walk'"),
        (["single-walk", "--tag", "2"], "has tags 1 to 1"),
        (["crowd"], "without walks"),
    ],
)
def test_what_cannot_be_drawn_is_told(tmp_path, words, said):
    done = CliRunner().invoke(app, ["plot", *words, "--out", str(tmp_path / "x.png")])
    assert done.exit_code == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(PlotError, match="can't be written there"):
        picture(load("single-walk"), None, None, None, tmp_path / "no" / "x.png")


def test_every_read_of_the_tag_at_the_portal_is_drawn(crossing):
    """The antennas' traces together hold the reads of the tag, each once."""
    drawn = traces.traces(crossing, "stockroom-door", 0, crossing.end_us)
    assert [trace.label for trace in drawn] == [
        "r1 port 1, inside",
        "r1 port 2, inside",
        "r1 port 3, outside",
        "r1 port 4, outside",
    ]
    assert sum(len(trace.at_s) for trace in drawn) == len(crossing.reads["r1"]) > 10
    phases = np.concatenate([trace.phase_rad for trace in drawn])
    assert ((phases >= 0) & (phases < 2 * np.pi)).all()


def test_where_reads_are_too_many_the_label_says_how_many_are_drawn(crossing, monkeypatch):
    whole = traces.traces(crossing, "stockroom-door", 0, crossing.end_us)
    monkeypatch.setattr(traces, "MOST_READS", 10)
    for trace, thinned in zip(whole, traces.traces(crossing, "stockroom-door", 0, crossing.end_us), strict=True):
        step = -(-len(trace.at_s) // 10)
        assert thinned.label == trace.label + (f" (1 read in {step})" if step > 1 else "")
        assert thinned.at_s.tolist() == trace.at_s[:: max(step, 1)].tolist()


def test_the_true_crossing_is_marked(crossing):
    """A line in the accent colour stands at the true instant in both pictures."""
    with style.look():
        drawn = figure.draw(crossing)
    (visit,) = crossing.visits
    marked = [
        line.get_xdata()[0]
        for axes in drawn.axes
        for line in axes.lines
        if line.get_color() == style.ACCENT and axes.get_ylabel() in {"RSSI, dBm", "phase, rad"}
    ]
    assert marked == pytest.approx([visit.crossed_us / 1e6] * 2)


def test_only_who_carries_the_followed_tag_has_the_accent(crossing):
    colours = dict(zip([way.group for way in crossing.tracks], plan.colours(crossing), strict=True))
    mine = next(way.group for way in crossing.tracks if crossing.tag - 1 in way.tags)
    assert [group for group, colour in colours.items() if colour == style.ACCENT] == [mine]
    assert len(set(colours.values())) == len(colours)


def test_sites_far_apart_are_plans_of_their_own():
    """A transfer's two docks are 300 m apart; each plan shows its own surroundings only."""
    scenario = load("transfer-two-sites")
    seen = replace(observe(scenario, None, 1.0, 1))
    parts = plan.parts(seen)
    assert [[doorway.id for doorway in part.doorways] for part in parts] == [["hq-dock"], ["branch-dock"]]
    assert all(part.size_m.max() < plan.APART_M for part in parts)


def test_an_asset_that_was_never_read_says_why():
    with style.look():
        drawn = figure.draw(observe(load("foil-bag"), None, None, 1))
    words = [text.get_text() for axes in drawn.axes for text in axes.texts]
    assert {"out, 6.00 s", "tag 1 was never read: it is wrapped in foil"} <= set(words)


def test_followed_tag_is_the_most_read_of_those_that_crossed():
    numbers = {bytes([number]): number for number in range(1, 9)}
    near, out, more = visit(1, "near", 90), visit(2, "out", 5), visit(3, "in", 9)
    assert followed([near, out, more], numbers) == 3
    assert followed([near, visit(4, "turned_back", 91)], numbers) == 4
    assert followed([visit(5, "out", 0, monitored=False)], numbers) == 5
    assert followed([], numbers) is None


def test_visits_far_apart_in_time_are_not_squeezed_into_one_picture(crossing):
    visits = [visit(1, reads=9, started_s=0), visit(1, "in", 3, started_s=30), visit(1, reads=4, started_s=2000)]
    shown = traces.shown_visits(replace(crossing, visits=visits), "door")
    assert [one.started_us for one in shown] == [0, 30_000_000]


@pytest.mark.parametrize(
    ("name", "ends_us", "seconds", "expected_s"),
    [
        ("single-walk", 14_000_000, None, 14.0),
        ("single-walk", 14_000_000, 3.0, 3.0),
        ("office", None, None, 50.0),
        ("working-day", 28_800_000_000, None, 7300 / 12),
        ("single-walk", None, None, 7300.0),
    ],
)
def test_long_scenarios_are_cut(name, ends_us, seconds, expected_s):
    assert span_us(load(name), ends_us, seconds) == round(1e6 * expected_s)
