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
    """After how many executions the access operation is deleted; 0 is never [11.2.1.1, 16.2.5.1.1]."""

    access_spec_stop_trigger: Annotated[int, Scalar(8, AccessSpecStopTriggerType)]
    operation_count_value: U16


class ClientRequestOpSpec(Parameter, number=210):
    """Ask the client what to do with the tag [11.2.1.2.1, 16.2.5.1.3]."""

    op_spec_id: U16


class C1G2TargetTag(Parameter, number=339):
    """A pattern of bits in a memory bank [15.2.1.3.1.1, 16.3.1.3.1.1]."""

    mb: U2
    match: Annotated[bool, Scalar(1, pad=5)]
    pointer: U16
    tag_mask: BitString
    tag_data: BitString


class C1G2TagSpec(Parameter, number=338):
    """Which tags an access operation is for; two patterns are both wanted [15.2.1.3.1, 16.3.1.3.1]."""

    c1g2_target_tags: Some[C1G2TargetTag]


class C1G2Read(Parameter, number=341):
    """Read words from a memory bank [15.2.1.3.2.1, 16.3.1.3.2.1]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    word_pointer: U16
    word_count: U16


class C1G2Write(Parameter, number=342):
    """Write words to a memory bank [15.2.1.3.2.2, 16.3.1.3.2.2]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    word_pointer: U16
    write_data: Words


class C1G2Kill(Parameter, number=343):
    """Kill the tag for good [15.2.1.3.2.3, 16.3.1.3.2.3]."""

    op_spec_id: U16
    kill_password: U32


class C1G2LockPayload(Parameter, number=345):
    """What to do with one part of the memory [15.2.1.3.2.4.1, 16.3.1.3.2.4.1]."""

    privilege: Annotated[int, Scalar(8, C1G2LockPrivilege)]
    data_field: Annotated[int, Scalar(8, C1G2LockDataField)]


class C1G2Lock(Parameter, number=344):
    """Lock or unlock memory [15.2.1.3.2.4, 16.3.1.3.2.4]."""

    op_spec_id: U16
    access_password: U32
    c1g2_lock_payloads: Some[C1G2LockPayload]


class C1G2BlockErase(Parameter, number=346):
    """Erase words of a memory bank [15.2.1.3.2.5, 16.3.1.3.2.5]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    word_pointer: U16
    word_count: U16


class C1G2BlockWrite(Parameter, number=347):
    """Write words to a memory bank block by block [15.2.1.3.2.6, 16.3.1.3.2.6]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    word_pointer: U16
    write_data: Words


class C1G2Recommission(Parameter, number=357):
    """Take back parts of a tag's killing [LLRP 1.1]."""

    op_spec_id: U16
    kill_password: Annotated[int, Scalar(32, pad=5)]
    three_sb: Annotated[bool, Scalar(1, name="ThreeSB")]
    two_sb: Annotated[bool, Scalar(1, name="TwoSB")]
    lsb: Flag


class C1G2BlockPermalock(Parameter, number=358):
    """Lock blocks of user memory for good [LLRP 1.1]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    block_pointer: U16
    block_mask: Words


class C1G2GetBlockPermalockStatus(Parameter, number=359):
    """Ask which blocks are locked for good [LLRP 1.1]."""

    op_spec_id: U16
    access_password: U32
    mb: Annotated[int, Scalar(2, pad=6)]
    block_pointer: U16
    block_range: U16


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
OpSpec = C1G2OpSpec | ClientRequestOpSpec | VendorParameter
"""An operation on a tag's memory."""


class AccessCommand(Parameter, number=209):
    """Which tags, and what to do with them in order; vendors' stand among the others [11.2.1.2, 16.2.5.1.2]."""

    tag_spec: C1G2TagSpec
    op_specs: Some[OpSpec]


class AccessSpec(Parameter, number=207):
    """An access operation: antenna 0 is all, ROSpec 0 is every one [11.2.1, 16.2.5.1]."""

    access_spec_id: U32
    antenna_id: U16
    protocol_id: Annotated[int, Scalar(8, AirProtocols)]
    current_state: Annotated[int, Scalar(1, AccessSpecState, pad=7)]
    rospec_id: U32
    access_spec_stop_trigger: AccessSpecStopTrigger
    access_command: AccessCommand
    access_report_spec: AccessReportSpec | None = None
    custom: Extensions = ()


class ClientRequestResponse(Parameter, number=211):
    """What the client wants done with one tag [11.2.2, 16.2.5.1.3.1]."""

    access_spec_id: U32
    epc_data: EPCData
    op_specs: tuple[C1G2OpSpec, ...] = ()
