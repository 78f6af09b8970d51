"""The composition root: the one place where the agent's concrete parts are named and joined."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final
from uuid import uuid4

from prometheus_client.core import Metric
from structlog.typing import FilteringBoundLogger

from edge.agent.agent import Agent
from edge.agent.alarm_inputs import AlarmInputs
from edge.agent.at_the_door import AtTheDoor, portal_modes
from edge.agent.attendance import AgentWork, attended
from edge.agent.captures import NAME as CAPTURE
from edge.agent.captures import ORDER_S as CAPTURE_S
from edge.agent.captures import CaptureParts, Captures
from edge.agent.clock import host_synced
from edge.agent.controller import Controller
from edge.agent.counting import MAX_GROUP_ROWS, MAX_HELD_ROWS, Counting, told_before
from edge.agent.coverage import Coverage, doorways
from edge.agent.devices import device_ports, devices
from edge.agent.doorkeeper import Doorkeeper, open_gate
from edge.agent.fitness import Look
from edge.agent.guard_test import GuardTest
from edge.agent.health import Identity, birth
from edge.agent.host import host_health
from edge.agent.journal import Journal
from edge.agent.kernel_cache import kernels_so_far
from edge.agent.leftover import Leftover
from edge.agent.machine import look_at
from edge.agent.metrics import (
    MetricsServer,
    access_figures,
    certificate_figures,
    command_figures,
    counter_figures,
    gate_figures,
    health_figures,
    machine_figures,
)
from edge.agent.orders import OnLookers, Orders
from edge.agent.pipeline import Pipeline
from edge.agent.recording import RecordingFile
from edge.agent.renewal import Renewal
from edge.agent.restart import end_open_passages, hold_on
from edge.agent.signalling import build_signals, signal_figures, steady_us
from edge.agent.sweeping import Sweeps
from edge.agent.trial_files import Note
from edge.agent.warm import warm_up
from edge.commands import Desk, Nonces, Order
from edge.config import (
    EdgeConfig,
    alarm_inputs,
    door_sensors,
    outbox_settings,
    presence_settings,
    reader_settings,
    sweep_settings,
    uplink_settings,
    windows_settings,
)
from edge.gate import CHANNELS, asking, is_foreign
from edge.llrp.capture import HeldNote, RecordingNote
from edge.outbox import SqliteOutbox
from edge.presence import Presence, Quiet
from edge.readers import Baselines, Listener, ReaderSupervisor, Recorder, Taps
from edge.readers.serial import Board
from edge.signals import Signals
from edge.uplink import Forwarder, PahoMqtt, tls_context
from edge.windows import HeldTag, Windows

OUTBOX_FILE: Final = "outbox.db"
MOST_HELD_NOTED: Final = 200
"""A comment of a pcapng file holds 64 KiB, and 200 things standing in a gateway's doorways are a blocked stockroom."""
REFERENCES_FILE: Final = "references.json"
NONCES_FILE: Final = "commands-used.txt"


def now_us() -> int:
    """Return the host's clock, UTC microseconds; the one clock that the agent's parts are given."""
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What the agent's parts are built from."""

    config: EdgeConfig
    me: Identity
    base: Path
    data_dir: Path
    outbox: SqliteOutbox
    executor: ThreadPoolExecutor
    baselines: Baselines
    listener: Listener
    gate: Doorkeeper | None
    record: RecordingFile | None
    renewal: Renewal | None
    leftover: Leftover
    log: FilteringBoundLogger


@dataclass(frozen=True, slots=True)
class _Built:
    """The agent, what has to be open while it runs, how far its parts have come, and their figures."""

    agent: Agent
    desk: Desk
    beside: tuple[AbstractAsyncContextManager[object], ...]
    work: AgentWork
    figures: Callable[[], Iterator[Metric]]


