"""Scoring: perfect findings score perfectly, each kind of mistake is counted once where it belongs."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from edge.contracts import Clock, Evidence, MovementRow, encode, encode_envelope, instant
from simulator.cli import app
from simulator.scoring import Call, Visit, score
from simulator.scoring.calls import Published, Said, calls_of
from simulator.scoring.delays import summary
from simulator.scoring.match import match
from simulator.scoring.score import together
from simulator.scoring.table import FIVE, THREE
from simulator.scoring.visits import CROSSINGS, KINDS

S = 1_000_000
OPPOSITE = {"in": "out", "out": "in"}


@st.composite
def visits(draw):
    """Visits of a few tags to two portals, each tag at one at a time, all of them read."""
    found = []
    for tag in range(draw(st.integers(1, 4))):
        at_us = draw(st.integers(0, 30 * S))
        for _ in range(draw(st.integers(1, 4))):
            length_us = draw(st.integers(1 * S, 30 * S))
            kind = draw(st.sampled_from(KINDS))
            found.append(
                Visit(
                    epc=f"{tag:04x}",
                    portal=draw(st.sampled_from(["a", "b"])),
                    kind=kind,
                    started_us=at_us,
                    ended_us=at_us + length_us,
                    crossed_us=at_us + length_us // 2 if kind in CROSSINGS else None,
                    group=draw(st.sampled_from(["", "walk-1", "walk-2"])),
                    reads=draw(st.integers(1, 40)),
                )
            )
            # Further apart than the slack on both sides: else a dropped event may find another visit.
            at_us += length_us + draw(st.integers(5 * S, 60 * S))
    return found


def perfect(found):
    """Return what a faultless edge would say of visits."""
    calls = []
    for number, visit in enumerate(found):
        final = Said(visit.kind, visit.started_us, visit.ended_us, visit.ended_us, visit.crossed_us)
        early = replace(final, known_us=(visit.crossed_us or 0) + S) if visit.kind in CROSSINGS else None
        calls.append(Call(visit.epc, visit.portal, f"{number:032x}", provisional=early, final=final))
    return calls


@given(visits(), st.randoms())
def test_perfect_events_score_perfectly_in_any_order(found, rng):
    """All right, nothing wrong, F1 of 1, tag by tag and by group."""
    calls = perfect(found)
    rng.shuffle(calls)
    got = score(found, calls)
    for table in (got.final, got.groups):
        assert table.right == table.visits > 0
        assert table.direction_errors == table.missed_visits == table.missed_passages == 0
        assert table.false_events == table.false_passages == table.never_read == table.unmonitored == 0
        assert table.macro_f1(FIVE) == table.macro_f1(THREE) == 1.0
    crossings = sum(visit.kind in CROSSINGS for visit in found)
    assert got.final.visits == len(found)
    assert got.final.through["right"] == sum(got.final.through.values()) == crossings
    assert got.provisional.right == got.provisionals == crossings
    assert got.contradicted == got.open == 0
    assert all(delay == S for delay in got.delays.provisional_us)


@given(visits(), st.data())
def test_a_dropped_event_is_one_missed_visit(found, data):
    """Nothing else changes but the count of what was right."""
    calls = perfect(found)
    gone = data.draw(st.integers(0, len(calls) - 1))
    got = score(found, calls[:gone] + calls[gone + 1 :]).final
    crossed = found[gone].kind in CROSSINGS
    assert got.missed_visits == 1
    assert got.missed_passages == got.through["missed"] == crossed
    assert got.right == got.visits - 1
    assert got.false_events == got.false_passages == got.direction_errors == 0


@given(visits(), st.data())
def test_another_kind_is_one_mistake_where_it_belongs(found, data):
    """A crossing the wrong way, a crossing taken for another kind, another kind taken for a crossing."""
    calls = perfect(found)
    at = data.draw(st.integers(0, len(calls) - 1))
    kind = data.draw(st.sampled_from([one for one in KINDS if one != found[at].kind]))
    calls[at] = replace(calls[at], final=replace(calls[at].final, kind=kind))
    got = score(found, calls).final
    true = found[at].kind
    assert got.matrix[true][kind] == 1
    assert got.right == got.visits - 1
    assert got.direction_errors == got.through["wrong_way"] == (OPPOSITE.get(true) == kind)
    assert got.missed_passages == (true in CROSSINGS and kind not in CROSSINGS)
    assert got.false_passages == (true not in CROSSINGS and kind in CROSSINGS)
    assert got.missed_visits == got.false_events == 0


@given(visits(), st.sampled_from(KINDS))
def test_a_call_of_nothing_is_one_false_event(found, kind):
    """A tag that never came."""
    stranger = Said(kind, 0, S, S, S)
    got = score(found, [*perfect(found), Call("ffff", "a", "f" * 32, final=stranger)]).final
    assert got.false_events == 1
    assert got.false_passages == (kind in CROSSINGS)
    assert got.right == got.visits


@given(visits(), st.data())
def test_what_nobody_read_is_no_miss(found, data):
    """A tag without reads can't be called: it stands beside the matrix, and in the fate of what was carried."""
    at = data.draw(st.integers(0, len(found) - 1))
    calls = perfect(found)
    del calls[at]
    unread = [replace(visit, reads=0) if number == at else visit for number, visit in enumerate(found)]
    got = score(unread, calls).final
    assert got.never_read == 1
    assert got.missed_visits == 0
    assert got.through["never_read"] == (found[at].kind in CROSSINGS)
    assert got.right == got.visits == len(found) - 1


