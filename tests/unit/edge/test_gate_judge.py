"""The gate's judgement of one tag's crossing, and what rows and signals make of it."""

from dataclasses import replace

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as replace_row

from edge.contracts import NONE_SHOWN, Clock, Evidence, MovementRow, decode_delta, decode_manifest, event_id, instant
from edge.gate import Gate, GateError, Uses
from edge.gate.gate import LATE_US
from edge.gate.judge import Crossing, is_foreign, judge
from edge.gate.snapshot import make_snapshot
from edge.gate.uses import MOST_USES, Use
from edge.windows.around import Around, badge_words
from tests.helpers.gate_messages import DAY, DOOR, NOW, SECOND, delta, entry, epc, give, manifest, messages, store

LOG = structlog.get_logger()
OTHER = "e2801160600002"
STREET = {**DOOR, "id": "street", "out": ["stockroom", "hq"], "into": ["yard"]}


@pytest.fixture
def held(tmp_path):
    """Returns a snapshot of entries, with what else the manifest says."""

    def make(*entries, **more):
        made = store(tmp_path / "held", LOG)
        generation = 1 if made.snapshot is None else made.snapshot.generation + 1
        give(made, messages(generation, entries, **{"doors": (DOOR, STREET), **more}))
        return made.snapshot

    return make


def crossing(number=1, portal="door", way="out", passage="a" * 32, at_us=NOW):
    """A crossing."""
    return Crossing(portal, way, bytes.fromhex(epc(number)), passage, at_us)


def verdict(snapshot, one=None, *, wall_us=NOW, uses=None):
    """The verdict alone."""
    found = judge(snapshot, one or crossing(), Uses() if uses is None else uses, wall_us=wall_us)
    return found and found.verdict


def test_silence_about_one_of_our_own_tags_is_a_refusal(held):
    """A listed one may leave, that boundary alone."""
    snapshot = held(entry(1))
    assert verdict(snapshot) == "allow"
    assert verdict(snapshot, crossing(2)) == "refuse"
    assert verdict(snapshot, crossing(portal="street")) == "refuse"
    assert verdict(held(entry(1), entry(1, boundary="hq")), crossing(portal="street")) == "allow"


def test_a_crossing_that_leaves_nothing_guarded_is_not_judged(held):
    """Inwards through this door nothing is left, through that one the yard is."""
    snapshot = held(entry(1, boundary="yard"))
    assert verdict(snapshot, crossing(way="in")) is None
    assert verdict(snapshot, crossing(portal="street", way="in")) == "allow"
    assert verdict(snapshot, crossing(2, portal="street", way="in")) == "refuse"


@pytest.mark.parametrize("ill", ["hold", "refuse"])
def test_a_refusal_wins_over_every_permission(held, ill):
    """Without a boundary it blocks every exit, with one that boundary; and it has its hours."""
    everywhere = held(entry(1), entry(1, ill, None))
    there = held(entry(1), entry(1, boundary="hq"), entry(1, ill, "hq"))
    over = held(entry(1), entry(1, ill, None, NOW - 2, NOW))
    assert verdict(everywhere) == "refuse"
    assert (verdict(there), verdict(there, crossing(portal="street"))) == ("allow", "refuse")
    assert verdict(over) == "allow"


@given(st.integers(-2, 2), st.integers(0, 2))
def test_hours_include_their_beginning_and_not_their_end(at, length):
    """For every instant around them."""
    told = decode_delta(delta(1, 1, [entry(1, start_us=NOW, end_us=NOW + length)]))
    door = make_snapshot(decode_manifest(manifest(1, {})), {}, told)
    wanted = "allow" if 0 <= at < length else "refuse"
    assert verdict(door, crossing(at_us=NOW + at)) == wanted


