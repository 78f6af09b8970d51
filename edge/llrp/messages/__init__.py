"""LLRP messages as typed values, both roles: all of LLRP 1.0.1 and 1.1, Impinj's and Zebra's (docs/adr/0006).

The declared classes are the table: `commands` (client to reader), `answers` (reader to client) and what stands in them.
The numbers in square brackets are sections of LLRP 1.0.1: what it means, and how it is encoded.
"""

from edge.llrp.messages.decoder import decode_message
from edge.llrp.messages.element import Message, Parameter
from edge.llrp.messages.encoder import encode_message

__all__ = ["Message", "Parameter", "decode_message", "encode_message"]