@given(visits())
def test_matching_gives_each_one_partner_and_loses_none(found):
    """Every visit once in order, every call once."""
    calls = perfect(found)
    pairs = match(found, calls + [replace(call, passage=call.passage[::-1] + "x") for call in calls])
    assert [pair.visit for pair in pairs[: len(found)]] == found
    passages = [pair.call.passage for pair in pairs if pair.call]
    assert len(passages) == len(set(passages)) == 2 * len(found)


@given(visits(), visits())
def test_two_runs_together_are_the_sum(one, other):
    """Counts add up; delays are pooled."""
    first, second = score(one, perfect(one)), score(other, perfect(other)[1:])
    both = together([first, second])
    assert both.final.visits == first.final.visits + second.final.visits
    assert both.final.missed_visits == 1
    assert sorted(both.delays.final_us) == sorted(first.delays.final_us + second.delays.final_us)
    assert both.final.matrix == first.plus(second).final.matrix


def worked():
    """Two people with two laptops each leave a second apart; a third turns back; a fourth enters by the hatch.

    Of walk-1 (a1, a2) one laptop is called out, the other has four reads and is called near. Of walk-2 (b1, b2) one is
    called the wrong way, one is unresolved. c turns back, is called out at first, and near in the end. d is carried
    through the hatch, where no antenna is. e goes in, in foil. And f, which lay still, is called out.
    """
    found = [
        Visit("a1", "door", "out", 0, 6 * S, 3 * S, "walk-1", 20),
        Visit("a2", "door", "out", 0, 6 * S, 3 * S, "walk-1", 4),
        Visit("b1", "door", "out", 1 * S, 7 * S, 4 * S, "walk-2", 9),
        Visit("b2", "door", "out", 1 * S, 7 * S, 4 * S, "walk-2", 15),
        Visit("c0", "door", "turned_back", 20 * S, 30 * S, None, "walk-3", 30),
        Visit("d0", "hatch", "in", 40 * S, 41 * S, 40 * S, "walk-4", 0, monitored=False),
        Visit("e0", "door", "in", 50 * S, 56 * S, 53 * S, "walk-5", 0),
    ]
    early = Said("out", 0, 4 * S, 4 * S, 3 * S)
    calls = [
        Call("a1", "door", "1", "g1", early, Said("out", 0, 7 * S, 9 * S, 3 * S)),
        Call("a2", "door", "2", "g1", None, Said("near", 1 * S, 4 * S, 9 * S)),
        Call("b1", "door", "3", "g2", None, Said("in", 1 * S, 7 * S, 10 * S, 4 * S)),
        Call("b2", "door", "4", "g2", None, Said("unresolved", 1 * S, 7 * S, 10 * S)),
        Call("c0", "door", "5", "", Said("out", 20 * S, 26 * S, 26 * S), Said("near", 20 * S, 31 * S, 33 * S)),
        Call("f0", "door", "6", "g3", None, Said("out", 2 * S, 5 * S, 8 * S, 3 * S)),
    ]
    return found, calls


