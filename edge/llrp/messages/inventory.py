"""How tags are inventoried by Gen2 (C1G2): filters, modes, sessions."""

from typing import Annotated

from edge.llrp.messages.element import Extensions, Parameter
from edge.llrp.messages.enums import (
    C1G2StateAwareAction,
    C1G2StateAwareTarget,
    C1G2StateUnawareAction,
    C1G2TagInventoryStateAwareI,
    C1G2TagInventoryStateAwareS,
    C1G2TruncateAction,
)
from edge.llrp.messages.wire_types import U16, U32, BitString, Scalar


class C1G2TagInventoryMask(Parameter, number=332):
    """Bits to compare in a memory bank, from bit `pointer` on [15.2.1.2.1.1.1, 16.3.1.2.1.1.1]."""

    mb: Annotated[int, Scalar(2, pad=6)]
    pointer: U16
    tag_mask: BitString


class C1G2TagInventoryStateAwareFilterAction(Parameter, number=333):
    """What a Select does to the flags of tags that match and that don't [15.2.1.2.1.1.2, 16.3.1.2.1.1.2]."""

    target: Annotated[int, Scalar(8, C1G2StateAwareTarget)]
    action: Annotated[int, Scalar(8, C1G2StateAwareAction)]


class C1G2TagInventoryStateUnawareFilterAction(Parameter, number=334):
    """Whether tags that match and that don't take part [15.2.1.2.1.1.3, 16.3.1.2.1.1.3]."""

    action: Annotated[int, Scalar(8, C1G2StateUnawareAction)]


class C1G2Filter(Parameter, number=331):
    """A Select command: which tags take part [15.2.1.2.1.1, 16.3.1.2.1.1]."""

    t: Annotated[int, Scalar(2, C1G2TruncateAction, pad=6)]
    c1g2_tag_inventory_mask: C1G2TagInventoryMask
    c1g2_tag_inventory_state_aware_filter_action: C1G2TagInventoryStateAwareFilterAction | None = None
    c1g2_tag_inventory_state_unaware_filter_action: C1G2TagInventoryStateUnawareFilterAction | None = None


class C1G2RFControl(Parameter, number=335):
    """Mode by its identifier, and Tari in ns [15.2.1.2.1.2, 16.3.1.2.1.2]."""

    mode_index: U16
    tari: U16


class C1G2TagInventoryStateAwareSingulationAction(Parameter, number=337):
    """Which state of the inventoried and SL flags takes part [15.2.1.2.1.3.1, 16.3.1.2.1.3.1]."""

    i: Annotated[int, Scalar(1, C1G2TagInventoryStateAwareI)]
    s: Annotated[int, Scalar(1, C1G2TagInventoryStateAwareS)]
    s_all: Annotated[bool, Scalar(1, pad=5)]


class C1G2SingulationControl(Parameter, number=336):
    """Session, expected number of tags, and their time in the field in ms [15.2.1.2.1.3, 16.3.1.2.1.3]."""

    session: Annotated[int, Scalar(2, pad=6)]
    tag_population: U16
    tag_transit_time: U32
    c1g2_tag_inventory_state_aware_singulation_action: C1G2TagInventoryStateAwareSingulationAction | None = None


class C1G2InventoryCommand(Parameter, number=330):
    """Gen2 inventory settings: filters, mode, session [15.2.1.2.1, 16.3.1.2.1]."""

    tag_inventory_state_aware: Annotated[bool, Scalar(1, pad=7)]
    c1g2_filters: tuple[C1G2Filter, ...] = ()
    c1g2_rf_control: C1G2RFControl | None = None
    c1g2_singulation_control: C1G2SingulationControl | None = None
    custom: Extensions = ()
