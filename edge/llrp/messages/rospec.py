"""Reader operations: when to start and stop, which antennas to read or survey."""

from typing import Annotated

from edge.llrp.messages.common import UTCTimestamp
from edge.llrp.messages.configuration import AntennaConfiguration
from edge.llrp.messages.element import Extensions, Parameter, VendorParameter
from edge.llrp.messages.enums import (
    AirProtocols,
    AISpecStopTriggerType,
    RFSurveySpecStopTriggerType,
    ROSpecStartTriggerType,
    ROSpecState,
    ROSpecStopTriggerType,
    TagObservationTriggerType,
)
from edge.llrp.messages.reports import ROReportSpec
from edge.llrp.messages.wire_types import U8, U16, U32, Scalar, Some, Words


class PeriodicTriggerValue(Parameter, number=180):
    """Start every `period` ms after `offset` ms, or after an instant [10.2.1.1.1.1, 16.2.4.1.1.1.1]."""

    offset: U32
    period: U32
    utc_timestamp: UTCTimestamp | None = None


class GPITriggerValue(Parameter, number=181):
    """Start or stop when an input changes; `timeout` in ms, 0 is none [10.2.1.1.1.2, 16.2.4.1.1.1.2]."""

    gpi_port_num: U16
    gpi_event: Annotated[bool, Scalar(1, pad=7)]
    timeout: U32


class ROSpecStartTrigger(Parameter, number=179):
    """What starts a reader operation [10.2.1.1.1, 16.2.4.1.1.1]."""

    rospec_start_trigger_type: Annotated[int, Scalar(8, ROSpecStartTriggerType)]
    periodic_trigger_value: PeriodicTriggerValue | None = None
    gpi_trigger_value: GPITriggerValue | None = None


class ROSpecStopTrigger(Parameter, number=182):
    """What stops a reader operation; duration in ms [10.2.1.1.2, 16.2.4.1.1.2]."""

    rospec_stop_trigger_type: Annotated[int, Scalar(8, ROSpecStopTriggerType)]
    duration_trigger_value: U32
    gpi_trigger_value: GPITriggerValue | None = None


class ROBoundarySpec(Parameter, number=178):
    """When a reader operation starts and stops [10.2.1.1, 16.2.4.1.1]."""

    rospec_start_trigger: ROSpecStartTrigger
    rospec_stop_trigger: ROSpecStopTrigger


class TagObservationTrigger(Parameter, number=185):
    """End by the number of tags, attempts or a silence of `t` ms, or after `timeout` ms [10.2.2.1.1, 16.2.4.2.1.1]."""

    trigger_type: Annotated[int, Scalar(8, TagObservationTriggerType, pad=8)]
    number_of_tags: U16
    number_of_attempts: U16
    t: U16
    timeout: U32


class AISpecStopTrigger(Parameter, number=184):
    """What ends an antenna inventory; duration in ms [10.2.2.1, 16.2.4.2.1]."""

    aispec_stop_trigger_type: Annotated[int, Scalar(8, AISpecStopTriggerType)]
    duration_trigger: U32
    gpi_trigger_value: GPITriggerValue | None = None
    tag_observation_trigger: TagObservationTrigger | None = None


class InventoryParameterSpec(Parameter, number=186):
    """An air protocol with its settings by antenna [10.2.2.2, 16.2.4.2.2]."""

    inventory_parameter_spec_id: U16
    protocol_id: Annotated[int, Scalar(8, AirProtocols)]
    antenna_configurations: tuple[AntennaConfiguration, ...] = ()
    custom: Extensions = ()


class AISpec(Parameter, number=183):
    """An inventory by antennas; antenna 0 is all of them [10.2.2, 16.2.4.2]."""

    antenna_ids: Words
    aispec_stop_trigger: AISpecStopTrigger
    inventory_parameter_specs: Some[InventoryParameterSpec]
    custom: Extensions = ()


class RFSurveySpecStopTrigger(Parameter, number=188):
    """What ends a survey: ms or number of sweeps [10.2.3.1, 16.2.4.3.1]."""

    stop_trigger_type: Annotated[int, Scalar(8, RFSurveySpecStopTriggerType)]
    duration_period: U32
    n: U32


class RFSurveySpec(Parameter, number=187):
    """A radio survey of one antenna between two frequencies in kHz [10.2.3, 16.2.4.3]."""

    antenna_id: U16
    start_frequency: U32
    end_frequency: U32
    rf_survey_spec_stop_trigger: RFSurveySpecStopTrigger
    custom: Extensions = ()


class LoopSpec(Parameter, number=355):
    """Run the specs before it again, so many times; 0 is for ever [LLRP 1.1]."""

    loop_count: U32


ROSpecPart = AISpec | RFSurveySpec | LoopSpec | VendorParameter
"""What an ROSpec does, one after another."""


class ROSpec(Parameter, number=177):
    """A reader operation [10.2.1, 16.2.4.1]."""

    rospec_id: U32
    priority: U8
    current_state: Annotated[int, Scalar(8, ROSpecState)]
    ro_boundary_spec: ROBoundarySpec
    specs: Some[ROSpecPart]
    ro_report_spec: ROReportSpec | None = None
