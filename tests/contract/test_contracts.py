"""The contracts' rules: any bytes give a value or ContractError, and rows say only what can be."""

import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.contracts import (
    MAX_ENVELOPE_BYTES,
    MAX_PART_BYTES,
    MAX_PRESENCE_TAGS,
    MAX_ROW_ANTENNAS,
    AntennaEvidence,
    Clock,
    Command,
    ContractError,
    EpcPrefix,
    Evidence,
    GapRow,
    GateEntry,
    LossRow,
    MovementRow,
    PresenceAntenna,
    PresenceRow,
    PresenceTag,
    SensorRow,
    bucket_of,
    canonical,
    check_command,
    check_row,
    decode_command,
    decode_delta,
    decode_envelope,
    decode_health,
    decode_manifest,
    decode_part,
    decode_reply,
    decode_row,
    decode_state,
    decode_watermark,
    encode,
    encode_envelope,
    encode_part,
    event_id,
    instant,
    instant_us,
    parse_topic,
    passage_id,
    signed_bytes,
    topic,
    under_prefix,
)

JSON_DECODERS = [
    decode_row,
    decode_envelope,
    decode_watermark,
    decode_state,
    decode_health,
    decode_manifest,
    decode_delta,
    decode_command,
    decode_reply,
    signed_bytes,
]
T0 = 1_772_352_000_000_000
EPC = "3034257bf7194e4000000001"
PASSAGE = passage_id("hq-east-1", "door", EPC, T0)
NAMES = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=80)


def movement(**changes):
    """A sound final row, with changes."""
    fields = {
        "seq": 1,
        "passage": PASSAGE,
        "rev": 2,
        "final": True,
        "portal": "door",
        "epc": EPC,
        "kind": "out",
        "confidence": 0.9,
        "started_at": instant(T0),
        "crossed_at": instant(T0 + 1_000_000),
        "ended_at": instant(T0 + 2_000_000),
        "reads": 20,
        "evidence": Evidence(antennas=[AntennaEvidence(reader="r1", port=1, reads=20)], read_rate=10.0),
        "clock": Clock(source="reader"),
    } | changes
    fields.setdefault("id", event_id(fields["passage"], fields["rev"]))
    fields.setdefault("at", fields["crossed_at"] or fields["ended_at"] or fields["started_at"])
    return MovementRow(**fields)


def presence(**changes):
    """A sound presence row, with changes."""
    fields = {
        "seq": 1,
        "span": [instant(T0), instant(T0 + 60_000_000)],
        "zone": "shelf",
        "mode": "zone",
        "antennas": [],
        "tags": [],
        "part": [1, 1],
        "complete": True,
    }
    return PresenceRow(**fields | changes)


@pytest.mark.parametrize("decode", JSON_DECODERS)
@given(payload=st.binary(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["row", "seq", "v", "streams", "events"]), inner),
).map(msgspec.json.encode))  # fmt: skip
def test_any_bytes_give_a_value_or_contract_error(decode, payload):
    """No other error comes out of a decoder."""
    try:
        decode(payload)
    except ContractError:
        return


@pytest.mark.parametrize("decode", JSON_DECODERS)
def test_deep_nesting_is_a_contract_error(decode):
    """A payload can't exhaust the stack."""
    with pytest.raises(ContractError):
        decode(b'{"v":' + b"[" * 20_000)


@given(payload=st.binary(max_size=200) | st.binary(max_size=120).map(lambda tail: b"SGP1\0\0\0\1" + tail))
def test_any_bytes_give_a_part_or_contract_error(payload):
    """The packed decoder has one error too, and takes only the one form of a part."""
    try:
        part = decode_part(payload)
    except ContractError:
        return
    assert encode_part(part.generation, part.index, part.entries) == payload


@given(
    rows=st.lists(
        st.tuples(st.binary(min_size=1, max_size=62), NAMES, st.integers(0, 10**15), st.integers(0, 10**15)),
        max_size=20,
    )
)
def test_part_returns_the_entries_that_went_in(rows):
    """Every EPC length, boundary and validity survives the packing, whatever the order."""
    entries = [
        GateEntry(
            epc=epc.hex(), verdict="allow", boundary=name, valid_from=instant(start), valid_to=instant(start + width)
        )
        for epc, name, start, width in rows
    ]
    for index in {bucket_of(entry.epc) for entry in entries}:
        mine = [entry for entry in entries if bucket_of(entry.epc) == index]
        packed = encode_part(3, index, mine)
        assert encode_part(3, index, reversed(mine)) == packed
        assert set(decode_part(packed).entries) == set(mine)


def test_part_over_its_size_or_in_the_wrong_bucket_is_refused():
    """A part that a broker or an edge would not take is never made."""
    epc = "00"
    many = [GateEntry(epc=epc, verdict="refuse", boundary=f"b{number:074}") for number in range(1200)]
    with pytest.raises(ContractError, match=f"at most {MAX_PART_BYTES}"):
        encode_part(1, bucket_of(epc), many)
    with pytest.raises(ContractError, match=f"belongs to part {bucket_of(epc)}"):
        encode_part(1, (bucket_of(epc) + 1) % 512, many[:1])
    with pytest.raises(ContractError, match="only a refusal"):
        encode_part(1, bucket_of(epc), [GateEntry(epc=epc, verdict="allow")])