async def serve(
    config: EdgeConfig,
    *,
    base: Path,
    data_dir: Path,
    metrics: tuple[str, int] | None,
    record: RecordingFile | None = None,
    renewal: Renewal | None = None,
    leftover: Leftover,
    stop: asyncio.Event,
    log: FilteringBoundLogger,
) -> None:
    """Build the agent and run it until `stop`.

    Args:
        config: the checked configuration.
        base: the configuration file's folder, where its relative paths start.
        data_dir: folder of the outbox, the gate's snapshot and the reference tags' baselines.
        metrics: loopback address of the Prometheus endpoint, if there is to be one.
        record: takes all that passes between the agent and its readers, for a replay.
        renewal: takes another configuration in this one's place; without it none is taken.
        leftover: what the agent before this one couldn't write, and after this one what it couldn't.
        stop: ends the agent in order.
        log: logger.
    """
    with ExitStack() as stack:
        outbox = SqliteOutbox(data_dir / OUTBOX_FILE, outbox_settings(config), now_us=now_us, log=log)
        stack.callback(outbox.close)
        gate = open_gate(config, data_dir, now_us=now_us, log=log)
        if gate is not None:
            await asyncio.to_thread(gate.load)
            stack.enter_context(gate.keeper)
        given = _Given(
            config=config,
            me=Identity(config.gateway, uuid4().hex, version("stockgate"), now_us()),
            base=base,
            data_dir=data_dir,
            outbox=outbox,
            # One thread works with the outbox: its fsyncs must not hold up the readers' sockets.
            executor=stack.enter_context(ThreadPoolExecutor(1, "outbox")),
            baselines=_baselines(data_dir, log),
            listener=Listener(reader_settings(config, base=base), log=log),
            gate=gate,
            record=record,
            renewal=renewal,
            leftover=leftover,
            log=log,
        )
        await _run(given, _build(given), stack, metrics=metrics, stop=stop)


async def _run(
    given: _Given, built: _Built, stack: ExitStack, *, metrics: tuple[str, int] | None, stop: asyncio.Event
) -> None:
    """Warm the kernels, open what stands beside the agent, and run it."""
    log, me, renewal = given.log, given.me, given.renewal
    back_soon = (lambda: False) if renewal is None else (lambda: renewal.anew)
    started_s = time.monotonic()
    await asyncio.to_thread(warm_up, windows_settings(given.config))
    built.work.kernels = kernels_so_far(time.monotonic() - started_s)
    log.info("kernels ready", seconds=round(built.work.kernels.seconds, 2), compiled=built.work.kernels.compiled)
    if metrics is not None:
        server = stack.enter_context(MetricsServer(metrics, built.figures))
        log.info("metrics served", url=f"http://{metrics[0]}:{server.port}/metrics")
    log.info("agent running", site=given.config.site, gateway=me.gateway, version=me.version, boot=me.boot)
    async with AsyncExitStack() as beside:
        around = attended(built.work, given.data_dir, stop=stop, back_soon=back_soon, log=log)
        for one in (given.listener, *built.beside, around):
            await beside.enter_async_context(one)
        async with asyncio.TaskGroup() as group:
            proving = None if renewal is None else group.create_task(renewal.attend(partial(_answered, built.desk)))
            await built.agent.run(stop, closing=built.desk.close, back_soon=back_soon)
            if proving is not None:
                proving.cancel()
    log.info("stopped")


def _answered(desk: Desk, note: Note) -> bool:
    return desk.answer(note.name, note.nonce, problem=note.problem, result=note.result)


