"""What a client asks of the air: C1G2InventoryCommand with its mode, session and filters (LLRP 1.0.1, 15.2.1)."""

from typing import Final

from simulator.server.codes import ImpinjSubtype, ParameterType, Status
from simulator.server.errors import RefusedError
from simulator.server.model import ReaderModel, RfMode
from simulator.server.wire import IMPINJ, fields, parameters
from simulator.world.command import AirCommand, Select

EPC_BANK: Final = 1


def parse_command(body: bytes, model: ReaderModel) -> AirCommand:
    """Read a C1G2InventoryCommand's body.

    Raises:
        WireError: it is malformed.
        RefusedError: a mode that the reader hasn't got, or more filters than a query takes.
    """
    mode: RfMode | None = None
    session = population = search_mode = None
    filters: list[Select] = []
    for parameter in parameters(body[1:], "C1G2InventoryCommand"):
        if parameter.type == ParameterType.C1G2_FILTER:
            filters.append(_select(parameter.body))
        elif parameter.type == ParameterType.C1G2_RF_CONTROL:
            mode = _mode(parameter.body, model)
        elif parameter.type == ParameterType.C1G2_SINGULATION_CONTROL:
            first, population, _ = fields(parameter.body, ">BHI", "C1G2SingulationControl")
            session = first >> 6
        elif (parameter.vendor, parameter.subtype) == (IMPINJ, ImpinjSubtype.INVENTORY_SEARCH_MODE):
            (search_mode,) = fields(parameter.body, ">H", "ImpinjInventorySearchMode")
    if len(filters) > model.max_filters:
        raise RefusedError(
            Status.OVERFLOW_PARAMETER,
            f"{len(filters)} C1G2Filters: this reader takes {model.max_filters} filters a query",
        )
    return AirCommand(
        mode=mode.id if mode else None,
        session=session,
        population=population,
        filters=tuple(filters),
        search_mode=search_mode,
        timing=mode.timing if mode else None,
    )


def _mode(body: bytes, model: ReaderModel) -> RfMode:
    wanted, _ = fields(body, ">HH", "C1G2RFControl")
    mode = next((entry for entry in model.modes if entry.id == wanted), None)
    if mode is None:
        known = ", ".join(str(entry.id) for entry in model.modes)
        raise RefusedError(Status.OUT_OF_RANGE, f"RF mode {wanted}: this reader has {known}")
    return mode


def _select(body: bytes) -> Select:
    found, action = None, 0
    for parameter in parameters(body[1:], "C1G2Filter"):
        if parameter.type == ParameterType.C1G2_TAG_INVENTORY_MASK:
            bank, pointer, bits = fields(parameter.body, ">BHH", "C1G2TagInventoryMask")
            if bank >> 6 != EPC_BANK:
                raise RefusedError(
                    Status.UNSUPPORTED_PARAMETER, f"a mask on bank {bank >> 6}: only EPC memory is played"
                )
            found = pointer, bits, parameter.body[5 : 5 + (bits + 7) // 8]
        elif parameter.type == ParameterType.C1G2_STATE_UNAWARE_FILTER_ACTION:
            (action,) = fields(parameter.body, ">B", "C1G2TagInventoryStateUnawareFilterAction")
        elif parameter.type == ParameterType.C1G2_STATE_AWARE_FILTER_ACTION:
            raise RefusedError(Status.UNSUPPORTED_PARAMETER, "state-aware filters: this reader says that it can't")
    if found is None:
        raise RefusedError(Status.MISSING_PARAMETER, "a C1G2Filter needs a C1G2TagInventoryMask")
    return Select(*found, action)
