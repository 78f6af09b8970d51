"""Sessions and targets follow the tags that stay."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.readers.planner import CENSUS_EVERY_US, CENSUS_US, PlanLimits, Planner, Round, sessions_for
from edge.readers.residents import GONE_US, Residents
from tests.unit.edge.test_readers_antennas import START_US, S, heard

TAGS = [bytes([0x30, number]) + bytes(10) for number in range(200)]
REFERENCE = (1, b"\xe2\x80\x11")


class Field:
    """Steps a planner second by second."""

    def __init__(self, **limits) -> None:
        self.planner = Planner(PlanLimits(**{"filters": 8} | limits))
        self.now_us = START_US
        self.changes = 0

    def seconds(self, count, *, residents=0, newcomers=()):
        for _ in range(count):
            self.now_us += S
            self.changes += self.planner.step(self.now_us, residents=residents, newcomers=newcomers)
        return self.planner.plan


def test_up_to_thirty_residents_all_tags_answer_again_and_again():
    field = Field()
    plan = field.seconds(600, residents=30, newcomers=TAGS[:3])
    assert (plan.rounds, plan.full, field.changes) == ((Round(0, "dual"),), True, 0)


def test_more_residents_are_kept_quiet_once_they_have_stayed():
    field = Field()
    assert field.seconds(5, residents=31).full
    plan = field.seconds(2, residents=31)
    assert (plan.rounds, plan.full) == ((Round(2, "single"),), False)
    assert "31 tags stay and are kept quiet in S2" in plan.words


def test_a_cart_that_passes_changes_nothing():
    field = Field()
    for _ in range(20):
        field.seconds(4, residents=80)
        field.seconds(3, residents=4)
    assert field.changes == 0


def test_newcomers_get_rounds_of_their_own_beside_the_quiet_ones():
    field = Field()
    field.seconds(10, residents=200)
    plan = field.seconds(2, residents=200, newcomers=TAGS[:2])
    find, follow = plan.rounds
    assert (find.session, find.target, find.masks) == (2, "single", ())
    assert (follow.session, follow.target, follow.masks) == (0, "dual", tuple(TAGS[:2]))
    assert field.seconds(2, residents=200).rounds == (Round(2, "single"),), "until they have passed"


def test_more_newcomers_than_masks_take_turns():
    field = Field(filters=2)
    field.seconds(10, residents=200)
    followed = [set(field.seconds(1, residents=200, newcomers=TAGS[:5]).rounds[1].masks) for _ in range(10)]
    assert all(len(masks) == 2 for masks in followed)
    assert set().union(*followed) == set(TAGS[:5]), "nobody waits for ever"


def test_a_crowd_of_newcomers_opens_the_round_to_all():
    field = Field(filters=2)
    field.seconds(10, residents=200)
    follow = field.seconds(2, residents=200, newcomers=TAGS[:9]).rounds[1]
    assert (follow.masks, follow.target) == ((), "dual")


def test_reference_tags_are_asked_on_their_own_antennas_while_residents_are_quiet():
    field = Field(references=(REFERENCE,), filters=2)
    look = field.seconds(10, residents=200).rounds[1]
    assert (look.ports, look.masks_at(1), look.target) == ((1,), (REFERENCE[1],), "dual")
    follow = field.seconds(2, residents=200, newcomers=TAGS[:1]).rounds[1]
    assert follow.masks_at(1) == (TAGS[0], REFERENCE[1])
    assert follow.masks_at(2) == (TAGS[0],)


def test_prefixes_alone_are_asked_and_reference_tags_besides():
    field = Field(select=(b"\x30",), references=(REFERENCE,))
    (one,) = field.planner.plan.rounds
    assert one.masks_at(1) == (b"\x30", REFERENCE[1])
    assert one.masks_at(2) == (b"\x30",)
    assert Field(select=(b"\x30",), filters=0).planner.plan.rounds == (Round(0, "dual"),)


def test_a_census_lets_all_speak_and_ends_by_what_it_finds():
    field = Field()
    field.seconds(10, residents=100)
    assert field.planner.remembers
    plan = field.seconds(CENSUS_EVERY_US // S, residents=100)
    assert (plan.full, field.planner.remembers) == (True, False)
    assert "counts the tags that stay" in plan.words
    still_many = field.seconds(CENSUS_US // S + 1, residents=100)
    assert not still_many.full
    field.seconds(CENSUS_EVERY_US // S + 1, residents=100)
    assert field.seconds(CENSUS_US // S + 1, residents=12).full, "most were carried away"


def test_no_census_while_somebody_passes():
    field = Field()
    field.seconds(10, residents=100)
    assert not field.seconds(2 * CENSUS_EVERY_US // S, residents=100, newcomers=TAGS[:1]).full


def test_limits_of_the_reader_and_of_the_settings_are_kept():
    assert Field(rounds=1).seconds(600, residents=500).full, "a reader with one AISpec can't take turns"
    assert Field(quiet_above=0).seconds(600, residents=500).full


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 6)), max_size=200))
def test_a_plan_changes_at_most_once_a_second_and_holds_what_the_reader_takes(steps):
    planner = Planner(PlanLimits(filters=3, references=(REFERENCE,)))
    changed_us, now_us = 0, START_US
    for residents, new in steps:
        now_us += S // 4
        if planner.step(now_us, residents=residents, newcomers=TAGS[:new]):
            assert now_us - changed_us >= S
            changed_us = now_us
        for one in planner.plan.rounds:
            assert len(one.masks_at(1)) <= 3
            assert one.duration_ms or len(planner.plan.rounds) == 1


def test_neighbouring_slots_share_no_session():
    assert sessions_for(0, 0, None) == (0, 2)
    assert sessions_for(1, 0, None) == (1, 3)
    assert sessions_for(0, 1, None) == (1, 2)
    assert sessions_for(1, 1, None) == (0, 3)
    assert sessions_for(1, 0, 2) == (2, 2), "a fixed session is kept to"
    assert sessions_for(0, 0, 0) == (0, 2)


def hear(residents, epcs, at_us):
    residents.hear(heard(*((epc.hex(), 1, -5000, 1, at_us) for epc in epcs)))


def test_who_stays_ten_seconds_is_a_resident_and_who_walks_through_is_not():
    residents = Residents([TAGS[9]])
    for second in range(12):
        hear(residents, [TAGS[0], TAGS[9]], START_US + second * S)
        if second < 4:
            hear(residents, [TAGS[1]], START_US + second * S)
    assert residents.count() == 1, "TAGS[9] is a reference tag"
    assert residents.newcomers(START_US + 11 * S) == [TAGS[0]], "who has passed is no newcomer any more"


def test_a_tag_that_left_is_forgotten_and_comes_back_as_a_newcomer():
    residents = Residents()
    for second in range(20):
        hear(residents, [TAGS[0]], START_US + second * S)
    gone_us = START_US + 20 * S + GONE_US
    residents.forget_gone(gone_us)
    assert residents.count() == 0
    hear(residents, [TAGS[0]], gone_us + S)
    assert residents.newcomers(gone_us + S) == [TAGS[0]]


def reads_of_a_walker(limits, residents, *, seed):
    """Play a walk of 2 s past many residents under a plan that follows what is heard (domain.md, item 12).

    The air in its simplest: 200 answers a second, of all who may answer each is as likely; a tag read in a
    single-target round keeps quiet for good, and a round of 15 ms at least is spent however few answer.
    """
    rng, planner = random.Random(seed), Planner(limits)
    here = Residents()
    quiet, reads, now_us, next_look_us, round_end_us, turn = set(), 0, START_US, START_US, START_US, 0
    begin_us = START_US + 30 * S
    while now_us < begin_us + 2 * S:
        present = TAGS[:residents] + ([TAGS[-1]] if now_us >= begin_us else [])
        rounds = planner.plan.rounds
        if now_us >= round_end_us:
            turn += 1
            round_end_us = now_us + rounds[turn % len(rounds)].duration_ms * 1000
        one = rounds[turn % len(rounds)]
        asked = [tag for tag in present if not one.masks or tag in one.masks]
        asked = [tag for tag in asked if one.target == "dual" or tag not in quiet]
        now_us += 15_000 if not asked else max(5_000, 15_000 // len(asked))
        if asked:
            tag = rng.choice(asked)
            quiet.update([tag] if one.target == "single" else [])
            reads += tag == TAGS[-1]
            here.note(tag, now_us)
        if now_us >= next_look_us:
            next_look_us += S // 5
            if not planner.remembers:
                here.forget_gone(now_us)
            planner.step(
                now_us, residents=here.count(), newcomers=here.newcomers(now_us, since_us=planner.newcomers_from_us)
            )
    return reads


@pytest.mark.parametrize("residents", [50, 190])
def test_a_walker_among_many_residents_is_read_several_times_as_often_by_the_plan(residents):
    planned = [reads_of_a_walker(PlanLimits(filters=2), residents, seed=seed) for seed in range(8)]
    plain = [reads_of_a_walker(PlanLimits(quiet_above=0), residents, seed=seed) for seed in range(8)]
    assert statistics.median(planned) >= 3 * statistics.median(plain)
    assert min(planned) >= 15, "which a decision wants"


def test_few_residents_cost_a_walker_nothing_by_the_plan():
    planned = [reads_of_a_walker(PlanLimits(filters=2), 10, seed=seed) for seed in range(6)]
    plain = [reads_of_a_walker(PlanLimits(quiet_above=0), 10, seed=seed) for seed in range(6)]
    assert planned == plain