def _build(given: _Given) -> _Built:
    """Join the parts; what an earlier start left open goes into the journal first."""
    config, log, gate, outbox = given.config, given.log, given.gate, given.outbox
    decides = None if gate is None else gate.gate
    forwarder = _forwarder(given, command=lambda channel, payload: desk.take(channel, payload))  # noqa: PLW0108 (below)
    journal = Journal(
        outbox,
        executor=given.executor,
        notify=forwarder.notify,
        now_us=now_us,
        log=log,
        commit_period_s=config.agent.commit_ms / 1e3,
    )
    given.leftover.hand_over("movement", journal)
    end_open_passages(journal, gate=decides, log=log)
    counting = _counting(given, forwarder, lambda: llrp)
    sweeps = _sweeps(given, counting, lambda: llrp)
    windows = Windows(windows_settings(config), boot=given.me.boot)
    held = hold_on(windows, journal, now_us=given.me.started_us, log=log)
    pipeline = Pipeline(
        windows,
        journal,
        ports=_ports(given),
        host_synced=host_synced,
        log=log,
        gate=decides,
        counting=counting,
        sweeps=sweeps,
    )
    inputs = AlarmInputs(
        alarm_inputs(config),
        fire=lambda device, gpi, on: signals.fire(device, gpi, active=on),
        sink=pipeline.sink,
        now_us=now_us,
        steady_us=steady_us,
        log=log,
    )
    onlookers = OnLookers(inputs.sink)
    taps = _taps(given, held, first_seq=_next_seq(outbox, journal))
    llrp = _llrp(given, onlookers, taps)
    others = devices(config, base=given.base, sink=inputs.sink, now_us=now_us, log=log)
    boards = {one.health().id: one for one in others if isinstance(one, Board)}
    signals = build_signals(config, llrp, boards, folder=given.data_dir, now_us=now_us, log=log)
    if gate is not None:
        gate.gate.light(signals)
    orders = Orders(llrp, boards, onlookers, lender=signals, steady_us=steady_us).by_name()
    orders |= _captures(given, taps).by_name() | _guard_test(given, onlookers, pipeline, signals).by_name()
    desk = _desk(given, orders, forwarder, look=lambda: _look(agent, journal, forwarder))
    controller = Controller(config, base=given.base, windows=windows, journal=journal, now_us=now_us, log=log)
    agent = Agent(
        given.me,
        readers=[*llrp.values(), *others],
        journal=journal,
        outbox=outbox,
        uplink=forwarder,
        heartbeat_s=config.agent.heartbeat_s,
        now_us=now_us,
        log=log,
        coverage=Coverage(doorways(config), now_us=given.me.started_us),
        signals=signals,
        gate=None if gate is None else gate.health,
        host=lambda: host_health(given.data_dir, host_synced=host_synced()),
        counting=counting,
        trouble=inputs.trouble,
    )
    work = _work(given, agent, journal, pipeline, forwarder)
    work.door = partial(_at_the_door, given, signals, controller)

    def figures() -> Iterator[Metric]:
        yield from health_figures(agent.health())
        yield from machine_figures(work.machine())
        yield from counter_figures("stockgate_edge_windows", windows.counters)
        yield from counter_figures("stockgate_edge_uplink", forwarder.counters)
        yield from command_figures(desk.counters)
        yield from signal_figures(signals)
        yield from access_figures(controller.desk.counters)
        yield from counter_figures("stockgate_edge_alarm_inputs", inputs.counters)
        if counting is not None:
            yield from counter_figures("stockgate_edge_presence", counting.counters)
            yield from counter_figures("stockgate_edge_sweeps", sweeps.counters)
        yield from certificate_figures(forwarder.certificate_days_left)
        if gate is not None:
            yield from gate_figures(gate.health(), now_us())
            yield from counter_figures("stockgate_edge_gate", gate.keeper.counters)

    asks = () if gate is None else (asking(gate.keeper, forwarder.ask_again, log=log),)
    return _Built(agent, desk, (desk, controller, inputs, sweeps, *asks), work, figures)


