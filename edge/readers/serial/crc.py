"""Reflected 16 bit CRCs by table: on a line at the wrong speed one is reckoned for every byte that comes."""

from collections.abc import Sequence
from typing import Final

PRESET: Final = 0xFFFF


def crc_table(polynomial: int) -> tuple[int, ...]:
    """Return the remainders of all bytes."""
    return tuple(_remainder(byte, polynomial) for byte in range(256))


def crc16(data: bytes, table: Sequence[int]) -> int:
    """Return the CRC with preset 0xFFFF and no last inversion."""
    crc = PRESET
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc


def _remainder(byte: int, polynomial: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ polynomial if byte & 1 else byte >> 1
    return byte
