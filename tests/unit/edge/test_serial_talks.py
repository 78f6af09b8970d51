"""Conversations without a line and without waiting: bytes and times in, turns out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.readers.errors import ReaderSilentError
from edge.readers.serial import SerialSettings
from edge.readers.serial.conversation import IDLE_S
from edge.readers.serial.r200_talk import SILENCE_S, R200Talk
from edge.readers.serial.uhfreader_talk import UhfReaderTalk
from tests.helpers.fake_serial import r200_frame, uhf_frame

EU = (865_700, 866_300, 866_900, 867_500)
INFO_BB = r200_frame(1, 3, [0, *b"M100"])
FIRMWARE_BB = r200_frame(1, 3, [1, *b"V2"])
NO_TAG = r200_frame(1, 0xFF, [0x15])
TAG = r200_frame(2, 0x22, [0xC9, 0x30, 0, *range(12), 0, 0])
INFO_288 = uhf_frame(0x21, [0, 0, 22, 0x0C, 3, 0x4E, 0, 30, 3, 1, 0, 0, 0])
TAG_288 = uhf_frame(1, [1, 1, 1, 4, 1, 2, 3, 4, 100])


def settings(protocol, **knobs):
    """A reader's settings."""
    return SerialSettings(
        id="r1", serial="-", protocol=protocol, **{"antennas": (1, 2), "answer_timeout_s": 1.0} | knobs
    )


def r200(**knobs):
    """An R200's conversation that has begun at 0 s."""
    talk = R200Talk(settings("r200", **knobs))
    talk.start(0.0)
    return talk


def polling():
    """An R200 that polls since 0 s."""
    talk = r200()
    assert talk.receive(INFO_BB, 0.0).send == r200_frame(0, 3, [1])
    assert talk.receive(FIRMWARE_BB, 0.0).send == r200_frame(0, 0x27, [0x22, 0xFF, 0xFF])
    assert talk.ready
    return talk


def ticks(talk, seconds):
    """Let time pass without a word."""
    for second in seconds:
        talk.tick(float(second))


def test_dialects_are_tried_in_turn_until_one_answers():
    talk = r200()
    heads = [talk.tick(float(second)).send[:1] for second in range(1, 5)]
    assert heads == [b"\xaa", b"\xbb", b"\xaa", b"\xbb"]
    answer = talk.receive(r200_frame(1, 3, [0, *b"M100"], 0xAA), 4.5)
    assert answer.send == r200_frame(0, 3, [1], 0xAA), "from now on in the dialect that was answered"


def test_nobody_is_asked_for_ever():
    with pytest.raises(ReaderSilentError, match="asked 3 times"):
        ticks(r200(), range(1, 10))


def test_a_module_that_still_polls_is_understood_and_stopped():
    """Another client died: notices come before any answer."""
    talk = r200()
    turn = talk.receive(TAG + r200_frame(1, 0x28, [0]) + INFO_BB, 0.1)
    assert len(turn.sightings) == 1
    assert turn.send == r200_frame(0, 3, [1])


def test_a_late_answer_is_not_taken_for_another():
    talk = r200()
    talk.receive(INFO_BB + INFO_BB, 0.0)
    assert not talk.ready, "the second one answers nothing"
    talk.receive(FIRMWARE_BB, 0.1)
    assert talk.ready
    assert talk.who == "M100, firmware V2"


def test_a_question_that_need_not_be_answered_is_left_after_three_tries():
    talk = r200(region="eu", channels_khz=EU)
    talk.receive(INFO_BB + FIRMWARE_BB, 0.0)
    ticks(talk, range(1, 4))
    assert talk.notes == ["the reader does not answer region eu"]
    assert not talk.ready, "the channels come next"


def test_silence_is_met_by_a_stop_and_a_start_and_ends_in_a_loss():
    talk = polling()
    assert talk.tick(SILENCE_S / 2).send == b""
    assert talk.tick(SILENCE_S).send == r200_frame(0, 0x28, [])
    assert talk.receive(r200_frame(1, 0x28, [0]), SILENCE_S + 0.1).send == r200_frame(0, 0x27, [0x22, 0xFF, 0xFF])
    with pytest.raises(ReaderSilentError, match="not even that it stops"):
        ticks(talk, [second * SILENCE_S for second in range(3, 9)])


def test_rounds_without_tags_are_signs_of_life():
    talk = polling()
    for tenth in range(1, 100):
        assert talk.receive(NO_TAG, tenth / 10).heard
        assert talk.tick(tenth / 10).send == b""


def test_half_a_frame_is_given_up_after_a_pause_and_the_next_is_found():
    talk = polling()
    talk.receive(TAG[:9], 0.1)
    assert talk.tick(0.1 + IDLE_S / 2).sightings == []
    assert talk.faults == 0
    talk.tick(0.11 + IDLE_S)
    assert talk.faults == 1
    assert len(talk.receive(TAG, 0.4).sightings) == 1


def test_what_came_before_the_first_frame_is_no_loss():
    """We open the line in midstream."""
    talk = r200()
    talk.receive(TAG[5:], 0.1)
    talk.tick(0.3)
    assert talk.faults == 0


def test_inventories_go_round_the_antennas_with_slots_for_the_tags_heard():
    talk = UhfReaderTalk(settings("uhfreader288"))
    talk.start(0.0)
    first = talk.receive(INFO_288, 0.0).send
    assert (first[3], first[-4]) == (2, 0x80), "Q 2 at antenna 1"
    second = talk.receive(TAG_288, 0.1).send
    assert (second[3], second[-4]) == (2, 0x81)
    many = uhf_frame(1, [1, 2, 20, *([4, 1, 2, 3, 4, 100] * 20)])
    third = talk.receive(many, 0.2).send
    assert third[-4] == 0x80
    fourth = talk.receive(TAG_288, 0.3).send
    assert (fourth[3], fourth[-4]) == (5, 0x81), "20 tags were heard there: 2^5 slots"


frames = st.sampled_from(
    [INFO_BB, FIRMWARE_BB, NO_TAG, TAG, INFO_288, TAG_288, uhf_frame(1, [0xF8]), uhf_frame(0xEE, [0, 1])]
)


@pytest.mark.parametrize("protocol", ["r200", "uhfreader18", "uhfreader288"])
@given(steps=st.lists(st.tuples(st.floats(0, 2), st.binary(max_size=40) | frames), max_size=30))
def test_whatever_comes_a_conversation_goes_on_or_says_that_the_reader_is_silent(protocol, steps):
    """No bytes at any time raise anything else, and what is sent is whole frames of bounded length."""
    talk = (R200Talk if protocol == "r200" else UhfReaderTalk)(
        settings(protocol, region="eu", channels_khz=EU, tx_power_dbm=20.0, power_cap_cdbm=1850)
    )
    now_s, sent = 0.0, [talk.start(0.0)]
    try:
        for pause_s, data in steps:
            now_s += pause_s
            sent.append(talk.receive(data, now_s).send)
            sent.append(talk.tick(now_s).send)
    except ReaderSilentError:
        pass
    assert all(len(data) < 200 for data in sent)
