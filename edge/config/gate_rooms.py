"""What no single key can show of the gate's outputs, and the signals' rules built from them."""

from collections.abc import Iterator, Mapping
from typing import Final

from edge.config.gate import GateOutputConfig, near, output_problems
from edge.config.model import EdgeConfig
from edge.signals import OutputRule, QuietHours, Verdict

_VERDICTS: Final[Mapping[str, frozenset[Verdict]]] = {
    "light": frozenset({"refuse", "carried"}),
    "siren": frozenset({"refuse"}),
}


def gate_problems(config: EdgeConfig) -> Iterator[str]:
    """Yield each problem of `[[gate.outputs]]` as one line that begins with its place."""
    portals = [portal.id for portal in config.portals]
    first: dict[tuple[str, int], int] = {}
    for number, one in enumerate(config.gate.outputs):
        place = f"gate.outputs[{number}]"
        yield from output_problems(number, one)
        if one.portal not in portals:
            yield f"{place}.portal: {one.portal!r} is not among [[portals]]{near(one.portal, portals)}"
        yield from _device_problems(config, place, one)
        other = first.setdefault((one.device, one.output), number)
        if other != number:
            yield (
                f"{place}.output: output {one.output} of {one.device} is already that of gate.outputs[{other}]: each "
                "output has one purpose; for one lamp at two portals wire two outputs to it"
            )


def output_rules(config: EdgeConfig) -> tuple[OutputRule, ...]:
    """Build the signals' rules."""
    return tuple(
        OutputRule(
            portal=one.portal,
            device=one.device,
            output=one.output,
            kind=one.kind,
            pattern=one.pattern,
            seconds=one.seconds,
            verdicts=_VERDICTS.get(one.kind, frozenset()) if one.verdicts is None else frozenset(one.verdicts),
            quiet=tuple(QuietHours.parse(text) for text in one.quiet_hours),
        )
        for one in config.gate.outputs
    )


def _device_problems(config: EdgeConfig, place: str, one: GateOutputConfig) -> Iterator[str]:
    boards = {board.id: board for board in config.boards}
    readers = {reader.id: reader for reader in config.readers}
    if one.device in boards:
        board = boards[one.device]
        if one.output > board.outputs:
            yield f"{place}.output: board {board.id} has {board.outputs} outputs (`outputs`): there is no {one.output}"
        if one.kind == "alive" and not (board.protocol == "modbus" and board.timed_outputs):
            yield (
                f"{place}.device: board {board.id} ends no pulse by itself, so a lamp there would stay lit if the "
                "agent died: for `alive` take a `modbus` board with timed_outputs, or an Impinj reader"
            )
        return
    if one.kind == "gone":
        known = list(boards)
        yield (
            f"{place}.device: {one.device!r} is no board: `gone` tells that a reader is lost, so it hangs on a board "
            f"of the gateway's own ([[boards]]){near(one.device, known) if known else ''}"
        )
        return
    if one.device not in readers:
        known = [*readers, *boards]
        words = "is a reader without outputs" if one.device in config.reader_places.values() else "is not known"
        yield f"{place}.device: {one.device!r} {words}: name an LLRP reader or a board{near(one.device, known)}"
        return
    wired = {output.output: output for output in readers[one.device].outputs}
    if one.output not in wired:
        yield (
            f"{place}.output: output {one.output} is not among the outputs of reader {one.device}: add "
            f"{{ output = {one.output} }} to them, so that it is switched off when the agent starts"
        )
    elif one.kind == "alive" and wired[one.output].inverted:
        yield (
            f"{place}.output: is on while low (`inverted`), and no reader ends that by itself: a lamp there would "
            "stay lit if the agent died: wire it to be on while high"
        )
