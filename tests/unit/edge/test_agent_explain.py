"""`replay --explain`: which passage it takes, what it measures and says of it, and what it draws."""

import json

import matplotlib.image
import numpy as np
import pytest
import structlog
from typer.testing import CliRunner

from edge.agent import explain_command
from edge.agent.explain import READ_COLS, Called, ExplainError, Finder, Passage
from edge.agent.explain_measure import WAVE_M, measure
from edge.agent.explain_picture import draw, spans
from edge.agent.explain_words import louder, reasons, title
from edge.cli import app
from edge.contracts import Clock, Evidence, MovementRow, SensorRow, instant
from edge.windows import AntennaSettings, PortalSettings
from tests.helpers.doorway import CONFIGURATION, EPOCH_US, Scene

WALKER, TURNER = "3034257bf7194e4000000001", "3034257bf7194e4000000002"
SIDES = ("inside", "inside", "outside", "outside")
DOOR = PortalSettings(
    "door", "two-sided", tuple(AntennaSettings("r1", port, side) for port, side in enumerate(SIDES, 1))
)


@pytest.fixture(autouse=True)
def logging_as_before():
    """The command configures structlog for the whole process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def replay(tmp_path):
    """Replay one recording of a walk out, one turn and residents; return exit code, rows and what was told."""
    scene = Scene(np.random.default_rng(5), seconds=12.0, rate_hz=60.0)
    scene.walk("out", 0.2, epc=bytes.fromhex(WALKER))
    scene.walk("turned_back", 3.0, epc=bytes.fromhex(TURNER))
    scene.walk("resident", 0.0)
    lines = [f"{at},{epc.hex()},{','.join(map(str, rest))}\n" for at, epc, *rest in scene.rows()]
    (tmp_path / "walk.csv").write_text("time_us,epc,antenna,rssi_cdbm,phase,channel\n" + "".join(lines))
    (tmp_path / "door.toml").write_text(CONFIGURATION)

    def run(*words):
        given = ["replay", str(tmp_path / "walk.csv"), "--config", str(tmp_path / "door.toml"), *words]
        result = CliRunner().invoke(app, given)
        return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr

    return run


def row(kind="out", *, final=True, confidence=0.97, rev=1, crossed_us=1_000_000):
    """A row of one passage that began at the epoch and ended two seconds later."""
    crossed = None if crossed_us is None else instant(EPOCH_US + crossed_us)
    ended = instant(EPOCH_US + 2_000_000)
    return MovementRow(
        seq=rev, id=f"{'ab' * 16}-{rev}", passage="ab" * 16, rev=rev, final=final, at=crossed or ended, portal="door",
        epc=WALKER, kind=kind, confidence=confidence, started_at=instant(EPOCH_US), crossed_at=crossed, ended_at=ended,
        reads=40, evidence=Evidence(antennas=[]), clock=Clock(source="reader"),
    )  # fmt: skip


def carried(speed_m_s=0.0):
    """A passage: loudest inside at 0.5 s, outside at 1.5 s, each antenna in turn every 10 ms, at a radial speed."""
    t = np.arange(0, 2_000_000, 10_000)
    antenna = np.arange(len(t)) % 4
    peak = np.where(antenna < 2, 500_000, 1_500_000)
    reads = np.zeros((len(t), READ_COLS), np.int64)
    reads[:, 0], reads[:, 1] = t + EPOCH_US, antenna
    reads[:, 2] = -5000 - np.abs(t - peak) // 250
    reads[:, 3] = np.round(2 * speed_m_s * t / 1e6 / WAVE_M * 4096) % 4096
    reads[:, 4], reads[:, 5] = 1, 1
    calls = [
        Called(row(final=False, confidence=0.95), EPOCH_US + 1_400_000),
        Called(row(rev=2), EPOCH_US + 4_000_000),
    ]
    return Passage(DOOR, calls, reads, [])


def test_epc_with_one_visit_is_drawn_and_told(replay, tmp_path):
    """A PNG of the size that it should have; the rows come all the same."""
    picture = tmp_path / "walk.png"
    code, rows, told = replay("--explain", WALKER.upper(), "--picture", str(picture))
    assert code == 0
    assert {one["epc"]: one["kind"] for one in rows}[WALKER] == "out"
    assert f"(out, tag {WALKER}, door, " in told
    drawn = matplotlib.image.imread(picture)
    assert drawn.shape == (780, 960, 4)
    assert (drawn.min(axis=2) < 0.9).mean() > 0.05


def test_passage_is_found_by_its_id_and_drawn_the_same_each_time(replay, tmp_path):
    """The id of a row that was printed; the bytes depend on the recording alone."""
    _, rows, _ = replay()
    passage = next(one["passage"] for one in rows if one["epc"] == TURNER)
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    for picture in pictures:
        code, _, told = replay("--explain", passage, "--picture", str(picture), "--out", str(tmp_path / "rows.jsonl"))
        assert code == 0
        assert passage in told
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_what_is_not_there_is_answered_with_what_is(replay, tmp_path):
    """Another EPC: the last passages are listed, with ids to copy."""
    code, _, told = replay("--explain", "00" * 12, "--picture", str(tmp_path / "x.png"))
    assert code == 2
    assert "no passage of that id or EPC was called; the last ones are " in told
    assert WALKER in told
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--explain", "xyz", "--picture", "x.png"], "--explain xyz: write a passage's id or an EPC"),
        (["--explain", WALKER], "say with --picture FILE.png where the picture goes"),
        (["--picture", "x.png"], "say with --explain which passage is drawn"),
        (["--explain", WALKER, "--picture", "/no/such/folder/x.png"], "/no/such/folder/x.png: cannot be written"),
    ],
)
def test_options_that_cannot_be_used_are_told(replay, words, told):
    """What names, where, what to do."""
    code, _, said = replay(*words)
    assert code == 2
    assert told in " ".join(said.replace("│", " ").split())


def test_missing_matplotlib_is_asked_for_in_words(replay, tmp_path, monkeypatch):
    """The agent at the door doesn't have it."""
    monkeypatch.setattr(explain_command, "find_spec", lambda _: None)
    code, rows, told = replay("--explain", WALKER, "--picture", str(tmp_path / "x.png"))
    assert (code, rows) == (2, [])
    assert "pip install 'stockgate[explain]'" in told


