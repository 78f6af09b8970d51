"""A reader's settings."""

from typing import Annotated

from edge.llrp.messages.element import Extensions, Parameter
from edge.llrp.messages.enums import GPIPortState, IdentificationType, KeepaliveTriggerType
from edge.llrp.messages.inventory import C1G2InventoryCommand
from edge.llrp.messages.wire_types import S16, U16, U32, ByteArray, Scalar


class LLRPConfigurationStateValue(Parameter, number=217):
    """A number that changes with the reader's configuration [12.2.1, 16.2.6.1]."""

    llrp_configuration_state_value: U32


class Identification(Parameter, number=218):
    """The reader's name for itself: MAC address or EPC [12.2.2, 16.2.6.2]."""

    id_type: Annotated[int, Scalar(8, IdentificationType)]
    reader_id: ByteArray


class GPOWriteData(Parameter, number=219):
    """State of a general-purpose output [12.2.3, 16.2.6.3]."""

    gpo_port_number: U16
    gpo_data: Annotated[bool, Scalar(1, pad=7)]


class KeepaliveSpec(Parameter, number=220):
    """Whether the reader sends keepalives, and every how many ms [12.2.4, 16.2.6.4]."""

    keepalive_trigger_type: Annotated[int, Scalar(8, KeepaliveTriggerType)]
    periodic_trigger_value: U32


class AntennaProperties(Parameter, number=221):
    """Whether an antenna is there, and its gain in hundredths of dBi [12.2.5, 16.2.6.5]."""

    antenna_connected: Annotated[bool, Scalar(1, pad=7)]
    antenna_id: U16
    antenna_gain: S16


class RFReceiver(Parameter, number=223):
    """Receive sensitivity, as an index of the table [12.2.6.1, 16.2.6.7]."""

    receiver_sensitivity: U16


class RFTransmitter(Parameter, number=224):
    """Hop table or channel, and transmit power, as indices of the tables [12.2.6.2, 16.2.6.8]."""

    hop_table_id: U16
    channel_index: U16
    transmit_power: U16


class AntennaConfiguration(Parameter, number=222):
    """Radio and inventory settings of an antenna; antenna 0 is all [12.2.6, 16.2.6.6]."""

    antenna_id: U16
    rf_receiver: RFReceiver | None = None
    rf_transmitter: RFTransmitter | None = None
    inventory_commands: tuple[C1G2InventoryCommand, ...] = ()
    custom: Extensions = ()


class GPIPortCurrentState(Parameter, number=225):
    """Whether an input is enabled, and its state [12.2.6.3, 16.2.6.9]."""

    gpi_port_num: U16
    config: Annotated[bool, Scalar(1, pad=7)]
    state: Annotated[int, Scalar(8, GPIPortState)]


class EventsAndReports(Parameter, number=226):
    """Whether reports wait after a reconnect until the client enables them [12.2.6.4, 16.2.6.10]."""

    hold_events_and_reports_upon_reconnect: Annotated[bool, Scalar(1, pad=7)]
