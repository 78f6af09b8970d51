"""What smart readers publish: payloads of public projects and manuals, every field optional, any bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.llrp.batch import NO_CHANNEL, NO_PHASE, NO_RSSI_CDBM, NO_TIME_US
from edge.readers.sightings import Channels, Sighting, to_batch
from edge.readers.smart import impinj, zebra

EPC = bytes.fromhex("7eda9038051002710002c0ae")
IMPINJ = {
    "timestamp": "2022-06-21T18:30:00.123456789Z",
    "hostname": "impinj-01-23-45",
    "eventType": "tagInventory",
    "tagInventoryEvent": {
        "epc": "ftqQOAUQAnEAAsCu",
        "epcHex": "7EDA9038051002710002C0AE",
        "tid": "4oARcCAAFM2bWgjs",
        "tidHex": "E2801170200014CD9B5A08EC",
        "pc": "NAA=",
        "antennaPort": 1,
        "antennaName": "ANTENNA-NAME",
        "peakRssiCdbm": -5800,
        "frequency": 926750,
        "transmitPowerCdbm": 3000,
        "lastSeenTime": "2022-06-21T18:30:00.120Z",
        "phaseAngle": 33.75,
    },
}
ZEBRA = {
    "type": "SIMPLE",
    "timestamp": "2022-02-22T22:22:22.222+0000",
    "data": {
        "eventNum": 7,
        "format": "epc",
        "idHex": "A00000000000000000001234",
        "antenna": 3,
        "peakRssi": -42,
        "phase": 90.0,
        "channel": 917.25,
        "reads": 4,
        "MAC": "C4:7D:CC:FF:FF:FF",
    },
}


def payload(*events):
    """Events as an array."""
    return json.dumps(list(events)).encode()


def changed(event, part, **fields):
    """A copy of an event with other fields in one part; None leaves one out."""
    inner = {key: value for key, value in (event[part] | fields).items() if value is not None}
    return event | {part: inner}


def test_impinj_event_of_a_public_project_is_read():
    parsed = impinj.read(payload(IMPINJ))
    assert parsed.sightings == [Sighting(EPC, 1, -5800, 33.75, 926750, 1_655_836_200_120_000)]
    assert (parsed.malformed, parsed.others) == (0, 0)


def test_impinj_epc_in_base64url_is_the_same():
    assert impinj.read(payload(changed(IMPINJ, "tagInventoryEvent", epcHex=None))).sightings[0].epc == EPC
    dashes = changed(IMPINJ, "tagInventoryEvent", epcHex=None, epc="-_-_-w")
    assert impinj.read(payload(dashes)).sightings[0].epc == bytes.fromhex("fbffbffb")


def test_impinj_fields_may_all_be_absent_but_the_epc():
    bare = {"tagInventoryEvent": {"epcHex": "7EDA9038051002710002C0AE"}}
    assert impinj.read(payload(bare)).sightings == [Sighting(EPC)]
    batch = to_batch(impinj.read(payload(bare)).sightings, Channels())
    assert (batch.antenna[0], batch.rssi_cdbm[0], batch.phase[0]) == (0, NO_RSSI_CDBM, NO_PHASE)
    assert (batch.channel[0], batch.last_us[0], batch.seen_count[0]) == (NO_CHANNEL, NO_TIME_US, 1)
    without = changed(IMPINJ, "tagInventoryEvent", epc=None, epcHex=None)
    parsed = impinj.read(payload(without, IMPINJ))
    assert (len(parsed.sightings), parsed.malformed) == (1, 1)
    assert "neither epcHex nor epc" in parsed.problem


def test_impinj_inputs_and_other_events_are_told_apart():
    gpi = {
        "timestamp": "2022-06-21T18:30:00Z",
        "eventType": "gpiTransition",
        "gpiTransitionEvent": {"gpi": 2, "transition": "low-to-high"},
    }
    status = {"eventType": "inventoryStatus", "inventoryStatusEvent": {"inventoryStatus": "running"}}
    parsed = impinj.read(payload(gpi, status))
    assert parsed.inputs == [(2, True, 1_655_836_200_000_000)]
    assert (parsed.others, parsed.malformed) == (1, 0)


def test_zebra_event_of_a_public_project_is_read():
    parsed = zebra.read(json.dumps(ZEBRA).encode())
    epc = bytes.fromhex("a00000000000000000001234")
    assert parsed.sightings == [Sighting(epc, 3, -4200, 90.0, 917250, 1_645_568_542_222_000, 4)]
    assert parsed.numbers == [7]


@pytest.mark.parametrize("joint", [b"", b"\n", b" , "])
def test_objects_one_after_the_other_are_read_like_an_array(joint):
    """Some firmware sends several objects in one message with nothing in between."""
    one = json.dumps(ZEBRA).encode()
    assert zebra.read(joint.join([one, one])).sightings == zebra.read(payload(ZEBRA, ZEBRA)).sightings


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"idHex": "xyz"}, "idHex is 'xyz', not hex"),
        ({"idHex": ""}, "idHex has 0 bytes, not 1 to 62"),
        ({"idHex": "00" * 63}, "idHex has 63 bytes"),
        ({"antenna": "1"}, "antenna is '1', not a number"),
        ({"antenna": True}, "antenna is True, not a number"),
        ({"antenna": 0}, "antenna is 0, not 1 to 65535"),
        ({"peakRssi": 1e9}, "peakRssi is 1000000000.0, not -300 to 300"),
        ({"reads": -1}, "reads is -1"),
        ({"eventNum": "7"}, "eventNum is '7', not a number"),
    ],
)
def test_a_malformed_event_is_named_and_the_rest_is_read(change, words):
    parsed = zebra.read(payload(changed(ZEBRA, "data", **change), ZEBRA))
    assert (len(parsed.sightings), parsed.malformed) == (1, 1)
    assert words in parsed.problem


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"not json", "not JSON from character 0"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[1]", "an event is 1, not an object"),
        (b"[" * 100_000, "not JSON"),
        (b'{"data": 5}', "data is 5, not an object"),
        (b'{"data": {"idHex": "30", "peakRssi": NaN}}', "peakRssi is nan, not a number"),
        (b'{"timestamp": "yesterday", "data": {"idHex": "30"}}', "timestamp is 'yesterday', not a time"),
        (b'{"data": {"idHex": "30", "eventNum": ' + b"9" * 5000 + b"}}", "not JSON"),
        (b" " * (4 * 1024 * 1024 + 1), "too long"),
    ],
)
def test_a_malformed_payload_is_named(data, words):
    parsed = zebra.read(data)
    assert (parsed.sightings, parsed.malformed) == ([], 1)
    assert words in parsed.problem


def test_what_stands_before_the_broken_part_is_kept():
    parsed = zebra.read(json.dumps(ZEBRA).encode() + b"{broken")
    assert (len(parsed.sightings), parsed.malformed) == (1, 1)


READERS = pytest.mark.parametrize("read", [impinj.read, zebra.read])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["timestamp", "type", *ZEBRA["data"], *IMPINJ["tagInventoryEvent"]]
events = st.dictionaries(st.sampled_from(["timestamp", "type", "data", "tagInventoryEvent", "gpiTransitionEvent"]),
    json_values | st.dictionaries(st.sampled_from(KEYS), json_values, max_size=6), max_size=4)  # fmt: skip


@READERS
@given(data=st.binary(max_size=200) | events.map(lambda event: json.dumps(event).encode()))
def test_any_payload_gives_reads_that_a_batch_can_hold(read, data):
    """Nothing is raised, whatever comes; each event is a read, an input, something else, or malformed."""
    parsed = read(data)
    batch = to_batch(parsed.sightings, Channels())
    assert len(batch) == len(parsed.sightings)
    assert all(0 < len(tag.epc) <= 62 for tag in parsed.sightings)
    assert bool(parsed.problem) == bool(parsed.malformed)


def test_event_numbers_tell_what_is_missing():
    numbers = zebra.EventNumbers()
    assert numbers.missed([5, 6, 7]) == 0
    assert numbers.missed([10]) == 2
    assert numbers.missed([10, 11]) == 0, "one that came twice"
    assert numbers.restarts == 0
    assert numbers.missed([1, 2]) == 0
    assert numbers.restarts == 1
    assert numbers.missed([3, 5]) == 1


@given(seen=st.sets(st.integers(0, 60), min_size=1))
def test_missing_numbers_are_those_between_the_first_and_the_last(seen):
    numbers, order = zebra.EventNumbers(), sorted(seen)
    missed = sum(numbers.missed([number]) for number in order)
    assert missed == order[-1] - order[0] + 1 - len(order)


def test_channels_are_numbered_densely_and_the_same_again():
    """The windows remember phases by channel modulo 64, so numbers must not leave gaps."""
    channels = Channels()
    numbers = [channels.number(902_750 + 500 * hop) for hop in range(50)]
    assert numbers == list(range(1, 51))
    assert channels.number(902_750) == 1
    assert channels.number(None) == NO_CHANNEL


@given(degrees=st.floats(-720, 720))
def test_phase_is_a_step_of_one_turn(degrees):
    (step,) = to_batch([Sighting(EPC, phase_deg=degrees)]).phase.tolist()
    assert 0 <= step < 4096
    turn = (step / 4096 * 360 - degrees) % 360
    assert min(turn, 360 - turn) <= 360 / 4096
