"""RF surveys: what a quiet place sounds like, channel by channel (LLRP 1.0.1, 13.2.4)."""

import struct
from collections.abc import Sequence
from typing import Final

from simulator.server.codes import MessageType, ParameterType
from simulator.server.now import Now
from simulator.server.rospec import Survey
from simulator.server.wire import message, tlv

NOISE_DBM: Final = -90
"""What a reader hears with nobody on the air: near its sensitivity."""
BANDWIDTH_KHZ: Final = 500


def survey_report(message_id: int, survey: Survey, rospec_id: int, channels_khz: Sequence[int], now: Now) -> bytes:
    """The RO_ACCESS_REPORT at the end of a survey, with the channels of this reader that it asked for."""
    entries = b"".join(
        tlv(
            ParameterType.FREQUENCY_RSSI_LEVEL_ENTRY,
            struct.pack(">IIbb", khz, BANDWIDTH_KHZ, NOISE_DBM, NOISE_DBM) + now.stamp(),
        )
        for khz in sorted(channels_khz)
        if survey.from_khz <= khz <= survey.to_khz
    )
    head = struct.pack(">BIBH", 0x80 | 9, rospec_id, 0x80 | 14, 1)
    return message(MessageType.RO_ACCESS_REPORT, message_id, tlv(ParameterType.RF_SURVEY_REPORT_DATA, head + entries))