def test_buckets_are_spread_over_all_parts():
    """A register of 20,000 neighbouring EPCs fills 512 parts evenly enough for 96 KiB each."""
    counts = [0] * 512
    for number in range(20_000):
        counts[bucket_of(f"3034257bf7194e40{number:08x}")] += 1
    assert min(counts) > 0
    assert max(counts) < 80


@pytest.mark.parametrize(
    ("epc", "hex_", "bits", "under"),
    [(EPC, "3034257bf4", 38, True), (EPC, "3034257bf4", 39, False), (EPC, EPC, 96, True), ("30", "3034", 12, False)],
)
def test_prefix_is_compared_bit_by_bit(epc, hex_, bits, under):
    """GS1 company prefixes end inside a byte."""
    assert under_prefix(epc, EpcPrefix(hex=hex_, bits=bits)) is under


def test_signature_covers_fields_that_this_version_does_not_know():
    """The bytes are those of the message as received, without signature, in one order."""
    one = b'{"v":1,"signature":{"key":"k","value":"x"},"new":{"b":[1,true,null],"a":"\\u00e9"}}'
    other = b'{ "new": {"a":"\xc3\xa9", "b":[1,true,null]}, "v": 1 }'
    assert signed_bytes(one) == signed_bytes(other) == b'{"new":{"a":"\xc3\xa9","b":[1,true,null]},"v":1}'


def test_canonical_text_escapes_as_rfc_8785_does():
    """Short escapes, lower-case hex for the other control characters, and nothing else escaped."""
    assert (
        canonical('\x00\x08\t\n\f\r\x1f"\\/\x7f\u2028€')
        == b'"\\u0000\\b\\t\\n\\f\\r\\u001f\\"\\\\/\x7f\xe2\x80\xa8\xe2\x82\xac"'
    )


@pytest.mark.parametrize("value", [1.5, 2**53, -(2**53), [{"a": 0.0}], {"é": 1}])
def test_canonical_refuses_what_writers_spell_differently(value):
    """A float or a big number could be signed as one text and checked as another."""
    with pytest.raises(ContractError):
        canonical(value)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"rev": 0}, "revisions count from 1"),
        ({"id": event_id(PASSAGE, 9)}, "passage and rev make it"),
        ({"at": instant(T0)}, "at is"),
        ({"crossed_at": None}, "wants crossed_at"),
        ({"kind": "parked", "final": False}, "always final"),
        ({"kind": "retracted"}, "wants a reason"),
        ({"confidence": float("nan")}, "not finite"),
        ({"ended_at": instant(T0 + 500_000)}, "times must rise"),
        ({"started_at": "2026-02-30T00:00:00.000000Z"}, "no instant"),
    ],
)
def test_movement_that_breaks_a_rule_is_named(changes, problem):
    """The message says which row and what would be right."""
    with pytest.raises(ContractError, match=f"row 1: .*{problem}"):
        check_row(movement(**changes))


def test_times_may_fall_where_the_clock_stepped():
    """A stepped clock is said on the row, it does not send the row to quarantine."""
    check_row(movement(ended_at=instant(T0 + 500_000), clock=Clock(source="reader", stepped=True)))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (GapRow(seq=5, first=6, last=5, reason="full", count=1), "comes after last"),
        (GapRow(seq=4, first=1, last=5, reason="full", count=1), "under its last seq"),
        (GapRow(seq=5, first=1, last=5, reason="full", count=6), "are 5 rows"),
        (LossRow(seq=1, reader="r1", reason="x", from_=instant(1), to=instant(0)), "comes after to"),
        (SensorRow(seq=1, reader="r1", gpi=1, kind="door", state=True, at="2026-13-01T00:00:00.000000Z"), "no instant"),
        (presence(span=[instant(1), instant(0)]), "ends before it"),
        (presence(part=[3, 2]), "part 3 of 2"),
    ],
)
def test_other_row_that_breaks_a_rule_is_named(row, problem):
    """The rules of gaps, losses, sensors and presence."""
    with pytest.raises(ContractError, match=problem):
        check_row(row)


def test_sound_rows_pass():
    """The rules refuse nothing that is right."""
    for row in (movement(), movement(kind="near", crossed_at=None), movement(final=False), presence()):
        check_row(row)
    check_row(GapRow(seq=5, first=1, last=5, reason="full", count=5))


def test_largest_rows_fit_one_envelope():
    """The limits of a row are chosen so that even its longest form can be sent."""
    tags = [
        PresenceTag(epc="ff" * 62, reads=2**53 - 1, best_rssi_cdbm=-32767, last_at=instant(T0 + number))
        for number in range(MAX_PRESENCE_TAGS)
    ]
    antennas = [
        PresenceAntenna(reader="r" * 80, port=65535, up_s=1 / 3, rounds=2**53 - 1, reads=2**53 - 1)
        for _ in range(MAX_ROW_ANTENNAS)
    ]
    row = presence(tags=tags, antennas=antennas)
    payload = encode_envelope(gateway="g" * 40, stream="presence", epoch="e" * 40, first=1, last=1, rows=[encode(row)])
    assert len(payload) <= MAX_ENVELOPE_BYTES
    assert decode_row(decode_envelope(payload).events[0]) == row


