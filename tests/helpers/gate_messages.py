"""Gate messages as a central signs them, made by hand, and a snapshot from them without a broker."""

from base64 import b64encode
from hashlib import sha256

from edge.contracts import GateEntry, bucket_of, canonical, encode_part, instant, signed_bytes
from edge.contracts.codec import decode_delta, decode_manifest
from edge.gate import GateFiles, GateStore
from edge.trust import Keyring
from tests.helpers.commands import KEY, KEY_LINE

GATEWAY = "gw-1"
SECOND = 1_000_000
DAY = 86_400 * SECOND
NOW = 1_800_000_000 * SECOND
"""When messages are signed here, UTC microseconds."""
DOOR = {"id": "door", "out": ["stockroom"], "into": [], "mode": "alarm"}


def epc(number, head="3034257bf4"):
    """An EPC of 96 bits under our prefix."""
    return f"{head}{number:0{24 - len(head)}x}"


def entry(number, verdict="allow", boundary="stockroom", start_us=None, end_us=None):
    """An entry of one EPC."""
    times = [None if one is None else instant(one) for one in (start_us, end_us)]
    name = epc(number) if isinstance(number, int) else number
    return GateEntry(epc=name, verdict=verdict, boundary=boundary, valid_from=times[0], valid_to=times[1])


def parts(generation, entries):
    """Parts by index."""
    by = {}
    for one in entries:
        by.setdefault(bucket_of(one.epc), []).append(one)
    return {index: encode_part(generation, index, some) for index, some in sorted(by.items())}


def sign(message, key=KEY):
    """Sign a message's canonical bytes as the contracts say."""
    value = b64encode(key.sign(canonical(message))).decode()
    return canonical({**message, "signature": {"key": "central-a", "value": value}})


def manifest(generation, packed, *, gateway=GATEWAY, issued_us=NOW, life_us=DAY, doors=(DOOR,), key=KEY, **more):
    """A signed manifest of packed parts."""
    message = {
        "v": 1,
        "gateway": gateway,
        "generation": generation,
        "issued_at": instant(issued_us),
        "expires_at": instant(issued_us + life_us),
        "own_prefixes": [{"hex": "3034257bf4", "bits": 38}],
        "parts": [{"index": index, "sha256": sha256(one).hexdigest()} for index, one in packed.items()],
        "portals": list(doors),
        **more,
    }
    payload = sign(message, key)
    assert decode_manifest(payload).generation == generation
    assert signed_bytes(payload) == canonical(message)
    return payload


def delta(generation, n, entries=(), removed=(), *, gateway=GATEWAY, issued_us=NOW, key=KEY):
    """A signed delta."""
    message = {
        "v": 1,
        "gateway": gateway,
        "generation": generation,
        "n": n,
        "issued_at": instant(issued_us),
        "entries": [
            {
                "epc": one.epc,
                "verdict": one.verdict,
                "boundary": one.boundary,
                "valid_from": one.valid_from,
                "valid_to": one.valid_to,
            }
            for one in entries
        ],
        "removed": list(removed),
    }
    payload = sign(message, key)
    assert decode_delta(payload).n == n
    return payload


def messages(generation, entries, **more):
    """A generation as (channel, payload), in the order in which the central sends it."""
    packed = parts(generation, entries)
    yield from ((f"gate/part/{index}", one) for index, one in packed.items())
    yield "gate/manifest", manifest(generation, packed, **more)


def store(folder, log, *, load=True, key_line=KEY_LINE, files=None, gateway=GATEWAY):
    """A store of a gateway's."""
    made = GateStore(gateway, Keyring.of([key_line]), files or GateFiles(folder), log=log)
    if load:
        made.load()
    return made


def give(taker, some):
    """Hand messages over."""
    for channel, payload in some:
        taker.take(channel, payload)


def digest(snapshot, epcs):
    """A hash of everything a snapshot says of some EPCs, and of its counters."""
    told = [(one, snapshot.find(bytes.fromhex(one))) for one in epcs]
    return sha256(repr((snapshot.generation, snapshot.n, told)).encode()).hexdigest()
