"""What LLRP lets anyone add: custom messages and parameters, and what is kept of unknown types."""

from edge.llrp.messages.element import Message, VendorMessage, VendorParameter
from edge.llrp.messages.wire_types import U8, U32, Remaining


class Custom(VendorParameter, number=1023):
    """A vendor's parameter that this program doesn't know, or whose bytes don't fit what it knows [8.2, 16.2.9]."""

    vendor_identifier: U32
    parameter_subtype: U32
    data: Remaining = b""


class CustomMessage(VendorMessage, number=1023, standard="CUSTOM_MESSAGE"):
    """A vendor's message that this program doesn't know, or whose bytes don't fit what it knows [8.1, 16.1.42]."""

    vendor_identifier: U32
    message_subtype: U8
    data: Remaining = b""


class UnknownMessage(Message, standard="UNKNOWN_MESSAGE"):
    """A message of a type that LLRP 1.1 doesn't list.

    Attributes:
        number: its type.
    """

    number: int
    data: Remaining = b""