def test_a_case_worked_by_hand():
    """Every figure of a small story, counted on paper."""
    got = score(*worked())
    tags = got.final
    assert (tags.visits, tags.right, tags.direction_errors) == (5, 1, 1)
    assert (tags.missed_visits, tags.missed_passages) == (0, 2)
    assert (tags.false_events, tags.false_passages) == (1, 1)
    assert (tags.never_read, tags.unmonitored) == (1, 1)
    assert {kind: count for kind, count in tags.through.items() if count} == {
        "right": 1,
        "wrong_way": 1,
        "called_otherwise": 1,
        "unresolved": 1,
        "never_read": 1,
        "unmonitored": 1,
    }
    # out: 1 hit, 4 true, 2 called; in: 0 hits, 1 called; turned_back: 0 of 1; near: 2 called; parked doesn't occur.
    assert tags.macro_f1(FIVE) == pytest.approx((2 / 6 + 0 + 0 + 0) / 4)
    # stayed: 1 hit, 1 true, 2 called.
    assert tags.macro_f1(THREE) == pytest.approx((2 / 6 + 0 + 2 / 3) / 3)
    assert [(name, sum(map(sum, (row.values() for row in rows.values())))) for name, rows in tags.bands.items()] == [
        ("1-4", 1),
        ("5-14", 1),
        ("15-", 3),
    ]
    # walk-1 is unresolved (a tie of out and near), walk-2 in by its only kind.
    assert (got.groups.visits, got.groups.right, got.groups.direction_errors) == (3, 0, 1)
    assert got.groups.matrix["out"]["unresolved"] == 1
    assert (got.provisionals, got.contradicted, got.open) == (2, 1, 0)
    assert (got.provisional.right, got.provisional.false_passages) == (1, 1)
    assert got.delays.provisional_us == (1 * S,)
    assert got.delays.final_us == (6 * S,)


def test_of_two_calls_the_longer_overlap_takes_the_visit_and_a_retraction_steps_back():
    """What was called plays no part where no call crosses near the true instant."""
    visit = Visit("aa", "door", "out", 0, 10 * S, 5 * S, reads=9)
    short = Call("aa", "door", "1", final=Said("out", 0, 2 * S, 2 * S))
    long = Call("aa", "door", "2", final=Said("in", 0, 9 * S, 9 * S))
    retracted = Call("aa", "door", "3", final=Said("retracted", 0, 10 * S, 10 * S))
    got = score([visit], [short, long, retracted])
    assert got.final.matrix["out"]["in"] == 1
    assert got.final.matrix["nothing"]["out"] == got.final.false_events == 1
    assert score([visit], [retracted]).final.missed_visits == 1


def test_a_crossing_at_its_instant_goes_before_a_longer_overlap():
    """Who lingers for a minute and then leaves is called twice: what he did first isn't what he did in the end."""
    visit = Visit("aa", "door", "out", 903 * S, 973 * S, 968 * S, reads=40)
    lingering = Call("aa", "door", "1", final=Said("turned_back", 902 * S, 912_100_000, 914 * S))
    leaving = Call("aa", "door", "2", final=Said("out", 966_500_000, 971 * S, 973 * S, 967_830_000))
    got = score([visit], [lingering, leaving]).final
    assert (got.right, got.missed_passages, got.false_passages, got.false_events) == (1, 0, 0, 1)
    assert got.matrix["nothing"]["turned_back"] == 1


def test_crossings_pair_by_the_nearest_instant_whatever_the_direction_and_order():
    """In and out again within two seconds: each call goes to its own, and one to one."""
    there = Visit("aa", "door", "in", 0, 4 * S, 3_500_000, reads=9)
    back = Visit("aa", "door", "out", 4 * S, 6 * S, 5 * S, reads=9)
    late = Call("aa", "door", "1", final=Said("out", 1 * S, 9 * S, 9 * S, 4_900_000))
    wrong = Call("aa", "door", "2", final=Said("out", 2 * S, 5 * S, 9 * S, 3_700_000))
    for calls in ([late, wrong], [wrong, late]):
        assert match([there, back], calls) == [(there, wrong), (back, late)]


