"""Beams in order, motion, contacts and badges."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.world.sensors import Active
from tests.helpers.worlds import DOOR, walk, world

BEAMS = "".join(
    f'[[sensors]]\nid = "b{gpi}"\nkind = "beam"\nportal = "door"\nreader = "r1"\ngpi = {gpi}\nx_m = {x}\n'
    for gpi, x in ((1, -0.4), (2, 0.4))
)


def sensor(kind, **keys):
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f'[[sensors]]\nid = "s"\nkind = "{kind}"\nportal = "door"\nreader = "r1"\ngpi = 3\n{lines}'


def changes(source, until_s=60):
    return [(round(one.at_us / 1e6, 2), one.port, one.high) for one in source.take_inputs(until_s * 1_000_000)]


def test_two_beams_break_in_the_order_of_the_walk():
    assert changes(world(BEAMS + walk(1.0, speed_mps=1.0, carry="none"))) == [
        (4.38, 1, True),
        (4.82, 1, False),
        (5.18, 2, True),
        (5.62, 2, False),
    ]
    back = changes(world(BEAMS + walk(1.0, speed_mps=1.0, carry="none", reverse=True)))
    assert [port for _, port, _ in back] == [2, 2, 1, 1]


def test_a_cart_and_who_pushes_it_break_a_beam_one_after_the_other():
    ports = [port for _, port, _ in changes(world(BEAMS + walk(1.0, tags=[1], carry="cart")))]
    assert ports.count(1) == ports.count(2) == 4


def test_a_hand_that_reaches_through_breaks_the_beam_and_who_walks_by_does_not():
    reach = '[[routes]]\nid = "reach"\nportal = "door"\npoints = [[-0.6, 0.0], [0.5, 0.0], [-0.6, 0.0]]\n'
    ports = [port for _, port, _ in changes(world(BEAMS + reach + walk(1.0, "reach", carry="arm")))]
    assert ports == [1, 1, 2, 2, 2, 2, 1, 1]
    past = '[[routes]]\nid = "past"\nportal = "door"\npoints = [[-0.4, 4.0], [-0.4, 0.9]]\n'
    assert changes(world(BEAMS + past + walk(1.0, "past", carry="none"))) == []


def test_motion_is_seen_while_somebody_moves_in_range():
    stop = '[[routes]]\nid = "stop"\nportal = "door"\npoints = [[-4.0, 0.0], [-1.0, 0.0, 5.0], [-4.0, 0.0]]\n'
    source = world(sensor("motion", range_m=2.0) + stop + walk(1.0, "stop", carry="none", speed_mps=1.0))
    assert changes(source) == [(3.0, 3, True), (5.0, 3, False), (9.0, 3, True), (11.0, 3, False)]


def test_a_contact_follows_its_door_and_an_inverted_one_is_high_while_shut():
    leaf = '[[doors]]\nid = "d"\ndoorway = "door"\nopens = [[10.0, 20.0]]\n'
    assert changes(world(leaf + sensor("contact", door='"d"'))) == [(10.05, 3, True), (20.95, 3, False)]
    inverted = world(leaf + sensor("contact", door='"d"', active_high="false"))
    assert changes(inverted) == [(0.0, 3, True), (10.05, 3, False), (20.95, 3, True)]
    propped = world('[[doors]]\nid = "d"\ndoorway = "door"\nopens = "always"\n' + sensor("contact", door='"d"'))
    assert changes(propped) == [(0.0, 3, True)]


def test_a_badge_gives_half_a_second_in_each_cycle():
    badge = '[[badges]]\nat_s = 2.0\nportal = "door"\nperson = "anna"\n'
    assert changes(world(sensor("badge") + badge)) == [(2.0, 3, True), (2.5, 3, False)]
    cycles = world("cycle_s = 20.0\n" + DOOR + sensor("badge") + badge, base="")
    assert [at for at, _, _ in changes(cycles)] == [2.0, 2.5, 22.0, 22.5, 42.0, 42.5]


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 80)), max_size=20),
    st.lists(st.integers(0, 1100), max_size=10),
)
def test_activity_is_the_union_of_its_spans_however_it_is_asked(spans, cuts):
    active = Active()
    for begin, length in spans:
        active.add(begin, begin + length)
    told = [change for cut in [*sorted(cuts), 2000] for change in active.until(cut)]
    covered = [any(begin <= at < begin + length for begin, length in spans) for at in range(-1, 1101)]
    expected = [(at - 1, covered[at]) for at in range(1, len(covered)) if covered[at] != covered[at - 1]]
    assert told == expected


@given(st.lists(st.integers(0, 30_000_000), max_size=12))
def test_inputs_are_the_same_however_time_is_cut(cuts):
    more = BEAMS + sensor("motion") + walk(1.0, carry="none") + walk(1.8, tags=[1, 2, 3, 4], carry="cart")
    whole, cut = world(more), world(more)
    told = [change for at_us in [*sorted(cuts), 40_000_000] for change in cut.take_inputs(at_us)]
    assert told == whole.take_inputs(40_000_000)
