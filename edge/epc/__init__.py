"""Published: identity of a tag as its EPC and TID bytes say it.

Errors: `EpcError`, the room's one error.
"""

from edge.epc.identity import MAX_EPC_BYTES, EpcError, epc_bytes, epc_hex

__all__ = ["MAX_EPC_BYTES", "EpcError", "epc_bytes", "epc_hex"]
