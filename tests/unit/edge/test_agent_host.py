"""What the heartbeat tells of the machine: figures of a kernel's files, and none where they are missing or absurd."""

import pytest
from msgspec import UNSET

from edge.agent.host import clock_offset_us, host_health, read_timex
from edge.contracts import Health, HostHealth, decode_health, encode, instant

MEMINFO = "MemTotal:        4028472 kB\nMemFree:  1 kB\nMemAvailable:    3114952 kB\n"


def board(root, *, zones=("52100", "48000"), meminfo=MEMINFO):
    """A root folder as a board's kernel fills it."""
    for number, told in enumerate(zones):
        zone = root / "sys" / "class" / "thermal" / f"thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "temp").write_text(told)
    (root / "proc").mkdir()
    (root / "proc" / "meminfo").write_text(meminfo)


def test_heat_memory_and_disk_are_told(tmp_path):
    board(tmp_path)
    told = host_health(tmp_path, host_synced=False, root=tmp_path)
    assert (told.temperature_c, told.memory_available_bytes, told.memory_bytes, told.host_synced) == (
        52.1, 3114952 * 1024, 4028472 * 1024, False,
    )  # fmt: skip
    assert 0 <= told.disk_free_bytes <= told.disk_bytes
    assert told.load_1m >= 0
    beat = Health(gateway="g", boot="b", at=instant(0), uptime_s=1.0, uplink="live", readers=[], streams=[], host=told)
    assert decode_health(encode(beat)).host == told


@pytest.mark.parametrize("zones", [(), ("no number",), ("",)])
def test_an_absent_or_dumb_sensor_tells_nothing(tmp_path, zones):
    board(tmp_path, zones=zones)
    assert host_health(tmp_path, host_synced=True, root=tmp_path).temperature_c is None


def test_a_machine_that_tells_nothing_still_has_a_heartbeat(tmp_path):
    told = host_health(tmp_path / "gone", host_synced=True, root=tmp_path)
    assert (told.temperature_c, told.memory_bytes, told.disk_free_bytes) == (None, None, None)


def timex(*, offset=0, error=0, status=0):
    """The 64-bit `struct timex` of adjtimex(2): modes, offset, freq, maxerror, esterror, status."""
    longs = [0, offset, 0, 0, error]
    return (
        b"".join(value.to_bytes(8, "little", signed=True) for value in longs) + status.to_bytes(4, "little") + bytes(99)
    )


def test_the_clocks_offset_is_microseconds_whatever_the_kernels_unit():
    assert read_timex(timex(offset=-180, error=95), 0) == (-180, 95)
    assert read_timex(timex(offset=-180_000, error=95, status=0x2001), 0) == (-180, 95)


def test_a_clock_that_nobody_disciplines_has_no_offset():
    assert read_timex(timex(offset=1), 5) == (None, None)
    assert read_timex(timex(offset=1), -1) == (None, None)
    assert len(clock_offset_us()) == 2


def test_an_older_agents_heartbeat_without_host_is_read():
    beat = Health(gateway="g", boot="b", at=instant(0), uptime_s=1.0, uplink="live", readers=[], streams=[])
    assert decode_health(encode(beat)).host is UNSET
    assert HostHealth().host_synced