def _counting(
    given: _Given, forwarder: Forwarder, readers: Callable[[], Mapping[str, ReaderSupervisor]]
) -> Counting | None:
    """Build what counts zones; None where there is nothing to count."""
    settings = presence_settings(given.config)
    if not settings.places and not given.config.sweeps:
        return None
    journal = Journal(
        given.outbox,
        executor=given.executor,
        notify=forwarder.notify,
        now_us=now_us,
        log=given.log,
        max_held_rows=MAX_HELD_ROWS,
        stream="presence",
        max_group_rows=MAX_GROUP_ROWS,
    )
    given.leftover.hand_over("presence", journal)
    gate = given.gate
    presence = Presence(
        settings,
        foreign=(lambda _: False) if gate is None else (lambda epc: is_foreign(gate.keeper.snapshot, epc)),
        told=told_before(journal, given.log),
    )
    return Counting(presence, journal, askers=readers, host_synced=host_synced, now_us=now_us, log=given.log)


def _sweeps(given: _Given, counting: Counting | None, readers: Callable[[], Mapping[str, ReaderSupervisor]]) -> Sweeps:
    """Build what sweeps by the clock, and stops every sweep for whoever comes to a doorway."""
    config = given.config
    portals = {
        reader.id: frozenset(one.id for one in config.portals if any(a.reader == reader.id for a in one.antennas))
        for reader in config.readers
    }
    return Sweeps(
        sweep_settings(config),
        readers,
        counting,
        Quiet(door_sensors(config), now_us=given.me.started_us),
        serving=portals,
        host_synced=host_synced,
        now_us=now_us,
        log=given.log,
    )


def _baselines(data_dir: Path, log: FilteringBoundLogger) -> Baselines:
    baselines = Baselines(data_dir / REFERENCES_FILE)
    if baselines.problem:
        log.warning("baselines can't be read", problem=baselines.problem)
    return baselines


def _forwarder(given: _Given, *, command: Callable[[str, bytes], None]) -> Forwarder:
    """Build the uplink, which hands on what the central says: commands, and to the gate what is the gate's."""
    knobs, gate = uplink_settings(given.config, base=given.base), given.gate
    return Forwarder(
        given.outbox,
        PahoMqtt(knobs),
        site=given.config.site,
        gateway=given.config.gateway,
        birth=birth(given.config, given.me),
        settings=knobs,
        kept=given.leftover.pair,
        rng=random.Random(),  # noqa: S311 (spreads reconnects, guards nothing)
        executor=given.executor,
        inbound={"cmd/+": command, **({} if gate is None else dict.fromkeys(CHANNELS, gate.keeper.take))},
        bulky=() if gate is None else CHANNELS,
        now_us=now_us,
        log=given.log,
    )


def _ports(given: _Given) -> dict[str, Sequence[int]]:
    readers = reader_settings(given.config, base=given.base)
    return {reader.id: reader.antennas for reader in readers} | device_ports(given.config, base=given.base)


def _taps(given: _Given, held: Sequence[HeldTag], *, first_seq: int) -> dict[str, Taps]:
    """Return where each LLRP reader's connections are listened in on: by the recording of this run, if there is one."""
    recorder = None if given.record is None else _recorder(given.record, given.me, held, first_seq=first_seq)
    readers = reader_settings(given.config, base=given.base)
    return {one.id: Taps(None if recorder is None else recorder.tap(one.id)) for one in readers}


def _llrp(given: _Given, onlookers: OnLookers, taps: Mapping[str, Taps]) -> dict[str, ReaderSupervisor]:
    """Build what keeps the LLRP readers' sessions, by reader."""
    return {
        reader.id: ReaderSupervisor(
            reader,
            sink=onlookers.sink,
            now_us=now_us,
            rng=random.Random(),  # noqa: S311 (spreads reconnects, guards nothing)
            log=given.log,
            baselines=given.baselines,
            dialler=None if reader.listen is None else given.listener.dialler(reader),
            tap=taps[reader.id],
        )
        for reader in reader_settings(given.config, base=given.base)
    }


