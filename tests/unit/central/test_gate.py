"""Pure parts of the gate snapshot: views of doors, parts that stay, keys on disk, prefixes as ranges."""

import json
import struct
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from central.application.gate import Changes, Contents, Entry, Packed
from central.cli import cli
from central.config import parse_prefix
from central.domain.gate import gate_view
from central.domain.places import Location, Places, Portal
from central.gate.keys import KEYS_FILE, KeyFileError, KeyRing
from central.gate.messages import make_delta, make_manifest, make_parts
from central.storage.gate import _range
from edge.contracts import (
    MAX_PART_BYTES,
    ContractError,
    EpcPrefix,
    bucket_of,
    decode_delta,
    decode_manifest,
    under_prefix,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PLACES = Places({
    name: Location(name, name, kind, parent, guarded)
    for name, kind, parent, guarded in [
        ("site", "site", None, False), ("hq", "building", "site", True), ("store", "zone", "hq", True),
        ("hall", "zone", "hq", False), ("street", "exterior", None, False),
    ]
})  # fmt: skip
PORTALS = [
    Portal("b", "B", "g", "store", "street", "alarm"),
    Portal("a", "A", "g", "store", "hall", "alarm"),
    Portal("c", "C", "other", "hall", "street", "alarm"),
]


def test_a_view_holds_the_boundaries_of_its_own_doors_and_what_opens_them():
    view = gate_view("g", "hq", PLACES, PORTALS)
    assert [(door.id, door.out, door.into) for door in view.doors] == [
        ("a", ("store",), ()), ("b", ("store", "hq"), ()),
    ]  # fmt: skip
    assert view.opened_by == (
        ("hq", "hq"), ("hq", "site"), ("store", "store"), ("store", "hq"), ("store", "site"),
    )  # fmt: skip


def packed(index, *, entries=b"", count=0):
    return Packed(index, count, ["hq"], entries)


def test_an_unchanged_part_keeps_the_generation_that_it_came_with():
    first = make_parts(1, Contents("s", None, [packed(3), packed(4)], {}), resend=False)
    assert {index: part.generation for index, part in first.standing.items()} == {3: 1, 4: 1}
    second = make_parts(
        2, Contents("s", None, [packed(3), packed(4, entries=b"x", count=1)], first.standing), resend=False
    )
    assert {index: part.generation for index, part in second.standing.items()} == {3: 1, 4: 2}
    assert set(second.fresh) == {4}


def test_a_million_assets_with_an_entry_each_fit_and_two_million_are_told_before_anything_is_sent():
    """However unevenly the hash spreads them; 96-bit EPCs, as all of ours are."""
    filled = Counter(bucket_of(f"3034257bf7{number:014x}") for number in range(1_000_000))
    entry = b"\x0c" + bytes(12) + struct.pack(">BHqq", 0, 0, 0, 0)

    def contents(entries_each):
        counts = {index: count * entries_each for index, count in filled.items()}
        parts = [packed(index, entries=entry * count, count=count) for index, count in counts.items()]
        return Contents("s", None, parts, {})

    parts = make_parts(1, contents(1), resend=True)
    assert sum(part.entries for part in parts.standing.values()) == 1_000_000
    assert max(map(len, parts.fresh.values())) < 0.75 * MAX_PART_BYTES
    with pytest.raises(
        ContractError, match=r"^2000000 permissions and refusals at its doors' boundaries don't fit: part"
    ):
        make_parts(1, contents(2), resend=True)


def test_a_part_that_lost_its_last_entry_is_taken_back():
    first = make_parts(1, Contents("s", None, [packed(3)], {}), resend=False)
    second = make_parts(2, Contents("s", [3], [], first.standing), resend=False)
    assert (second.standing, second.fresh) == ({}, {3: b""})


def test_parts_that_were_not_built_stand_as_they_were():
    first = make_parts(1, Contents("s", None, [packed(3), packed(4)], {}), resend=False)
    second = make_parts(2, Contents("s", [4], [packed(4)], first.standing), resend=False)
    assert (second.standing, second.fresh) == (first.standing, {})


def test_a_resent_generation_sends_all_512_parts():
    assert len(make_parts(1, Contents("s", None, [packed(3)], {}), resend=True).fresh) == 512


def test_manifest_and_delta_are_read_by_the_contracts(tmp_path):
    key, view = KeyRing(tmp_path).signing, gate_view("g", "hq", PLACES, PORTALS)
    parts = make_parts(1, Contents("s", None, [packed(3)], {}), resend=False)
    manifest = decode_manifest(make_manifest(view, [], parts, 1, now=NOW, life=timedelta(days=1), key=key))
    assert ([part.index for part in manifest.parts], manifest.signature.key) == ([3], key.name)
    changes = Changes(["aa", "bb"], [Entry("aa", 0, "hq", -(2**63), 1_000_000)])
    delta = decode_delta(make_delta("g", 1, 2, changes, now=NOW, key=key))
    assert (delta.removed, delta.entries[0].valid_from) == (["bb"], None)
    assert delta.entries[0].valid_to == "1970-01-01T00:00:01.000000Z"


@given(st.binary(min_size=1, max_size=12), st.binary(min_size=1, max_size=8), st.integers(1, 64))
def test_the_range_of_a_prefix_holds_exactly_the_epcs_under_it(epc, head, bits):
    bits = min(bits, len(head) * 8)
    value = int.from_bytes(head) >> (len(head) * 8 - bits)
    size = -(-bits // 8)
    prefix = EpcPrefix(hex=(value << (size * 8 - bits)).to_bytes(size).hex(), bits=bits)
    for data in (epc, head + epc, head):
        low, high = _range(prefix)
        assert (low <= data.hex() < high) == under_prefix(data.hex(), prefix)


@pytest.mark.parametrize("text", ["", "30", "30/9", "3034/8", "3035/15", "3G/8", "30/0", "ABCD/16"])
def test_a_prefix_that_is_none_is_told(text):
    with pytest.raises(ValueError, match=r"HEX/BITS|rounded up"):
        parse_prefix(text)


def test_a_prefix_is_read():
    assert parse_prefix("3034257bf4/38") == EpcPrefix(hex="3034257bf4", bits=38)


def test_the_key_file_is_ours_alone_and_the_same_at_the_next_start(tmp_path):
    name = KeyRing(tmp_path).signing.name
    assert (tmp_path / KEYS_FILE).stat().st_mode & 0o777 == 0o600
    assert KeyRing(tmp_path).signing.name == name


def test_a_rotation_takes_two_steps_and_a_running_ring_sees_both(tmp_path):
    ring = KeyRing(tmp_path)
    old = ring.signing
    assert KeyRing(tmp_path).rotate()[0].name == old.name
    both = ring.keys
    assert (len(both), both[0].name) == (2, old.name)
    KeyRing(tmp_path).rotate()
    assert [key.name for key in ring.keys] == [both[1].name]
    assert not ring.verifies(b"m", old.sign(b"m"))
    assert ring.verifies(b"m", both[1].sign(b"m"))


@pytest.mark.parametrize("text", ["", "{}", '{"ed25519": []}', '{"ed25519": ["AAAA"]}', '{"ed25519": 3}', "\xff"])
def test_a_broken_key_file_is_named_and_nothing_of_it_shown(tmp_path, text):
    file = tmp_path / KEYS_FILE
    file.write_text(text, encoding="latin-1")
    file.chmod(0o600)
    with pytest.raises(KeyFileError, match=r"gate-keys\.json"):
        KeyRing(tmp_path).signing  # noqa: B018 (reading is the act)


def test_a_key_file_open_to_others_is_refused(tmp_path):
    KeyRing(tmp_path).signing  # noqa: B018 (reading is the act)
    (tmp_path / KEYS_FILE).chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        KeyRing(tmp_path).signing  # noqa: B018 (reading is the act)


def test_the_commands_print_public_keys_alone(tmp_path):
    run = lambda *words: CliRunner().invoke(cli, ["keys", *words, "--data-dir", str(tmp_path)])  # noqa: E731
    shown = run("show").output
    secret = json.loads((tmp_path / KEYS_FILE).read_text())["ed25519"][0]
    assert json.loads(shown.split("=", 1)[1]) == [KeyRing(tmp_path).signing.line]
    added = run("rotate").output
    assert "then rotate again" in added
    assert "signs from now on" in run("rotate").output
    assert secret not in shown + added
