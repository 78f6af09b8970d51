"""Wire types of fields: what stands behind a declared class's annotations.

A field is annotated with the Python type that a caller sees and one of these specs; the plain ones have short names
(`U16`, `Flag`, `Words`). `name` is the standard's field name where `standard_name` can't derive it from ours, `pad` the
number of reserved bits that follow.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final, TypeVar

from msgspec import Struct


@dataclass(frozen=True, slots=True)
class Scalar:
    """An integer of `bits` bits; a Python bool is one bit, an enumeration names the values it knows."""

    bits: int
    enum: type[IntEnum] | None = None
    signed: bool = False
    name: str = ""
    pad: int = 0


@dataclass(frozen=True, slots=True)
class Octets:
    """Exactly `count` bytes."""

    count: int
    name: str = ""
    pad: int = 0


@dataclass(frozen=True, slots=True)
class Array:
    """A count in 16 bits, then so many integers of `bits` bits; of 8 bits without enumeration it is `bytes`."""

    bits: int
    enum: type[IntEnum] | None = None
    name: str = ""
    pad: int = 0


@dataclass(frozen=True, slots=True)
class BitArray:
    """A count of bits in 16 bits, then the bits, filled up to whole bytes."""

    name: str = ""
    pad: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A count of bytes in 16 bits, then UTF-8; bytes that are none come as lone surrogates and go back unchanged."""

    name: str = ""
    pad: int = 0


@dataclass(frozen=True, slots=True)
class Rest:
    """All bytes up to the end of what holds the field."""

    name: str = ""
    pad: int = 0


@dataclass(frozen=True, slots=True)
class AtLeastOne:
    """Marks a repeated sub-parameter that the standard wants at least once."""


Spec = Scalar | Octets | Array | BitArray | Text | Rest


class Bits(Struct, frozen=True):
    """A bit string; the bits stand from the most significant bit of the first byte on.

    Attributes:
        count: how many bits.
        data: the bytes as on the wire, with whatever fills the last one up.
    """

    count: int
    data: bytes

    @classmethod
    def of(cls, data: bytes) -> "Bits":
        """Return whole bytes as a bit string."""
        return cls(8 * len(data), data)


T = TypeVar("T")
Some = Annotated[tuple[T, ...], AtLeastOne()]
"""One or more sub-parameters, in wire order."""

Flag = Annotated[bool, Scalar(1)]
U2 = Annotated[int, Scalar(2)]
U8 = Annotated[int, Scalar(8)]
U16 = Annotated[int, Scalar(16)]
U32 = Annotated[int, Scalar(32)]
U64 = Annotated[int, Scalar(64)]
S8 = Annotated[int, Scalar(8, signed=True)]
S16 = Annotated[int, Scalar(16, signed=True)]
S32 = Annotated[int, Scalar(32, signed=True)]
Octets12 = Annotated[bytes, Octets(12)]
ByteArray = Annotated[bytes, Array(8)]
Words = Annotated[tuple[int, ...], Array(16)]
LongWords = Annotated[tuple[int, ...], Array(32)]
BitString = Annotated[Bits, BitArray()]
String = Annotated[str, Text()]
Remaining = Annotated[bytes, Rest()]

_WORDS: Final = {
    word.lower(): word
    for text in (
        "ABBA AI AISpec ARIB BDR BDRV BLE C1G2 CR CRC CSI DI DR EAS EPC EPCHAGTC EPCs FX GGA GPI GPIO GPIs GPO GPOs",
        "GPS IC ID IDs LI LLRP LSB MB MLT MSec FPGA NMEA NXP PC PCBA PIE QT RF RMC RO ROSpec ROSpecs RSSI SL TB",
        "TID TIDs UHF UMI UTC XPC XPC1 XPC2 XPCW1 XPCW2",
    )
    for word in text.split()
}
"""Words that the standard and the vendors write with capitals of their own."""


def standard_name(ours: str) -> str:
    """Return the standard's name of a field of ours: `rospec_id` is `ROSpecID`."""
    return "".join(_WORDS.get(word, word.capitalize()) for word in ours.split("_"))
