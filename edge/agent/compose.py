"""The composition root: the one place where the agent's concrete parts are named and joined."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final
from uuid import uuid4

from prometheus_client.core import Metric
from structlog.typing import FilteringBoundLogger

from edge.agent.agent import Agent
from edge.agent.alarm_inputs import AlarmInputs
from edge.agent.attendance import AgentWork, attended
from edge.agent.clock import host_synced
from edge.agent.controller import Controller
from edge.agent.counting import MAX_GROUP_ROWS, MAX_HELD_ROWS, Counting, told_before
from edge.agent.coverage import Coverage, doorways
from edge.agent.devices import device_ports, devices
from edge.agent.doorkeeper import Doorkeeper, open_gate
from edge.agent.health import Identity, birth
from edge.agent.host import host_health
from edge.agent.journal import Journal
from edge.agent.kernel_cache import kernels_so_far
from edge.agent.machine import look_at
from edge.agent.metrics import (
    MetricsServer,
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
from edge.agent.restart import end_open_passages, hold_on
from edge.agent.signalling import build_signals, signal_figures
from edge.agent.sweeping import Sweeps
from edge.agent.warm import warm_up
from edge.commands import Desk, Nonces
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
from edge.readers import Baselines, Listener, ReaderSupervisor, Recorder
from edge.readers.serial import Board
from edge.uplink import Forwarder, PahoMqtt
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
    log: FilteringBoundLogger


@dataclass(frozen=True, slots=True)
class _Built:
    """The agent, what has to be open while it runs, how far its parts have come, and their figures."""

    agent: Agent
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
            log=log,
        )
        await _run(given, _build(given), stack, metrics=metrics, stop=stop)


async def _run(
    given: _Given, built: _Built, stack: ExitStack, *, metrics: tuple[str, int] | None, stop: asyncio.Event
) -> None:
    """Warm the kernels, open what stands beside the agent, and run it."""
    log, me = given.log, given.me
    started_s = time.monotonic()
    await asyncio.to_thread(warm_up, windows_settings(given.config))
    built.work.kernels = kernels_so_far(time.monotonic() - started_s)
    log.info("kernels ready", seconds=round(built.work.kernels.seconds, 2), compiled=built.work.kernels.compiled)
    if metrics is not None:
        server = stack.enter_context(MetricsServer(metrics, built.figures))
        log.info("metrics served", url=f"http://{metrics[0]}:{server.port}/metrics")
    log.info("agent running", site=given.config.site, gateway=me.gateway, version=me.version, boot=me.boot)
    async with AsyncExitStack() as beside:
        for one in (given.listener, *built.beside, attended(built.work, given.data_dir, stop=stop, log=log)):
            await beside.enter_async_context(one)
        await built.agent.run(stop)
    log.info("stopped")


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
    end_open_passages(outbox, journal, gate=decides, log=log)
    counting = _counting(given, forwarder, lambda: llrp)
    sweeps = _sweeps(given, counting, lambda: llrp)
    windows = Windows(windows_settings(config), boot=given.me.boot)
    held = hold_on(outbox, windows, journal, now_us=given.me.started_us, log=log)
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
        alarm_inputs(config), fire=lambda device, gpi, on: signals.fire(device, gpi, active=on), sink=pipeline.sink
    )
    onlookers = OnLookers(inputs.sink)
    llrp = _llrp(given, onlookers, held, first_seq=_next_seq(outbox, journal))
    others = devices(config, base=given.base, sink=inputs.sink, now_us=now_us, log=log)
    boards = {one.health().id: one for one in others if isinstance(one, Board)}
    signals = build_signals(config, llrp, boards, now_us=now_us, log=log)
    if gate is not None:
        gate.gate.light(signals)
    orders = Orders(llrp, boards, onlookers, muted=signals.muted)
    desk = _desk(given, orders, forwarder)
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
    )
    work = _work(given, agent, journal, pipeline, forwarder)

    def figures() -> Iterator[Metric]:
        yield from health_figures(agent.health())
        yield from machine_figures(work.machine())
        yield from counter_figures("stockgate_edge_windows", windows.counters)
        yield from counter_figures("stockgate_edge_uplink", forwarder.counters)
        yield from command_figures(desk.counters)
        yield from signal_figures(signals)
        yield from counter_figures("stockgate_edge_access", controller.desk.counters)
        if counting is not None:
            yield from counter_figures("stockgate_edge_presence", counting.counters)
            yield from counter_figures("stockgate_edge_sweeps", sweeps.counters)
        yield from certificate_figures(forwarder.certificate_days_left)
        if gate is not None:
            yield from gate_figures(gate.health(), now_us())
            yield from counter_figures("stockgate_edge_gate", gate.keeper.counters)

    asks = () if gate is None else (asking(gate.keeper, forwarder.ask_again, log=log),)
    return _Built(agent, (desk, controller, sweeps, *asks), work, figures)


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
    gate = given.gate
    presence = Presence(
        settings,
        foreign=(lambda _: False) if gate is None else (lambda epc: is_foreign(gate.keeper.snapshot, epc)),
        told=told_before(given.outbox, given.log),
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


def _llrp(
    given: _Given, onlookers: OnLookers, held: Sequence[HeldTag], *, first_seq: int
) -> dict[str, ReaderSupervisor]:
    """Build what keeps the LLRP readers' sessions, by reader."""
    recorder = None if given.record is None else _recorder(given.record, given.me, held, first_seq=first_seq)
    return {
        reader.id: ReaderSupervisor(
            reader,
            sink=onlookers.sink,
            now_us=now_us,
            rng=random.Random(),  # noqa: S311 (spreads reconnects, guards nothing)
            log=given.log,
            baselines=given.baselines,
            dialler=None if reader.listen is None else given.listener.dialler(reader),
            tap=None if recorder is None else recorder.tap(reader.id),
        )
        for reader in reader_settings(given.config, base=given.base)
    }


def _desk(given: _Given, orders: Orders, forwarder: Forwarder) -> Desk:
    return Desk(
        given.config.gateway,
        given.config.trust.keyring(),
        Nonces(given.data_dir / NONCES_FILE),
        orders.by_name(),
        publish=forwarder.publish,
        now_us=now_us,
        log=given.log,
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
