"""Packets of a capture whose time is damaged, with the command `replay` and without it."""

import json
import re
import struct

import pytest
import structlog
from typer.testing import CliRunner

from edge.cli import app
from edge.llrp.capture import Endpoint, Packet, PacketTimes, RecordedConnection, RecordingNote, header, to_comment
from tests.helpers.captures import config
from tests.helpers.llrp_messages import message, report, tag

BEGIN_US = 1_700_000_000_000_000
YEAR_US = 366 * 86_400_000_000
ENHANCED = 6
READER, CLIENT = Endpoint("192.0.2.10", 5084), Endpoint("192.0.2.1", 40000)
EVENT = message(63, b"\0\xf6\0\x16\0\x80\0\x0c" + bytes(8) + b"\x01\0\0\6\0\0")


@pytest.fixture(autouse=True)
def logging_as_before():
    """The command configures structlog for the whole process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def recording():
    """A tag that passes one antenna, in a recording that names its boot."""
    one = RecordedConnection(client=CLIENT, reader=READER)
    note = to_comment(RecordingNote(version="0", boot="b1", first_seq=7))
    blocks = [header(application="test", comments=[note]), one.open(BEGIN_US), one.received(BEGIN_US, EVENT)]
    for step in range(60):
        at_us = BEGIN_US + step * 50_000
        level = -70 + min(step, 60 - step)
        blocks.append(one.received(at_us, report(tag(antenna=1, rssi_dbm=level, channel=1, last_us=at_us))))
    return b"".join(blocks)


def damaged(data, which, words):
    """Overwrite the time of some packets, by their number from 1 on, from its high word on."""
    found, at, number = bytearray(data), 0, 0
    while at < len(found):
        kind, size = struct.unpack_from("<II", found, at)
        if kind == ENHANCED:
            number += 1
            if which(number):
                found[at + 12 : at + 12 + len(words)] = words
        at += size
    return bytes(found)


def replayed(tmp_path, data):
    """Run the command on a recording; return exit code, rows and what it told."""
    (tmp_path / "x.pcapng").write_bytes(data)
    words = ["replay", str(tmp_path / "x.pcapng"), "--config", str(config(tmp_path, r1=READER.host))]
    result = CliRunner().invoke(app, words)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


@pytest.mark.parametrize("number", [1, 2, 31, 40])
def test_lone_damaged_time_changes_no_row_and_is_named(tmp_path, number):
    """Its neighbours say when it was, to 50 ms; where it stands is told, and exit is 1 as for other damages."""
    _, whole, _ = replayed(tmp_path, recording())
    code, rows, told = replayed(tmp_path, damaged(recording(), lambda one: one == number, b"\xff" * 4))
    assert code == 1
    assert rows == whole
    assert f"x.pcapng: packet {number} at byte " in told
    assert "its time is not in the years 2000 to 2100: taken at the time of the next one" in told


def test_jump_of_years_is_damage_too(tmp_path):
    """The time is one that can be, but no packet beside it is of those years."""
    _, whole, _ = replayed(tmp_path, recording())
    code, rows, told = replayed(tmp_path, damaged(recording(), lambda one: one == 20, b"\0\0\5\0"))
    assert (code, rows) == (1, whole)
    assert "packet 20 at byte " in told
    assert "its time is years away from those of the packets beside it" in told


def test_all_before_damage_that_does_not_end_is_kept(tmp_path):
    """Nobody knows when the others came: they are left out, and counted once the first ones are named."""
    data = damaged(recording(), lambda one: one > 30, b"\xff" * 8)
    code, rows, told = replayed(tmp_path, data)
    assert (code, [row["seq"] for row in rows]) == (1, [7])
    assert "packet 31 at byte " in told
    assert re.search(r"x.pcapng: (\d+) packets with a damaged time in all, \1 left out", told)
    assert "packet 40" not in told


def test_no_damaged_word_makes_a_traceback(tmp_path):
    """Every packet's time damaged in turn, by several words: exit 1 or 0, never an error of Python's."""
    for number in (1, 30, 62):
        for words in (b"\xff" * 8, b"\0\0\0\x80", b"\xff\xff\5\0"):
            code, _, _ = replayed(tmp_path, damaged(recording(), lambda one, n=number: one == n, words))
            assert code in {0, 1}


def judged(times_us):
    """Run times through the judge: (number, kept, time) of each packet, in the order in which it gives them."""
    times, found = PacketTimes(), []
    for at_us in times_us:
        found += times.take(Packet(at_us, 101, b""))
    found += times.finish()
    return [(one.number, one.damage is None, one.kept, one.packet.at_us) for one in found]


def test_two_recordings_in_one_file_are_both_good():
    """Joined recordings may be years apart, in either order."""
    times_us = [BEGIN_US, BEGIN_US + 1, BEGIN_US + 3 * YEAR_US, BEGIN_US + 3 * YEAR_US + 1, BEGIN_US - YEAR_US * 2] * 2
    found = judged([*times_us[:4], BEGIN_US, BEGIN_US + 5])
    assert found == [(n + 1, True, True, at) for n, at in enumerate([*times_us[:4], BEGIN_US, BEGIN_US + 5])]


@pytest.mark.parametrize("bad_us", [0, 1 << 62, BEGIN_US + 9 * YEAR_US])
@pytest.mark.parametrize("at", [0, 1, 2, 3, 4])
def test_one_bad_time_anywhere_is_found(bad_us, at):
    """At the beginning, in the middle and at the end; packets keep their order."""
    times_us = [BEGIN_US + n for n in range(5)]
    times_us[at] = bad_us
    found = judged(times_us)
    assert [one[0] for one in found] == [1, 2, 3, 4, 5]
    assert [one[1] for one in found] == [n != at for n in range(5)]
    assert [one[2] for one in found] == [n != at or at < 4 for n in range(5)]
    assert all(BEGIN_US <= one[3] <= BEGIN_US + 4 for one in found if one[2])


def test_one_packet_alone_is_good_and_none_is_nothing():
    """There is nobody that it could disagree with."""
    assert judged([BEGIN_US]) == [(1, True, True, BEGIN_US)]
    assert judged([]) == []


def test_damage_between_packets_that_are_far_apart_is_left_out():
    """An hour without packets: it may have been any time of it."""
    found = judged([BEGIN_US, BEGIN_US + 1, 0, BEGIN_US + 3_600_000_000])
    assert [one[2] for one in found] == [True, True, False, True]


def test_very_many_damaged_packets_do_not_wait():
    """Memory stays bounded."""
    times = PacketTimes()
    list(times.take(Packet(BEGIN_US, 101, b"")))
    list(times.take(Packet(BEGIN_US, 101, b"")))
    given = sum(len(list(times.take(Packet(0, 101, b"")))) for _ in range(5000))
    assert given == 5000
