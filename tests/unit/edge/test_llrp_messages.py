"""The message codec: bytes to typed values and back."""

import pytest

from edge.llrp.errors import LlrpError
from edge.llrp.framing import Frame, FrameBuffer
from edge.llrp.messages import decode_message, encode_message
from edge.llrp.messages.commands import AddROSpec, SetReaderConfig
from edge.llrp.messages.configuration import AntennaConfiguration, EventsAndReports, GPOWriteData
from edge.llrp.messages.element import Message
from edge.llrp.messages.enums import AirProtocols, AISpecStopTriggerType, ROSpecStartTriggerType, ROSpecState
from edge.llrp.messages.impinj import ImpinjAdvancedGPOConfiguration, ImpinjGPIDebounceConfiguration
from edge.llrp.messages.impinj_enums import ImpinjAdvancedGPOMode
from edge.llrp.messages.rospec import (
    AISpec,
    AISpecStopTrigger,
    InventoryParameterSpec,
    ROBoundarySpec,
    ROSpec,
    ROSpecStartTrigger,
    ROSpecStopTrigger,
)

SIREN = SetReaderConfig(
    reset_to_factory_default=False,
    gpo_write_data=(GPOWriteData(gpo_port_number=1, gpo_data=True),),
    events_and_reports=EventsAndReports(hold_events_and_reports_upon_reconnect=True),
    custom=(
        ImpinjAdvancedGPOConfiguration(
            gpo_port_num=1, gpo_mode=ImpinjAdvancedGPOMode.PULSED, gpo_pulse_duration_msec=3000
        ),
        ImpinjGPIDebounceConfiguration(gpi_port_num=2, gpi_debounce_timer_msec=50),
    ),
)
PORTAL = AddROSpec(
    rospec=ROSpec(
        rospec_id=1,
        priority=0,
        current_state=ROSpecState.DISABLED,
        ro_boundary_spec=ROBoundarySpec(
            rospec_start_trigger=ROSpecStartTrigger(rospec_start_trigger_type=ROSpecStartTriggerType.NULL),
            rospec_stop_trigger=ROSpecStopTrigger(rospec_stop_trigger_type=0, duration_trigger_value=0),
        ),
        specs=(
            AISpec(
                antenna_ids=(1, 2),
                aispec_stop_trigger=AISpecStopTrigger(
                    aispec_stop_trigger_type=AISpecStopTriggerType.NULL, duration_trigger=0
                ),
                inventory_parameter_specs=(
                    InventoryParameterSpec(
                        inventory_parameter_spec_id=1,
                        protocol_id=AirProtocols.EPCGLOBAL_CLASS1_GEN2,
                        antenna_configurations=(AntennaConfiguration(antenna_id=1),),
                    ),
                ),
            ),
        ),
    )
)


def frame_of(data: bytes) -> Frame:
    """Return the one frame in `data`, a report too."""
    buffer = FrameBuffer()
    buffer.feed(data)
    assert buffer.take().messages == 1
    return Frame(int.from_bytes(data[:2], "big") & 0x3FF, int.from_bytes(data[6:10], "big"), data[0] >> 2, data[10:], 0)


@pytest.mark.parametrize("message", [SIREN, PORTAL])
def test_a_message_comes_back_equal(message: Message) -> None:
    assert decode_message(frame_of(encode_message(message, 7))) == message


def test_a_value_beyond_its_field_is_refused_by_name() -> None:
    with pytest.raises(LlrpError, match=r"SET_READER_CONFIG > GPOWriteData can't be encoded: gpo_port_number is 0 to"):
        encode_message(
            SetReaderConfig(
                reset_to_factory_default=False, gpo_write_data=(GPOWriteData(gpo_port_number=70000, gpo_data=True),)
            ),
            1,
        )
