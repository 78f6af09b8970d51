"""What a gateway makes of the retained gate topics: read from a real broker, verified, and asked crossing by crossing.

It shares no code with the central's builder: keys come as text, signatures are checked over the bytes received without
their `signature`, parts are taken apart here, by the layout in the contracts.
"""

import base64
import hashlib
import json
import struct
import threading
import uuid
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

REFUSING, ONCE = {"refuse", "hold"}, "allow_once"
CODES = ("allow", "allow_once", "refuse", "hold")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Gate:
    """A gateway's reader of its gate topics."""

    def __init__(self, port, keys, gateway, site="hq") -> None:
        self.keys = dict(line.split(":") for line in keys)
        self.gateway, self.root = gateway, f"stockgate/v1/{site}/{gateway}/gate/"
        self.payloads, self.order, self.times = {}, [], []
        self._lock, up = threading.Lock(), threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"gate-{uuid.uuid4().hex[:8]}")
        self.client.on_connect = lambda client, *_: client.subscribe(f"{self.root}#", qos=1)
        self.client.on_subscribe = lambda *_: up.set()
        self.client.on_message = self._hear
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert up.wait(20)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def _hear(self, _client, _data, message):
        with self._lock:
            name = message.topic.removeprefix(self.root)
            self.payloads[name] = message.payload
            self.order.append(name)
            self.times.append((datetime.now(UTC), name, message.payload))

    def forget(self):
        """Forget which messages came, not what they said."""
        with self._lock:
            self.order.clear()

    def manifest(self):
        """The verified manifest, or None."""
        return self._signed("manifest")

    def delta(self):
        """The verified delta of the manifest's generation, or None."""
        delta, manifest = self._signed("delta"), self.manifest()
        return delta if delta and manifest and delta["generation"] == manifest["generation"] else None

    def counters(self):
        """(generation, n), or None while there is no whole snapshot."""
        delta = self.delta()
        return (delta["generation"], delta["n"]) if delta and self.entries() is not None else None

    def _signed(self, name):
        with self._lock:
            payload = self.payloads.get(name)
        if not payload:
            return None
        message = json.loads(payload)
        signature = message.pop("signature")
        told = json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.keys[signature["key"]]))
        key.verify(base64.b64decode(signature["value"]), told)
        assert message["gateway"] == self.gateway
        return message

    def entries(self):
        """EPC to its entries (verdict, boundary, from, to), or None while a part is missing."""
        manifest, delta = self.manifest(), self.delta()
        if manifest is None or delta is None:
            return None
        found = {}
        for part in manifest["parts"]:
            payload = self.payloads.get(f"part/{part['index']}", b"")
            if hashlib.sha256(payload).hexdigest() != part["sha256"]:
                return None
            found |= unpack(payload, part["index"])
        for epc in delta["removed"] + [entry["epc"] for entry in delta["entries"]]:
            found.pop(epc, None)
        for entry in delta["entries"]:
            times = [entry[name] and datetime.fromisoformat(entry[name]) for name in ("valid_from", "valid_to")]
            found.setdefault(entry["epc"], []).append((entry["verdict"], entry["boundary"], *times))
        return found

    def may_pass(self, epc, portal, at, *, way="out"):
        """True, False, or None for a tag that is none of ours."""
        manifest, entries = self.manifest(), self.entries()
        own = any(is_under(epc, one) for one in manifest["own_prefixes"])
        if epc not in entries and not own:
            return None
        valid = [
            (verdict, boundary)
            for verdict, boundary, start, end in entries.get(epc, [])
            if (start is None or start <= at) and (end is None or at < end)
        ]
        left = next(one[way] for one in manifest["portals"] if one["id"] == portal)
        if left and any(verdict in REFUSING and boundary is None for verdict, boundary in valid):
            return False
        return all(any(verdict not in REFUSING and place == boundary for verdict, place in valid) for boundary in left)


def is_under(epc, prefix):
    """Whether an EPC begins with a prefix's bits."""
    bits = bin(int("1" + epc, 16))[3:]
    return bits.startswith(bin(int("1" + prefix["hex"], 16))[3:][: prefix["bits"]])


def unpack(payload, index):
    """EPC to entries of one part; every length in it must come out even."""
    magic, _generation, its, boundaries, count = struct.unpack_from(">4sIHHI", payload)
    assert (magic, its) == (b"SGP1", index)
    place, names, found = 16, [], {}
    for _ in range(boundaries):
        size = int.from_bytes(payload[place : place + 2])
        names.append(payload[place + 2 : place + 2 + size].decode())
        place += 2 + size
    for _ in range(count):
        size = payload[place]
        epc = payload[place + 1 : place + 1 + size]
        assert int.from_bytes(hashlib.sha256(epc).digest()[:2]) >> 7 == index
        verdict, boundary, start, end = struct.unpack_from(">BHqq", payload, place + 1 + size)
        place += 1 + size + 19
        entry = (CODES[verdict], None if boundary == 0xFFFF else names[boundary], instant(start), instant(end))
        found.setdefault(epc.hex(), []).append(entry)
    assert place == len(payload)
    return found


def instant(at_us):
    """An instant, or None at the open ends."""
    return None if at_us in {-(2**63), 2**63 - 1} else EPOCH + timedelta(microseconds=at_us)