@pytest.mark.parametrize(
    ("text", "field"),
    [("door\n", "portal"), ("do\x00or", "portal"), ("AB", "epc"), ("ab\n", "epc"), ("٣" * 32, "passage")],
)
def test_text_that_would_hurt_later_is_refused(text, field):
    """NUL breaks PostgreSQL, a trailing line feed slips through `$`, foreign digits through a digit class."""
    message = msgspec.json.decode(encode(movement())) | {field: text}
    with pytest.raises(ContractError, match=field):
        decode_row(msgspec.json.encode(message))


def test_watermark_range_that_runs_backwards_is_refused():
    """A range of nothing would free nothing and hide a mistake."""
    streams = b'{"movement":{"epoch":"e","upto":1,"above":[[5,3]]}}'
    mark = b'{"session":"s","now":"2026-03-01T08:00:00.000000Z","streams":' + streams + b"}"
    with pytest.raises(ContractError, match="5 to 3 above"):
        decode_watermark(mark)


@pytest.mark.parametrize("count", [0, 101])
def test_envelope_holds_1_to_100_rows(count):
    """Both sides hold the limit."""
    row = encode(movement())
    with pytest.raises(ContractError, match="1 to 100"):
        encode_envelope(gateway="g", stream="movement", epoch="e", first=1, last=1, rows=[row] * count)
    head = b'{"v":1,"gateway":"g","stream":"movement","epoch":"e","first":1,"last":200,"events":['
    with pytest.raises(ContractError, match="1 to 100"):
        decode_envelope(head + b",".join([b"{}"] * count) + b"]}")


def test_oversized_message_is_refused_before_it_is_parsed():
    """A flood costs a length check."""
    with pytest.raises(ContractError, match="at most"):
        decode_envelope(b" " * (MAX_ENVELOPE_BYTES + 1))


@pytest.mark.parametrize(
    ("gateway", "width_s", "now_s", "problem"),
    [
        ("other", 30, 1, "is for gateway"),
        ("g", 61, 1, "at most 60"),
        ("g", 0, 1, "above 0"),
        ("g", 30, 30, "expired"),
        ("g", 30, -61, "future"),
    ],
)
def test_command_out_of_its_time_or_place_is_refused(gateway, width_s, now_s, problem):
    """A held-up command must not move a siren."""
    command = Command(
        name="mute", gateway=gateway, nonce="0" * 32, issued_at=instant(T0), expires_at=instant(T0 + width_s * 10**6)
    )
    with pytest.raises(ContractError, match=problem):
        check_command(command, gateway="g", now_us=T0 + now_s * 10**6)


def test_command_in_its_time_passes():
    """The rules refuse nothing that is right."""
    command = Command(
        name="mute", gateway="g", nonce="0" * 32, issued_at=instant(T0), expires_at=instant(T0 + 60 * 10**6)
    )
    check_command(command, gateway="g", now_us=T0 + 59 * 10**6)


@given(at_us=st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
def test_instant_and_back_is_the_same_microsecond(at_us):
    """Years 1 to 9999."""
    assert instant_us(instant(at_us)) == at_us
    assert len(instant(at_us)) == 27


@pytest.mark.parametrize("at_us", [-62_135_596_800_000_001, 253_402_300_800_000_000, 10**30])
def test_instant_beyond_the_calendar_is_a_contract_error(at_us):
    """An absurd reader clock is told, it does not end the agent with a stranger's error."""
    with pytest.raises(ContractError, match="no year"):
        instant(at_us)


@pytest.mark.parametrize(
    "text", ["", "stockgate/v1/hq", "stockgate/v2/hq/g/movement", "stockgate/v1/HQ/g/movement", "a/b/c/d/e"]
)
def test_foreign_topic_is_a_contract_error(text):
    """The topic is the identity, so it is checked first."""
    with pytest.raises(ContractError):
        parse_topic(text)


@given(
    site=st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True), gateway=st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True)
)
def test_topic_and_back_is_the_same(site, gateway):
    """What is built can be taken apart, channels with slashes included."""
    assert parse_topic(topic(site, gateway, "gate/part/7")) == (site, gateway, "gate/part/7")


def test_passage_id_is_the_contracts_hash():
    """Computed here by hand from the contract's words."""
    import hashlib  # noqa: PLC0415 (the oracle stays in its test)

    text = b"hq-east-1\x00door\x00" + EPC.encode() + b"\x00" + str(T0).encode()
    assert hashlib.sha256(text).digest()[:16].hex() == PASSAGE


def test_contracts_load_neither_numba_nor_numpy():
    """The central and other people's programs import the contracts alone."""
    code = "import sys, edge.contracts, edge.contracts.schema, edge.epc; print({'numba', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
