"""Whom the agent believes."""

from base64 import b64encode

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.contracts import canonical, key_line
from edge.trust import Keyring, TrustError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def line(key, name="central-a"):
    return key_line(name, key.public_key().public_bytes_raw())


def signed(message, key=KEY, name="central-a"):
    value = b64encode(key.sign(canonical(message))).decode()
    return msgspec.json.encode(message | {"signature": {"key": name, "value": value}})


def test_a_signed_message_is_believed_whatever_the_order_of_its_keys():
    Keyring.of([line(KEY)]).check(signed({"b": 1, "a": ["x", None, True]}))


def test_both_keys_of_a_rotation_are_believed():
    ring = Keyring.of([line(KEY), line(OTHER, "central-b")])
    ring.check(signed({"a": 1}))
    ring.check(signed({"a": 1}, OTHER, "central-b"))
    assert ring.names == ("central-a", "central-b")


def test_a_field_that_a_newer_central_adds_is_covered():
    ring = Keyring.of([line(KEY)])
    forged = msgspec.json.decode(signed({"a": 1})) | {"new": True}
    with pytest.raises(TrustError, match="isn't so"):
        ring.check(msgspec.json.encode(forged))


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b'{"a":1}', "isn't signed"),
        (b"\xff\x00", "can't be read"),
        (b"[1]", "can't be read"),
        (b"[" * 100_000, "can't be read"),
        (signed({"a": 1}, OTHER), "isn't so"),
        (signed({"a": 1}, OTHER, "central-z"), "central-z, which isn't among"),
        (b'{"a":1.5,"signature":{"key":"central-a","value":"' + b"A" * 86 + b'=="}}', "can't be read"),
    ],
)
def test_what_nobody_believed_signed_is_refused(payload, why):
    with pytest.raises(TrustError, match=why):
        Keyring.of([line(KEY)]).check(payload)


def test_without_keys_nobody_is_believed():
    with pytest.raises(TrustError, match=r"isn't among the central's keys \(none\)"):
        Keyring.of([]).check(signed({"a": 1}))


@pytest.mark.parametrize("text", ["", "central-a", "central-a:", "central-a:!!", ":AAAA", f"central-a:{'A' * 40}"])
def test_a_line_that_is_no_key_is_told(text):
    with pytest.raises(TrustError, match="keys show"):
        Keyring.of([text])
