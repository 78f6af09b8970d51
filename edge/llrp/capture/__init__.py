"""Captures: pcapng and classic pcap <-> the bytes of readers' connections, without I/O.

Writing goes connection -> frame -> pcapng block, reading block -> segment -> piece of a stream -> a reader's bytes.
What is wrong with a capture is said by `LlrpError`, the error of the room.
"""

from edge.llrp.capture.connection import RecordedConnection
from edge.llrp.capture.frames import Endpoint, Segment, Skipped, dissect
from edge.llrp.capture.notes import (
    AsideNote,
    ClockNote,
    ConnectionNote,
    HeldNote,
    Note,
    RecordingNote,
    RowsNote,
    SensorNote,
    notes_in,
    to_comment,
)
from edge.llrp.capture.pcapng import CaptureReader, Packet, header, is_capture, packet
from edge.llrp.capture.readers import ReaderBytes, ReaderStreams
from edge.llrp.capture.streams import Piece, Reassembler
from edge.llrp.capture.times import Judged, PacketTimes

__all__ = [
    "AsideNote",
    "CaptureReader",
    "ClockNote",
    "ConnectionNote",
    "Endpoint",
    "HeldNote",
    "Judged",
    "Note",
    "Packet",
    "PacketTimes",
    "Piece",
    "ReaderBytes",
    "ReaderStreams",
    "Reassembler",
    "RecordedConnection",
    "RecordingNote",
    "RowsNote",
    "Segment",
    "SensorNote",
    "Skipped",
    "dissect",
    "header",
    "is_capture",
    "notes_in",
    "packet",
    "to_comment",
]
