"""Every number of the table of faults has bounds, and a reader at them still speaks."""

import pytest

from simulator.faults import ACTIONS, checked, switches
from simulator.faults.model import LAST_US
from simulator.server import events
from tests.helpers.devices import (
    NOW,
    by_sllurp,
    put,
    read,
    running,
    tags,
)


@pytest.mark.parametrize(
    ("switch", "value"),
    [
        ("clock_offset_us", 10**30),
        ("clock_offset_us", LAST_US + 1),
        ("booted_us", -(10**30)),
        ("attempt_status", 10**30),
        ("silent_antennas", [10**30]),
        ("greeting_bytes", "00" * 20_000),
        ("noise_db", float("nan")),
        ("half_open", "yes"),
        ("half_open", 1),
        ("noise_db", "0.5"),
        ("deaf", [True]),
        ("detuned_db", {"1": "6.0"}),
    ],
)
def test_a_switch_takes_values_of_its_own_type_within_its_bounds(switch, value):
    with pytest.raises(ValueError, match=f"^{switch} = "):
        checked(switch, value)


def test_every_number_of_the_table_is_bounded():
    schemas = [one.type for one in switches()] + [
        one.adapter.json_schema() for action in ACTIONS for one in action.arguments
    ]
    numbers = [part for schema in schemas for part in parts(schema) if part.get("type") in {"integer", "number"}]
    assert len(numbers) > 20
    assert all("minimum" in one and "maximum" in one for one in numbers)


def parts(schema):
    inner = [*schema.get("anyOf", ()), *(schema[key] for key in ("items", "additionalProperties") if key in schema)]
    return [schema, *(part for one in inner for part in parts(one))]


@pytest.mark.parametrize(
    ("by_us", "shows_us"), [(LAST_US, LAST_US), (-LAST_US, 0), (-NOW.utc_us, 0), (7, NOW.utc_us + 7)]
)
@pytest.mark.parametrize("times", [1, 3])
def test_a_clock_that_is_stepped_stops_at_1970_and_2100_and_runs_on(by_us, shows_us, times):
    device = running(clock_skew_ppm=100.0, skew_since_us=NOW.utc_us)
    for _ in range(times):
        device.act("step_clock", {"by_us": by_us}, NOW)
    shows_us += by_us * (times - 1) if by_us == 7 else 0
    assert device.faults.reader_utc_us(NOW.utc_us) == shows_us
    if shows_us < LAST_US:
        assert device.faults.reader_utc_us(NOW.utc_us + 10_000) == shows_us + 10_001


@pytest.mark.parametrize(
    "faults", [{"clock_offset_us": -LAST_US}, {"clock_offset_us": LAST_US}, {"booted_us": -LAST_US}]
)
@pytest.mark.parametrize("stamps", ["utc", "uptime"])
@pytest.mark.parametrize("omit_unchanged", [False, True])
def test_a_clock_at_its_bounds_is_still_encoded(faults, stamps, omit_unchanged):
    device = running(stamps=stamps, omit_unchanged=omit_unchanged, **faults)
    (tag,) = tags(put(device, [read()]))
    shown = tag[f"LastSeenTimestamp{'UTC' if stamps == 'utc' else 'Uptime'}"]
    assert 0 <= shown <= LAST_US
    event = events.buffer_overflow(NOW.by(device.faults))
    assert by_sllurp(event)[1]["ReaderEventNotificationData"]
