"""LLRP messages as typed values, both roles."""

from edge.llrp.messages.decoder import decode_message
from edge.llrp.messages.element import Message, Parameter
from edge.llrp.messages.encoder import encode_message

__all__ = ["Message", "Parameter", "decode_message", "encode_message"]