@pytest.mark.parametrize(("apart_us", "first"), [(2 * S, True), (2 * S + 1, False)])
def test_a_crossing_called_further_away_pairs_by_overlap(apart_us, first):
    """Two seconds are near, more is not."""
    visit = Visit("aa", "door", "out", 0, 30 * S, 20 * S, reads=9)
    near = Call("aa", "door", "1", final=Said("near", 0, 15 * S, 15 * S))
    out = Call("aa", "door", "2", final=Said("out", 15 * S, 25 * S, 25 * S, 20 * S - apart_us))
    assert match([visit], [near, out])[0].call == (out if first else near)


def test_calls_alike_in_all_pair_alike_in_any_order():
    """Rows come in any order; the score doesn't hang on it."""
    visit = Visit("aa", "door", "near", 0, 10 * S, reads=9)
    said = {"1": "near", "2": "in", "3": "parked"}
    calls = [Call("aa", "door", name, final=Said(kind, 0, 9 * S, 9 * S)) for name, kind in said.items()]
    assert [match([visit], order)[0].call for order in (calls, calls[::-1])] == [calls[0], calls[0]]


@pytest.mark.parametrize(("apart_us", "belongs"), [(2 * S, True), (2 * S + 1, False)])
def test_a_call_may_be_two_seconds_beside_its_visit(apart_us, belongs):
    """A weak tag is heard at one end only."""
    visit = Visit("aa", "door", "near", 0, S, reads=2)
    call = Call("aa", "door", "1", final=Said("near", S + apart_us, 9 * S, 9 * S))
    assert score([visit], [call]).final.right == belongs


@pytest.mark.parametrize(
    ("outs", "ins", "called"), [(14, 14, "unresolved"), (14, 13, "out"), (13, 14, "in"), (0, 0, "never_called")]
)
def test_a_group_with_a_tie_is_unresolved(outs, ins, called):
    """Half of a cart out and half in is no finding, whichever kind is named first."""
    found = [Visit(f"{n:02}", "door", "out", 0, 6 * S, 3 * S, "cart", 9) for n in range(28)]
    kinds = ["out"] * outs + ["in"] * ins
    calls = [
        Call(visit.epc, "door", visit.epc, final=Said(kind, 0, 6 * S, 6 * S, 3 * S))
        for visit, kind in zip(found, kinds, strict=False)
    ]
    got = score(found, calls).groups
    assert got.matrix["out"][called] == got.visits == 1
    assert (got.right, got.direction_errors) == (called == "out", called == "in")


def test_a_group_that_comes_again_is_another_group():
    """Cycles repeat their walks under one name."""
    first = [Visit(f"a{n}", "door", "out", 0, S, reads=9, group="w") for n in range(3)]
    again = [replace(visit, started_us=60 * S, ended_us=61 * S) for visit in first]
    assert score(first + again, perfect(first + again)).groups.visits == 2


def test_quantiles_are_by_the_nearest_rank():
    """Of a hundred delays the ninetieth; of one, that one; of none, nothing."""
    assert summary([n * S for n in range(100, 0, -1)]) == {
        "crossings": 100, "p50_s": 50.0, "p90_s": 90.0, "p99_s": 99.0, "max_s": 100.0,
    }  # fmt: skip
    assert summary([3 * S])["p99_s"] == 3.0
    assert summary([])["p50_s"] is None


