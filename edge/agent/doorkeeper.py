"""The agent's gate: its parts joined, and what the heartbeat says of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from edge.config import EdgeConfig
from edge.contracts import GateHealth, instant
from edge.gate import USES, Gate, GateError, GateFiles, GateKeeper, GateStore, Unlit, Uses

GATE_FOLDER: Final = "gate"


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """The gate's parts; `keeper` is a context in which messages are taken, `gate` decides exits."""

    keeper: GateKeeper
    gate: Gate
    load: Callable[[], None]

    def health(self) -> GateHealth:
        """Return what is held, and what came of the messages."""
        held, coming = self.keeper.snapshot, self.keeper.coming
        told = GateHealth(
            missing_parts=0 if coming is None else coming[1],
            foreign=self.gate.counters.foreign,
            judged=dict(self.gate.counters.judged),
            refused=dict(self.keeper.counters.refused),
        )
        if held is None:
            return told
        return msgspec.structs.replace(
            told,
            generation=held.generation,
            n=held.n,
            issued_at=instant(held.signed_us),
            expires_at=instant(held.expires_us),
            entries=held.entries,
        )


def open_gate(
    config: EdgeConfig, data_dir: Path, *, now_us: Callable[[], int], log: FilteringBoundLogger
) -> Doorkeeper | None:
    """Build the gate, unlit, `load` still to be called; None where the configuration names no key of a central."""
    if not config.trust.central_keys:
        return None
    files = GateFiles(data_dir / GATE_FOLDER)
    store = GateStore(config.gateway, config.trust.keyring(), files, log=log)
    keeper, uses = GateKeeper(store, files, log=log), Uses()
    gate = Gate(
        lambda: keeper.snapshot,
        Unlit(),
        uses=uses,
        keep_uses=keeper.keep_uses,
        now_us=now_us,
        log=log,
        outline=lambda: keeper.outline,
    )
    return Doorkeeper(keeper, gate, partial(_load, store, uses, files, log))


def _load(store: GateStore, uses: Uses, files: GateFiles, log: FilteringBoundLogger) -> None:
    """Take what an earlier start kept."""
    store.load()
    problem = ""
    try:
        if (payload := files.read(USES)) is not None:
            uses.decode(payload)
    except (GateError, OSError) as error:
        problem = str(error)
    if problem:
        log.error("used permissions can't be read: those for one use may be used again", problem=problem)
