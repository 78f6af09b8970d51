"""Access operations: which tags, and what to do with their memory."""

from typing import Annotated

from edge.llrp.messages.element import Extensions, Parameter, VendorParameter
from edge.llrp.messages.enums import (
    AccessSpecState,
    AccessSpecStopTriggerType,
    AirProtocols,
    C1G2LockDataField,
    C1G2LockPrivilege,
)
from edge.llrp.messages.reports import AccessReportSpec, EPCData
from edge.llrp.messages.wire_types import U2, U16, U32, BitString, Flag, Scalar, Some, Words


class AccessSpecStopTrigger(Parameter, number=208):
    """TODO [11.2.1.1, 16.2.5.1.1]."""

    access_spec_stop_trigger: Annotated[int, Scalar(8, AccessSpecStopTriggerType)]
    operation_count_value: U16


class ClientRequestOpSpec(Parameter, number=210):
    """TODO [11.2.1.2.1, 16.2.5.1.3]."""

    op_spec_id: U16


class C1G2TargetTag(Parameter, number=339):
    """TODO [15.2.1.3.1.1, 16.3.1.3.1.1]."""

    mb: U2
    match: Annotated[bool, Scalar(1, pad=5)]
    pointer: U16
    tag_mask: BitString
    tag_data: BitString


class C1G2TagSpec(Parameter, number=338):
    """TODO [15.2.1.3.1, 16.3.1.3.1]."""

    c1g2_target_tags: Some[C1G2TargetTag]


class C1G2Read(Parameter, number=341):
    """TODO [15.2.1.3.2.1, 16.3.1.3.2.1]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    word_pointer: U16
    word_count: U16


class C1G2Write(Parameter, number=342):
    """TODO [15.2.1.3.2.2, 16.3.1.3.2.2]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    word_pointer: U16
    write_data: Words


class C1G2Kill(Parameter, number=343):
    """TODO [15.2.1.3.2.3, 16.3.1.3.2.3]."""

    op_spec_id: U16
    kill_password: U32


class C1G2LockPayload(Parameter, number=345):
    """TODO [15.2.1.3.2.4.1, 16.3.1.3.2.4.1]."""

    privilege: Annotated[int, Scalar(8, C1G2LockPrivilege)]
    data_field: Annotated[int, Scalar(8, C1G2LockDataField)]


class C1G2Lock(Parameter, number=344):
    """TODO [15.2.1.3.2.4, 16.3.1.3.2.4]."""

    op_spec_id: U16
    access_password: U32
    c1g2_lock_payloads: Some[C1G2LockPayload]


class C1G2BlockErase(Parameter, number=346):
    """TODO [15.2.1.3.2.5, 16.3.1.3.2.5]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    word_pointer: U16
    word_count: U16


class C1G2BlockWrite(Parameter, number=347):
    """TODO [15.2.1.3.2.6, 16.3.1.3.2.6]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    word_pointer: U16
    write_data: Words


class C1G2Recommission(Parameter, number=357):
    """TODO [LLRP 1.1]."""

    op_spec_id: U16
    kill_password: Annotated[int, Scalar(32, pad=5)]
    three_sb: Annotated[bool, Scalar(1, name="ThreeSB")]
    two_sb: Annotated[bool, Scalar(1, name="TwoSB")]
    lsb: Flag


class C1G2BlockPermalock(Parameter, number=358):
    """TODO [LLRP 1.1]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    block_pointer: U16
    block_mask: Words


class C1G2GetBlockPermalockStatus(Parameter, number=359):
    """TODO [LLRP 1.1]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    block_pointer: U16
    block_range: U16


OpSpec = (
    C1G2Read
    | C1G2Write
    | C1G2Kill
    | C1G2Recommission
    | C1G2Lock
    | C1G2BlockErase
    | C1G2BlockWrite
    | C1G2BlockPermalock
    | C1G2GetBlockPermalockStatus
    | ClientRequestOpSpec
    | VendorParameter
)
"""An operation on a tag's memory."""


class AccessCommand(Parameter, number=209):
    """TODO [11.2.1.2, 16.2.5.1.2]."""

    tag_spec: C1G2TagSpec
    op_specs: Some[OpSpec]


class AccessSpec(Parameter, number=207):
    """TODO [11.2.1, 16.2.5.1]."""

    access_spec_id: U32
    antenna_id: U16
    protocol_id: Annotated[int, Scalar(8, AirProtocols)]
    current_state: Annotated[int, Scalar(1, AccessSpecState, pad=7)]
    rospec_id: U32
    access_spec_stop_trigger: AccessSpecStopTrigger
    access_command: AccessCommand
    access_report_spec: AccessReportSpec | None = None
    custom: Extensions = ()


C1G2OpSpec = (
    C1G2Read
    | C1G2Write
    | C1G2Kill
    | C1G2Recommission
    | C1G2Lock
    | C1G2BlockErase
    | C1G2BlockWrite
    | C1G2BlockPermalock
    | C1G2GetBlockPermalockStatus
)
"""A Gen2 operation on a tag's memory."""


class ClientRequestResponse(Parameter, number=211):
    """TODO [11.2.2, 16.2.5.1.3.1]."""

    access_spec_id: U32
    epc_data: EPCData
    op_specs: tuple[C1G2OpSpec, ...] = ()
