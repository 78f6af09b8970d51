"""Commands as the central signs them, made by hand: keys and canonical bytes, nothing of the central's own code."""

import os
import time
from base64 import b64encode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.contracts import canonical, instant, key_line

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KEY_LINE = key_line("central-a", KEY.public_key().public_bytes_raw())
OTHER_LINE = key_line("central-b", STRANGER.public_key().public_bytes_raw())


def command(name, *, gateway="gw-1", now_us=None, valid_s=30, nonce=None, key=KEY, **args):
    """Return a signed command as bytes."""
    now_us = time.time_ns() // 1000 if now_us is None else now_us
    told = {
        "name": name,
        "gateway": gateway,
        "nonce": nonce or os.urandom(16).hex(),
        "issued_at": instant(now_us),
        "expires_at": instant(now_us + valid_s * 1_000_000),
        "args": args,
    }
    if key is not None:
        told["signature"] = {"key": "central-a", "value": b64encode(key.sign(canonical(told))).decode()}
    return msgspec.json.encode(told)