def test_a_clock_that_was_set_back_makes_no_permission_of_yesterday_valid(held):
    """Time is the last signed message's where the wall clock is behind it."""
    snapshot = held(entry(1, start_us=NOW - 2 * DAY, end_us=NOW - DAY), issued_us=NOW)
    behind_us = NOW - DAY - 60 * SECOND
    assert verdict(snapshot, crossing(at_us=behind_us), wall_us=behind_us) == "refuse"
    current = held(entry(1, start_us=NOW - 10 * SECOND))
    assert verdict(current, crossing(at_us=behind_us - SECOND), wall_us=behind_us) == "allow"
    assert verdict(current, crossing(at_us=behind_us - 20 * SECOND), wall_us=behind_us) == "refuse"


def test_a_snapshot_that_ran_out_is_stale_or_trusted_as_the_door_wants_it(held):
    """What it refuses it refuses; the wall clock alone makes it old."""
    some, late = [entry(1)], NOW + DAY
    refusing, trusting = held(*some), held(*some, doors=({**DOOR, "stale": "trust"},))
    assert verdict(refusing, wall_us=late - 1) == "allow"
    assert verdict(refusing, wall_us=late) == "stale"
    assert verdict(refusing, crossing(2), wall_us=late) == "refuse"
    assert verdict(trusting, wall_us=late) == "allow"
    assert "run out" in judge(trusting, crossing(), Uses(), wall_us=late).reason


def test_a_snapshot_that_lost_its_last_changes_refuses_but_allows_nothing_unless_the_door_trusts_it(held):
    """What it allows may have been taken back, and a tag that it doesn't know may be listed by now."""
    some = (entry(1), entry(2, "hold", None))
    refusing, trusting = held(*some), held(*some, doors=({**DOOR, "stale": "trust"},))
    doubtful, trusted = replace(refusing, lacks_delta=True), replace(trusting, lacks_delta=True)
    assert (verdict(doubtful), verdict(trusted)) == ("stale", "allow")
    assert verdict(doubtful, crossing(2)) == verdict(doubtful, crossing(3)) == "refuse"
    found = judge(doubtful, crossing(), Uses(), wall_us=NOW)
    assert (found.reason, found.snapshot) == ("the snapshot that allows it lacks its last changes", (1, 0))
    assert is_foreign(refusing, bytes.fromhex(OTHER))
    assert not is_foreign(doubtful, bytes.fromhex(OTHER))


def test_without_a_snapshot_or_a_door_in_it_an_exit_is_stale_and_frightens_nobody(held):
    """No EPC is foreign then."""
    for found in (
        judge(None, crossing(), Uses(), wall_us=NOW),
        judge(held(entry(1)), crossing(portal="new"), Uses(), wall_us=NOW),
    ):
        assert (found.verdict, found.mode) == ("stale", "notify")
    assert not is_foreign(None, bytes.fromhex(OTHER))


def test_foreign_is_what_is_neither_listed_nor_ours(held):
    """A delta may take an EPC out."""
    snapshot = held(entry(1), entry(OTHER))
    assert not is_foreign(snapshot, bytes.fromhex(epc(77)))
    assert not is_foreign(snapshot, bytes.fromhex(OTHER))
    assert is_foreign(snapshot, bytes.fromhex("e28011606000"))
    assert is_foreign(snapshot, bytes.fromhex("30"))


@pytest.mark.parametrize(
    ("mode", "quiet", "wanted"),
    [
        ("alarm", [], "alarm"),
        ("alarm", [("notify", -1, 1)], "notify"),
        ("alarm", [("notify", -1, 1), ("observe", 0, 1)], "observe"),
        ("alarm", [("observe", -1, 0)], "alarm"),
        ("observe", [("notify", -1, 1)], "observe"),
    ],
)
def test_the_quietest_of_all_that_hold_counts(held, mode, quiet, wanted):
    """It ends by itself."""
    spans = [{"mode": its, "from": instant(NOW + a), "until": instant(NOW + b)} for its, a, b in quiet]
    snapshot = held(entry(1), doors=({**DOOR, "mode": mode, "quiet": spans},))
    assert judge(snapshot, crossing(), Uses(), wall_us=NOW).mode == wanted


