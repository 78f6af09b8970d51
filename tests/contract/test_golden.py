"""Golden files: what stands on the wire stays readable, byte for byte, and fits the exported schemas."""

import json
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest

from edge import contracts
from edge.contracts.schema import json_schemas

GOLDEN = Path(__file__).parent / "golden"
DECODERS = {
    "row": contracts.decode_row,
    "envelope": contracts.decode_envelope,
    "watermark": contracts.decode_watermark,
    "state": contracts.decode_state,
    "health": contracts.decode_health,
    "gate-manifest": contracts.decode_manifest,
    "gate-delta": contracts.decode_delta,
    "command": contracts.decode_command,
    "reply": contracts.decode_reply,
}
FILES = sorted(path.name for path in GOLDEN.glob("*.json"))


def _kind(name):
    """Name of the message in a golden file: the longest decoder name that it starts with."""
    return max((kind for kind in DECODERS if name.startswith(kind)), key=len)


def _golden(name):
    return (GOLDEN / name).read_bytes().removesuffix(b"\n")


def test_every_row_kind_and_message_has_a_golden_file():
    """A new message without a golden file is noticed here."""
    assert {_kind(name) for name in FILES} == set(DECODERS)
    rows = [json.loads(_golden(name)) for name in FILES if name.startswith("row")]
    assert {row["row"] for row in rows} == {"movement", "gap", "loss", "sensor", "presence"}
    assert {row["kind"] for row in rows if row["row"] == "movement"} == set(contracts.Kind.__args__)


@pytest.mark.parametrize("name", FILES)
def test_golden_message_is_encoded_again_byte_for_byte(name):
    """Decoding loses nothing and encoding changes nothing."""
    payload = _golden(name)
    value = DECODERS[_kind(name)](payload)
    assert msgspec.json.encode(value) == payload
    if not isinstance(value, contracts.Envelope):
        assert contracts.encode(value) == payload


@pytest.mark.parametrize("name", FILES)
def test_golden_message_fits_its_exported_schema(name):
    """Others validate with the exported schema; formats are on."""
    validator = jsonschema_rs.validator_for(json_schemas()[_kind(name)], validate_formats=True)
    validator.validate(json.loads(_golden(name)))


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("row")])
def test_golden_row_keeps_the_rules(name):
    """What types can't say holds too."""
    contracts.check_row(contracts.decode_row(_golden(name)))


@pytest.mark.parametrize("name", FILES)
def test_unknown_fields_are_ignored(name):
    """A newer sender may add fields; decoder and schema let them pass."""
    kind = _kind(name)
    message = json.loads(_golden(name))
    message["added_later"] = {"by": ["a newer version"]}
    payload = json.dumps(message).encode()
    assert (
        DECODERS[kind](payload) == DECODERS[kind](json.dumps({**json.loads(_golden(name))}).encode())
        or "events" in message
    )
    jsonschema_rs.validator_for(json_schemas()[kind], validate_formats=True).validate(message)


@pytest.mark.parametrize("name", FILES)
def test_decoder_and_schema_refuse_the_same_mistakes(name):
    """Every field of a golden message, spoiled in turn, is refused by both or by neither."""
    kind = _kind(name)
    validator = jsonschema_rs.validator_for(json_schemas()[kind], validate_formats=True)
    message = json.loads(_golden(name))
    for key in message:
        for wrong in ({}, [None], -1.5, "\x00", 2**60, None):
            spoiled = {**message, key: wrong}
            if kind == "envelope" and key == "events":
                continue  # rows stay raw there, so that one bad row is one bad row
            assert validator.is_valid(spoiled) == _decodes(kind, spoiled), (key, wrong)
        missing = {other: value for other, value in message.items() if other != key}
        assert validator.is_valid(missing) == _decodes(kind, missing), key


def _decodes(kind, message):
    try:
        DECODERS[kind](json.dumps(message).encode())
    except contracts.ContractError:
        return False
    return True


def test_golden_part_is_packed_again_byte_for_byte():
    """The binary layout is fixed too."""
    payload = bytes.fromhex(_golden("gate-part.hex").decode())
    part = contracts.decode_part(payload)
    assert contracts.encode_part(part.generation, part.index, part.entries) == payload
    assert [entry.verdict for entry in part.entries].count("refuse") == 1
    assert {contracts.bucket_of(entry.epc) for entry in part.entries} == {part.index}


def test_a_heartbeat_of_an_older_agent_is_read():
    """Before there were antennas and doorways in it; the central meets agents of both kinds."""
    message = json.loads(_golden("health.json"))
    older = {
        "id",
        "state",
        "reads",
        "reports",
        "unlisted_reads",
        "reconnects",
        "lost_reports",
        "last_read_at",
        "problem",
    }
    message["readers"] = [{key: one[key] for key in older} for one in message["readers"]]
    del message["portals"], message["gaps"]
    health = contracts.decode_health(json.dumps(message).encode())
    assert health.portals == health.gaps == []
    assert [(one.antennas, one.since) for one in health.readers] == [([], None), ([], None)]
