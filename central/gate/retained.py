"""What the broker keeps of ours: heard back after each (re)connect, so that only what it lost is sent again."""

from hashlib import sha256

from central.domain.gate import GateView
from central.gate.keys import KeyRing
from edge.contracts import ContractError, decode_manifest, signed_bytes, topic
from edge.contracts.topics import GATE_MANIFEST


class Retained:
    """Manifests and deltas by topic, as the broker sent them in this session."""

    def __init__(self) -> None:
        self._payloads: dict[str, bytes] = {}

    def forget(self) -> None:
        """Begin a session: the broker tells all of it again."""
        self._payloads.clear()

    def hear(self, where: str, payload: bytes) -> None:
        """Take a message; our own come back too."""
        self._payloads[where] = payload

    def has(self, where: str, payload: bytes) -> bool:
        """Tell whether the broker keeps exactly this."""
        return sha256(self._payloads.get(where, b"")).digest() == sha256(payload).digest()

    def generation(self, view: GateView, keys: KeyRing) -> int:
        """Return the generation that the broker keeps if one of our keys signed it, else 0.

        After a restore from a backup it may be newer than what the database knows, and counters only rise.
        """
        payload = self._payloads.get(topic(view.site, view.gateway, GATE_MANIFEST), b"")
        try:
            manifest = decode_manifest(payload)
            if manifest.gateway != view.gateway or manifest.signature is None:
                return 0
            return manifest.generation if keys.verifies(signed_bytes(payload), manifest.signature) else 0
        except ContractError:
            return 0