def row(passage, rev=1, *, final=True, kind="out", epc="a1", seq=1):
    """Return a movement row about a second that begins at 0."""
    return MovementRow(
        seq=seq,
        id=f"{passage}-{rev}",
        passage=passage,
        rev=rev,
        final=final,
        at=instant(S // 2),
        portal="door",
        epc=epc,
        kind=kind,
        confidence=0.9,
        started_at=instant(0),
        crossed_at=instant(S // 2),
        ended_at=instant(S),
        reads=9,
        evidence=Evidence(antennas=[]),
        clock=Clock(source="reader"),
    )


def test_rows_that_come_twice_or_out_of_order_make_one_call():
    """The highest final wins, the first arrival counts."""
    passage = "0" * 32
    rows = [
        Published(row(passage, 2), 9 * S),
        Published(row(passage, 1, final=False, kind="in"), 8 * S),
        Published(row(passage, 2), 3 * S),
        Published(row(passage, 1, final=False, kind="in"), 2 * S),
    ]
    (call,) = calls_of(rows)
    assert (call.final.kind, call.final.known_us) == ("out", 3 * S)
    assert (call.provisional.kind, call.provisional.known_us) == ("in", 2 * S)


TRUTH = {
    "scenario": "small",
    "seed": 1,
    "done": True,
    "portals": [{"id": "door", "gateway": "g", "site": "s", "layout": "two-sided", "inside": "a", "outside": "b"}],
    "crossings": [
        {"epc": "a1", "portal": "door", "kind": "out", "started_at": instant(0), "crossed_at": instant(S // 2),
         "ended_at": instant(S), "group": "w", "reads": 9, "tag": "ok", "monitored": True},
    ],
}  # fmt: skip


@pytest.fixture
def truth(tmp_path):
    """Write the truth of one crossing."""
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(TRUTH))
    return path


def test_the_command_takes_rows_and_envelopes_and_several_pairs(truth, tmp_path):
    """Lines of `replay`, of `run --events`, and of MQTT give the same score; arrivals give other delays."""
    line = encode(row("0" * 32))
    bare, arrived, envelopes = (tmp_path / name for name in ("bare", "arrived", "envelopes"))
    bare.write_bytes(line + b"\n\n")
    arrived.write_text(json.dumps({**json.loads(line), "arrived_at": instant(3 * S)}) + "\n")
    envelopes.write_bytes(encode_envelope(gateway="g", stream="movement", epoch="e", first=1, last=1, rows=[line]))
    words = [str(path) for events in (bare, arrived, envelopes) for path in (truth, events)]
    done = CliRunner().invoke(app, ["score", "--json", *words])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one["by_tag"]["final"]["right"] for one in found["scenarios"]] == [1, 1, 1]
    assert [one["delay"]["final"]["p50_s"] for one in found["scenarios"]] == [0.5, 2.5, 0.5]
    assert found["overall"]["by_tag"]["final"]["macro_f1"] == {"five_classes": 1.0, "three_classes": 1.0}
    shown = CliRunner().invoke(app, ["score", *words])
    assert shown.exit_code == 0
    assert "overall" in shown.stdout
    assert shown.stdout.count("small") > 3


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "line 1"), ('{"row": "movement"}', "line 1: row"), ("[]", "holds one row or envelope")],
)
def test_events_that_are_none_are_named_with_their_line(truth, tmp_path, content, words):
    """The exit code is 2."""
    events = tmp_path / "events.jsonl"
    events.write_text(content + "\n")
    done = CliRunner().invoke(app, ["score", str(truth), str(events)])
    assert done.exit_code == 2
    assert str(events) in done.stderr
    assert words in done.stderr


def test_a_truth_that_is_none_and_half_a_pair_are_named(truth, tmp_path):
    """What to do about it stands there."""
    none = tmp_path / "none.json"
    none.write_text("{}")
    done = CliRunner().invoke(app, ["score", str(none), str(none)])
    assert (done.exit_code, "write one with `stockgate-sim run --truth`" in done.stderr) == (2, True)
    done = CliRunner().invoke(app, ["score", str(truth)])
    assert (done.exit_code, "a truth file without events" in done.stderr) == (2, True)
    done = CliRunner().invoke(app, ["score", str(tmp_path / "no.json"), str(none)])
    assert (done.exit_code, "can't be read" in done.stderr) == (2, True)


def test_events_of_another_run_are_remarked_on(truth, tmp_path):
    """A portal that the truth doesn't name."""
    events = tmp_path / "events.jsonl"
    events.write_bytes(encode(row("0" * 32)).replace(b'"door"', b'"gate"') + b"\n")
    done = CliRunner().invoke(app, ["score", str(truth), str(events)])
    assert done.exit_code == 0
    assert "1 passages at portals" in done.stderr