def test_a_permission_for_one_use_lets_one_passage_through(held):
    """In all of its revisions; a second permission lets a second one through."""
    snapshot, uses = held(entry(1, "allow_once", end_us=NOW + 5), entry(1, "allow_once", end_us=NOW + 9)), Uses()
    one, two, three = (crossing(passage=name * 32) for name in "abc")
    told = [verdict(snapshot, each, uses=uses) for each in (one, one, two, three, one)]
    assert told == ["allow", "allow", "allow", "refuse", "allow"]
    assert "once is used up" in judge(snapshot, three, uses, wall_us=NOW).reason
    uses.release("a" * 32)
    assert verdict(snapshot, three, uses=uses) == "allow"


def test_one_without_a_limit_spares_the_one_for_one_use(held):
    """Nothing is spent where a refusal or another boundary stops it either."""
    uses = Uses()
    assert verdict(held(entry(1), entry(1, "allow_once")), uses=uses) == "allow"
    only_inner = held(entry(1, "allow_once"))
    assert verdict(only_inner, crossing(portal="street"), uses=uses) == "refuse"
    assert len(uses) == 0


def test_used_permissions_are_known_after_a_restart_and_bounded():
    """The oldest go, and those that nothing lists any more."""
    uses, again = Uses(), Uses()
    uses.spend("p", [Use(epc(number), "b", 0, 1) for number in range(MOST_USES + 3)])
    again.decode(uses.encode())
    assert len(again) == MOST_USES
    assert again.free_for(Use(epc(0), "b", 0, 1), "q")
    assert not again.free_for(Use(epc(3), "b", 0, 1), "q")
    again.prune(lambda use: use.epc == epc(9))
    assert len(again) == 1
    for bad in (b"", b"{}", b"[[1]]", b"\xff", uses.encode().replace(b'[[["3', b'[[["x', 1)):
        with pytest.raises(GateError):
            Uses().decode(bad)


class Recorder:
    """Signals that keep what they are told, and say that they acted."""

    def __init__(self) -> None:
        self.told = []
        self.acted_us = NOW + 7
        self.error = None

    def judged(self, portal, verdict, crossed_at_us, arrived_at_us, mode):
        self.told.append((portal, verdict, crossed_at_us, arrived_at_us, mode))
        if self.error:
            raise self.error
        return self.acted_us


def row(rev=1, kind="out", *, final=False, number=1, passage="a" * 32, crossed_us=NOW, badge=None, tag=None):
    """A revision of a passage."""
    return MovementRow(
        seq=0,
        id=event_id(passage, rev),
        passage=passage,
        rev=rev,
        final=final,
        at=instant(crossed_us),
        portal="door",
        epc=tag or epc(number),
        kind=kind,
        confidence=0.9,
        started_at=instant(crossed_us),
        crossed_at=instant(crossed_us) if kind in {"in", "out"} else None,
        reads=5,
        evidence=Evidence(antennas=[], badge=badge),
        clock=Clock(source="reader"),
    )


@pytest.fixture
def signals():
    """Records what it is told."""
    return Recorder()


@pytest.fixture
def gate(signals):
    """Returns a gate that holds a snapshot, which `gate.held` replaces."""

    def make(snapshot):
        box = [snapshot]
        made = Gate(lambda: box[0], signals, uses=Uses(), keep_uses=box.append, now_us=lambda: NOW, log=LOG)
        made.box = box
        return made

    return make


def decide(gate, *rows, arrived_us=NOW + SECOND):
    """What is told of rows, each as its verdict."""
    return [one.gate and one.gate.verdict for one in gate.decide(rows, arrived_us=arrived_us)]


def test_an_exit_carries_its_verdict_and_when_a_signal_showed_it(gate, held, signals):
    """On which snapshot, too."""
    (told,) = gate(held(entry(2))).decide([row()], arrived_us=NOW + SECOND)
    assert told.gate.verdict == "refuse"
    assert told.gate.reason == "no permission to leave stockroom is valid now"
    assert told.gate.snapshot == [1, 0]
    assert told.gate.acted_at == instant(NOW + 7)
    assert signals.told == [("door", "refuse", NOW, NOW + SECOND, "alarm")]


