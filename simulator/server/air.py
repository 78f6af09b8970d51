"""What a client asks of the air: C1G2InventoryCommand with its mode, session and filters (LLRP 1.0.1, 15.2.1)."""

from typing import Final

from simulator.server.codes import ImpinjSubtype, ParameterType, Status
from simulator.server.errors import RefusedError
from simulator.server.model import ReaderModel
from simulator.server.wire import IMPINJ, fields, parameters
from simulator.world.command import AirCommand, Select

EPC_BANK: Final = 1
SUPPRESSION: Final = 3
SINGLE_TARGET: Final = frozenset({1, SUPPRESSION})
"""ImpinjInventorySearchModes: single target, and TagFocus, which keeps tags quiet in S1 while they have power."""
PERSISTENCE_US: Final = 2_000_000
"""S2 and S3 persist for more than 2 s without power, S1 for 0.5 to 5 s with or without it (Gen2 air interface)."""

LEAST_ROOM: Final = 10_000
"""Flags that are kept before lapsed ones are looked for."""


class Persistence:
    """Which tags keep quiet because they have answered: the inventoried flag of each session, in the tags themselves.

    Only single-target search leaves them so; dual target turns round and asks them again.
    """

    def __init__(self) -> None:
        self._answered_us: dict[tuple[int, bytes], int] = {}
        self._room = LEAST_ROOM

    def answers(self, epc: bytes, command: AirCommand, now_us: int) -> bool:
        """Whether a tag that is in the field now answers; one that keeps quiet stays so while it has power."""
        if command.search_mode not in SINGLE_TARGET or not command.session:
            return True
        key = command.session, epc
        since_us = now_us - self._answered_us.get(key, -PERSISTENCE_US)
        quiet = since_us < PERSISTENCE_US
        if not quiet or command.session > 1 or command.search_mode == SUPPRESSION:
            self._answered_us[key] = now_us
        if len(self._answered_us) > self._room:
            self._forget(now_us)
        return not quiet

    def _forget(self, now_us: int) -> None:
        """Let go of flags that have lapsed, so that a long run with ever new tags needs no more and more room."""
        live = {key: at_us for key, at_us in self._answered_us.items() if now_us - at_us < PERSISTENCE_US}
        self._answered_us, self._room = live, max(2 * len(live), LEAST_ROOM)


def parse_command(body: bytes, model: ReaderModel) -> AirCommand:
    """Read a C1G2InventoryCommand's body.

    Raises:
        WireError: it is malformed.
        RefusedError: a mode that the reader hasn't got, or more filters than a query takes.
    """
    mode = session = population = search_mode = None
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
    return AirCommand(mode, session, population, tuple(filters), search_mode)


def _mode(body: bytes, model: ReaderModel) -> int:
    mode, _ = fields(body, ">HH", "C1G2RFControl")
    known = [entry.id for entry in model.modes]
    if mode not in known:
        raise RefusedError(Status.OUT_OF_RANGE, f"RF mode {mode}: this reader has {', '.join(map(str, known))}")
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