def test_last_visit_of_a_tag_is_meant_and_the_others_are_named():
    """Two passages of one EPC."""
    finder = Finder(WALKER)
    first, second = row(), row("turned_back")
    finder.take(first)
    finder.take(
        MovementRow(**{name: getattr(second, name) for name in second.__struct_fields__} | {"passage": "cd" * 16})
    )
    assert finder.choose().passage == "cd" * 16
    assert [one.passage for one in finder.rest()] == ["ab" * 16]
    with pytest.raises(ExplainError, match="no passage of that id or EPC was called"):
        Finder("00").choose()


def test_reasons_tell_the_sides_in_their_order_and_when_it_was_called():
    """Inside louder, then outside; provisional 0.4 s after the crossing, final 3 s after it."""
    passage = carried(speed_m_s=1.0)
    assert title(passage) == "OUT through door · 97% sure"
    lines = reasons(passage, measure(passage, EPOCH_US))
    assert lines[0] == "Heard 100 times from inside, 100 times from outside."
    assert lines[2].startswith("Louder inside for ")
    assert ", then outside for " in lines[2]
    assert lines[3].endswith("it moved.")
    assert lines[4] == (
        "First called out (95% sure), 0.4 s after the crossing; the final agrees, 3.0 s after the crossing."
    )


def test_speed_is_that_of_the_phases_and_rest_is_told_as_such():
    """0.8 m/s away from every antenna; then none at all."""
    seen = measure(carried(speed_m_s=0.8), EPOCH_US)
    assert np.median(seen.speeds[:, 1]) == pytest.approx(0.8, abs=0.03)
    still = carried()
    assert reasons(still, measure(still, EPOCH_US))[3].endswith("it was mostly at rest.")


def test_balance_of_a_silent_side_sinks_and_short_stretches_are_left_out():
    """What `louder` tells of a balance: 1 s inside with a notch, 0.1 s outside, 1 s outside after a pause."""
    balance = np.array([9.0] * 50 + [0.0] * 5 + [12.0] * 50 + [-9.0] * 8 + [0.0] * 5 + [-20.0] * 50)
    found = louder(balance, 0.02)
    assert [(sign, round(long_s, 2), most) for sign, long_s, most in found] == [(1, 2.0, 12.0), (-1, 1.0, 20.0)]
    one_sided = carried()
    one_sided.reads = one_sided.reads[one_sided.reads[:, 1] < 2]
    seen = measure(one_sided, EPOCH_US)
    assert np.isnan(seen.envelopes[1]).all()
    assert (seen.balance[~np.isnan(seen.balance)] > 0).all()


def test_beams_and_door_are_spans_of_being_broken_and_open():
    """One that ends without a begin was so before; one without an end goes on; a repeated level changes nothing."""

    def change(at_s, gpi, kind, *, state):
        at = instant(EPOCH_US + round(at_s * 1e6))
        return SensorRow(seq=0, reader="r1", gpi=gpi, kind=kind, state=state, at=at)

    changes = [
        change(-1, 3, "door", state=False),
        change(0.5, 1, "beam", state=True),
        change(0.6, 1, "beam", state=True),
        change(0.9, 1, "beam", state=False),
        change(0.95, 1, "beam", state=False),
        change(2.0, 3, "door", state=True),
    ]
    assert spans(changes, EPOCH_US) == {
        "door 3 open": [(-np.inf, -1.0), (2.0, np.inf)],
        "beam 1 broken": [(0.5, 0.9)],
    }
    passage = carried()
    passage.sensors = changes
    assert draw(passage) != draw(carried())