@pytest.mark.parametrize("step_s", [30, 3 * 365 * 86_400, -3_600])
def test_a_clock_that_is_set_meanwhile_makes_no_exit_late(held, signals, step_s):
    """A Pi's is, by its first time server: the exit of then had neither light nor siren."""
    wall, steady = [NOW], [0]
    made = Gate(
        lambda: snapshot, signals, uses=Uses(), keep_uses=lambda _: None, now_us=lambda: wall[0], log=LOG,
        steady_us=lambda: steady[0],
    )  # fmt: skip
    snapshot = held(entry(2))

    def passes(us, step_us=0):
        steady[0] += us
        wall[0] += us + step_us

    passes(SECOND)
    made.decide([], arrived_us=wall[0])
    passes(SECOND, step_s * SECOND)
    made.decide([row()], arrived_us=wall[0])
    assert len(signals.told) == 1, "it crossed two seconds ago"
    passes(20 * SECOND)
    made.decide([row(passage="b" * 32, crossed_us=wall[0] - 12 * SECOND)], arrived_us=wall[0])
    assert (len(signals.told), made.counters.late) == (1, 1), "what a reader held back since is late all the same"


def test_a_permission_for_one_use_is_free_again_where_the_passage_went_in(gate, held):
    """Told as `out` first, and as `in` at its end: nothing has left, and the next way out is allowed."""
    made = gate(held(entry(1, "allow_once")))
    assert decide(made, row(), row(2, "in", final=True)) == ["allow", None]
    assert decide(made, row(passage="b" * 32)) == ["allow"]


def test_a_door_whose_entries_are_damaged_keeps_its_mode(held, signals, tmp_path):
    """The manifest is signed and whole: where the door is in alarm and shows what is stale, it does."""
    held(entry(2))
    block = bytearray((tmp_path / "held" / "parts-1").read_bytes())
    block[-1] ^= 1
    (tmp_path / "held" / "parts-1").write_bytes(block)
    damaged = store(tmp_path / "held", LOG)
    made = Gate(
        lambda: damaged.snapshot, signals, uses=Uses(), keep_uses=lambda _: None, now_us=lambda: NOW, log=LOG,
        outline=lambda: damaged.outline,
    )  # fmt: skip
    (told,) = made.decide([row()], arrived_us=NOW)
    assert (told.gate.verdict, told.gate.reason) == ("stale", "what may leave is damaged on the disk")
    assert signals.told[-1][-1] == "alarm"
    assert decide(made, row(kind="in", passage="c" * 32)) == [None], "a way in leaves nothing"
    give(damaged, messages(1, [entry(2)], doors=(DOOR, STREET)))
    assert damaged.outline is None
    assert decide(made, row(passage="b" * 32)) == ["refuse"]


def test_a_passage_is_judged_once_in_each_direction(gate, held, signals):
    """Its final tells what light and siren acted on, whatever the central has said meanwhile."""
    made = gate(held(entry(2)))
    assert decide(made, row()) == ["refuse"]
    made.box[0] = held(entry(1))
    (final,) = made.decide([row(2, final=True)], arrived_us=NOW + SECOND)
    assert (final.gate.verdict, final.gate.snapshot, final.gate.acted_at) == ("refuse", [1, 0], instant(NOW + 7))
    assert len(signals.told) == 1
    assert decide(made, row(passage="b" * 32, final=True)) == ["allow"]
    assert made.counters.judged == {"refuse": 1, "allow": 1}


def test_other_kinds_carry_no_verdict(gate, held, signals):
    """Nobody left."""
    kinds = ("in", "near", "parked", "turned_back", "unresolved")
    assert decide(gate(held()), *(row(kind=kind, passage=kind[0] * 32) for kind in kinds)) == [None] * 5
    assert signals.told == []


def test_reads_that_come_late_sound_no_siren(gate, held, signals):
    """They carry their verdict all the same, and are counted."""
    made = gate(held())
    assert decide(made, row(), arrived_us=NOW + LATE_US + 1) == ["refuse"]
    assert (signals.told, made.counters.late) == ([], 1)
    assert decide(made, row(passage="b" * 32), arrived_us=NOW + LATE_US) == ["refuse"]
    assert len(signals.told) == 1


