"""The conformance bench's own air keeps tags quiet as the Gen2 air interface says."""

import pytest

from simulator.world.command import AirCommand
from tests.helpers.conformance.tag_flags import LEAST_ROOM, TagFlags


@pytest.mark.parametrize(
    ("session", "search_mode", "heard"),
    [
        (0, 1, [True, True, True, True]),
        (2, 2, [True, True, True, True]),
        (2, 1, [True, False, False, False]),
        (1, 1, [True, False, False, True]),
        (1, 3, [True, False, False, False]),
    ],
)
def test_a_tag_that_answered_keeps_quiet_as_its_session_says(session, search_mode, heard):
    """Asked every 0.9 s, with power all the time: S1 comes back after 2 s, S2 and TagFocus don't."""
    command = AirCommand(session=session, search_mode=search_mode)
    flags = TagFlags()
    assert [flags.answers(b"\1", command, 900_000 * number) for number in range(4)] == heard


def test_without_power_for_a_while_a_quiet_tag_answers_again():
    command = AirCommand(session=3, search_mode=1)
    flags = TagFlags()
    assert [flags.answers(b"\1", command, at_us) for at_us in (0, 1_000_000, 3_100_000)] == [True, False, True]
    assert flags.answers(b"\2", command, 3_100_000)


def test_flags_that_have_lapsed_take_no_room():
    command = AirCommand(session=2, search_mode=1)
    flags = TagFlags()
    for number in range(3 * LEAST_ROOM):
        flags.answers(number.to_bytes(12), command, 1000 * number)
    assert len(flags._answered_us) <= LEAST_ROOM + 1
    assert not flags.answers((3 * LEAST_ROOM - 1).to_bytes(12), command, 3000 * LEAST_ROOM)
