"""Serial readers and relay boards: cores without I/O for what they speak, thin shells around them."""

from edge.readers.serial.bands import plan_channels
from edge.readers.serial.board import Board
from edge.readers.serial.board_model import BoardSettings
from edge.readers.serial.model import LINE_NAMES, SerialSettings
from edge.readers.serial.supervisor import serial_reader

__all__ = ["LINE_NAMES", "Board", "BoardSettings", "SerialSettings", "plan_channels", "serial_reader"]