def test_foreign_tags_give_no_event_and_are_counted(gate, held, signals):
    """Their open passages aren't noted either; one that was told of is told to its end."""
    made = gate(held())
    assert (
        decide(made, row(tag=OTHER), row(2, tag=OTHER, final=True), row(kind="near", tag="e2", passage="c" * 32)) == []
    )
    assert made.counters.foreign == 2
    assert made._silent == {"c" * 32}
    assert not made.is_noted("c" * 32, "e2", 1)
    assert not made.is_noted("d" * 32, "e2", 0)
    assert made.is_noted("d" * 32, "e2", 1)
    assert made.is_noted("d" * 32, epc(5), 0)
    made.box[0] = None
    assert decide(made, row(passage="b" * 32, tag=OTHER)) == ["stale"]
    made.box[0] = held()
    assert decide(made, row(2, passage="b" * 32, tag=OTHER, final=True)) == ["stale"]
    assert made.is_noted("b" * 32, OTHER, 1)


def test_a_pass_that_was_no_exit_after_all_is_free_again(gate, held):
    """What is used is kept on disk each time that it changes."""
    made = gate(held(entry(1, "allow_once")))
    assert decide(made, row()) == ["allow"]
    assert decide(made, row(passage="b" * 32)) == ["refuse"]
    assert decide(made, row(2, "turned_back", final=True)) == [None]
    assert decide(made, row(passage="c" * 32)) == ["allow"]
    made.forget(["c" * 32])
    assert [len(_decoded(one)) for one in made.box[1:]] == [1, 0, 1, 0]
    assert decide(made, row(passage="d" * 32)) == ["allow"]
    made.box[0] = held(entry(3))
    assert decide(made, row(passage="e" * 32)) == ["refuse"]
    assert len(_decoded(made.box[-1])) == 0


def _decoded(payload):
    uses = Uses()
    uses.decode(payload)
    return uses


def test_who_takes_it_out_without_a_badge_is_told_amber_at_the_end(gate, held, signals):
    """A badge may be shown after the tag has crossed; where none is read, the door says nothing."""
    made = gate(held(entry(1), doors=({**DOOR, "person": True},)))
    assert badge_words(Around(badge=False)) == NONE_SHOWN
    assert decide(made, row(badge=NONE_SHOWN), row(2, final=True, badge=NONE_SHOWN)) == ["allow", "allow"]
    assert [one[1] for one in signals.told] == ["allow", "carried"]
    shown = badge_words(Around(badge=True, persons=("p1",)))
    for badge, passage in ((shown, "b"), (None, "c")):
        assert decide(made, row(badge=badge, final=True, passage=passage * 32)) == ["allow"]
    assert [one[1] for one in signals.told[2:]] == ["allow", "allow"]
    assert decide(made, row(number=2, passage="d" * 32, final=True, badge=NONE_SHOWN)) == ["refuse"]


@pytest.mark.parametrize("provisional", [True, False])
def test_who_dawdles_outside_without_a_badge_is_told_amber_too(gate, held, signals, provisional):
    """The final comes seconds after the last read, however long after the crossing that is."""
    made = gate(held(entry(1), doors=({**DOOR, "person": True},)))
    if provisional:
        decide(made, row(badge=NONE_SHOWN))
    last = replace_row(row(2, final=True, badge=NONE_SHOWN), ended_at=instant(NOW + 60 * SECOND))
    made.decide([last], arrived_us=NOW + 65 * SECOND)
    assert signals.told[-1][1] == "carried"
    late = replace_row(row(2, final=True, badge=NONE_SHOWN, passage="b" * 32), ended_at=instant(NOW + 60 * SECOND))
    made.decide([late], arrived_us=NOW + 71 * SECOND)
    assert len(signals.told) == 1 + provisional, "held back by a reader"


def test_a_siren_that_fails_stops_no_event(gate, held, signals):
    """It is counted, and logged once."""
    signals.error = RuntimeError("no such relay")
    made = gate(held())
    assert decide(made, row(), row(passage="b" * 32)) == ["refuse", "refuse"]
    assert made.counters.signal_failures == 2