def _captures(given: _Given, taps: Mapping[str, Taps]) -> Captures:
    """Build what records readers by a command; it believes the authorities that the broker's certificate comes from."""
    knobs = uplink_settings(given.config, base=given.base)
    serving = {one.id: {antenna.reader for antenna in one.antennas} for one in given.config.portals}
    return Captures(
        CaptureParts(
            taps=taps,
            portals={portal: sorted(readers & taps.keys()) for portal, readers in serving.items()},
            folder=given.data_dir,
            context=lambda: tls_context(knobs),
            note=RecordingNote(version=given.me.version, gateway=given.me.gateway, boot=given.me.boot),
            now_us=now_us,
            host_synced=host_synced,
        )
    )


def _guard_test(given: _Given, onlookers: OnLookers, pipeline: Pipeline, signals: Signals) -> GuardTest:
    gate = given.gate
    return GuardTest(
        {one.id: [(antenna.reader, antenna.port) for antenna in one.antennas] for one in given.config.portals},
        onlookers,
        pipeline,
        snapshot=lambda: None if gate is None else gate.keeper.snapshot,
        signals=signals,
        now_us=now_us,
    )


def _desk(given: _Given, orders: Mapping[str, Order], forwarder: Forwarder, *, look: Callable[[], Look]) -> Desk:
    return Desk(
        given.config.gateway,
        given.config.trust.keyring(),
        Nonces(given.data_dir / NONCES_FILE),
        orders,
        publish=forwarder.publish,
        now_us=now_us,
        log=given.log,
        longest_s={CAPTURE: CAPTURE_S},
        late=None if given.renewal is None else given.renewal.join(look),
    )


def _look(agent: Agent, journal: Journal, forwarder: Forwarder) -> Look:
    """Say how the agent is, for a configuration that has to prove itself; a count makes no door dark."""
    health = agent.health()
    counting = any(one.busy_since is not None for one in health.readers)
    return Look(
        readers={
            one.id: "" if one.state == "connected" else f"reader {one.id} is not in session: {one.problem or one.state}"
            for one in health.readers
        },
        portals={
            one.id: f"portal {one.id} is dark: {one.reason}" if one.state == "dark" and not counting else ""
            for one in health.portals
        },
        broker=forwarder.state != "offline",
        central=forwarder.central_heard,
        store=journal.problem,
        ended=agent.ended(),
    )


def _work(given: _Given, agent: Agent, journal: Journal, pipeline: Pipeline, forwarder: Forwarder) -> AgentWork:
    return AgentWork(
        agent,
        journal,
        pipeline,
        forwarder,
        given.executor,
        machine=lambda: look_at(given.data_dir, outbox_file=OUTBOX_FILE),
        version=given.me.version,
        site=given.config.site,
        broker=given.config.mqtt.url,
        trial=(lambda: None) if given.renewal is None else given.renewal.on_trial,
    )


def _at_the_door(given: _Given, signals: Signals, controller: Controller) -> AtTheDoor:
    gate, portals = given.gate, [portal.id for portal in given.config.portals]
    return AtTheDoor(
        fire=[f"input {gpi} of {device}" for device, gpi in signals.fires],
        modes=[] if gate is None else list(portal_modes(gate.keeper.snapshot, portals, now_us())),
        access=controller.doors(),
        lacks_delta=gate is not None and gate.keeper.snapshot is not None and gate.keeper.snapshot.lacks_delta,
    )


def _recorder(record: RecordingFile, me: Identity, held: Sequence[HeldTag], *, first_seq: int) -> Recorder:
    note = RecordingNote(
        version=me.version,
        gateway=me.gateway,
        boot=me.boot,
        first_seq=first_seq,
        held=tuple(
            HeldNote(portal=one.portal, epc=one.epc, since_us=one.since_us, heard_us=one.heard_us) for one in held
        ),
    )
    return Recorder(record.write, now_us=now_us, host_synced=host_synced, note=note)


def _next_seq(outbox: SqliteOutbox, journal: Journal) -> int:
    """Return the number that the outbox will give to the first movement row that a reader causes."""
    return outbox.stats("movement").written + journal.held + 1
