"""One LLRP reader as a core without I/O: messages in, messages out; sockets and clocks are the listener's."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from simulator.faults import Faults
from simulator.faults.reads import disturbed
from simulator.server import events, wire
from simulator.server import model as models
from simulator.server.codes import ConnectionAttempt, EventType, ImpinjSubtype, MessageType, ParameterType, Status
from simulator.server.config import ReaderConfig, encode_config
from simulator.server.errors import RefusedError, WireError
from simulator.server.gpio import Terminals
from simulator.server.inventory import Inventory, Radio
from simulator.server.now import Now
from simulator.server.rospec import RoSpec, parse_rospec
from simulator.server.wire import IMPINJ, VERSION, Message, Parameter, fields, message, parameters
from simulator.world.values import Reads

_RESPONSE: Final = {
    MessageType.GET_READER_CAPABILITIES: MessageType.GET_READER_CAPABILITIES_RESPONSE,
    MessageType.GET_READER_CONFIG: MessageType.GET_READER_CONFIG_RESPONSE,
    MessageType.SET_READER_CONFIG: MessageType.SET_READER_CONFIG_RESPONSE,
    MessageType.ADD_ROSPEC: MessageType.ADD_ROSPEC_RESPONSE,
    MessageType.DELETE_ROSPEC: MessageType.DELETE_ROSPEC_RESPONSE,
    MessageType.START_ROSPEC: MessageType.START_ROSPEC_RESPONSE,
    MessageType.STOP_ROSPEC: MessageType.STOP_ROSPEC_RESPONSE,
    MessageType.ENABLE_ROSPEC: MessageType.ENABLE_ROSPEC_RESPONSE,
    MessageType.DISABLE_ROSPEC: MessageType.DISABLE_ROSPEC_RESPONSE,
    MessageType.GET_ROSPECS: MessageType.GET_ROSPECS_RESPONSE,
    MessageType.DELETE_ACCESSSPEC: MessageType.DELETE_ACCESSSPEC_RESPONSE,
    MessageType.GET_ACCESSSPECS: MessageType.GET_ACCESSSPECS_RESPONSE,
    MessageType.CLOSE_CONNECTION: MessageType.CLOSE_CONNECTION_RESPONSE,
}
AWAY_MESSAGES: Final = 66_000
"""What a Zebra reader queues while no client is there [Zebra FX7500 manual]; more is lost."""
_REQUESTED_DATA: Final = 21
_TEMPERATURE: Final = frozenset({2000, 2004})
"""ImpinjRequestedData (a parameter, apart from the message of that number) and its values for all and for this."""
_Answer = tuple[bytes, list[bytes]]
"""What follows the status in a response, and the messages that go after it."""


class ReaderDevice:
    """One reader over all its connections: configuration and ROSpecs outlive a client, reports don't."""

    def __init__(self, model: models.ReaderModel, identity: bytes, faults: Faults | None = None) -> None:
        self.model = model
        self.identity = identity
        self.faults = faults or Faults()
        self.config = ReaderConfig()
        self.inventory = Inventory(model, self.faults)
        self.connected = False
        self.closing = False
        self.extensions = False
        self._keepalive_sent_us = 0
        self._unacknowledged = 0
        self._dead_until_us = 0
        self.terminals = Terminals()
        self.accessspecs: set[int] = set()
        """Ids of AccessSpecs that another client left; this reader plays none of what they ask."""
        self._unplugged: frozenset[int] = frozenset()
        self._away: list[bytes] = []
        self._requests: dict[int, Callable[[Message, Now], _Answer]] = {
            MessageType.GET_READER_CAPABILITIES: self._capabilities,
            MessageType.GET_READER_CONFIG: self._get_config,
            MessageType.SET_READER_CONFIG: self._set_config,
            MessageType.ADD_ROSPEC: self._add_rospec,
            MessageType.DELETE_ROSPEC: self._rospec_command(self.inventory.delete),
            MessageType.START_ROSPEC: self._rospec_command(self.inventory.start),
            MessageType.STOP_ROSPEC: self._rospec_command(self.inventory.stop),
            MessageType.ENABLE_ROSPEC: self._rospec_command(self.inventory.enable),
            MessageType.DISABLE_ROSPEC: self._rospec_command(self.inventory.disable),
            MessageType.GET_ROSPECS: self._get_rospecs,
            MessageType.DELETE_ACCESSSPEC: self._delete_accessspec,
            MessageType.GET_ACCESSSPECS: lambda _message, _now: (b"", []),
            MessageType.CLOSE_CONNECTION: self._close,
        }

    def connect(self, now: Now) -> list[bytes]:
        """Take a client; its first message is the outcome of its attempt."""
        self.connected, self.closing, self.extensions = True, False, False
        self.inventory.held = self.config.hold
        self._keepalive_sent_us, self._unacknowledged = now.steady_us, 0
        match self.faults.greeting:
            case "bytes":
                return [self.faults.greeting_bytes]
            case "none":
                return []
        return [events.connection_attempt(ConnectionAttempt.SUCCESS, now), *self._take_away()]

    def turns_away(self, now: Now) -> list[bytes]:
        """What a newcomer hears who is turned away though no client is there; nothing where it is welcome."""
        status = self.faults.attempt_status
        if status is None and now.steady_us < self._dead_until_us:
            status = ConnectionAttempt.CLIENT_CONNECTION_EXISTS
        return [] if status is None else [events.connection_attempt(status, now)]

    def refuse(self, now: Now) -> tuple[bytes, list[bytes]]:
        """What a second client is told, and what the first one is told about it."""
        told = [events.connection_attempt(ConnectionAttempt.ANOTHER_ATTEMPTED, now)]
        return events.connection_attempt(ConnectionAttempt.CLIENT_CONNECTION_EXISTS, now), told

    def disconnect(self, now: Now) -> None:
        """The client is gone; a reader that did not hear it say so may keep its session for a while."""
        if self.connected and not self.closing:
            self._dead_until_us = now.steady_us + round(1e6 * self.faults.dead_session_s)
        self.connected = False
        self.inventory.disconnected()

    def reboot(self, true_utc_us: int) -> None:
        """Forget all that a power cut costs a reader: session, configuration, ROSpecs, reports; Uptime begins anew."""
        self.connected, self._dead_until_us = False, 0
        self.config = ReaderConfig()
        self.terminals.reboot()
        self.inventory.rospecs.clear()
        self.accessspecs.clear()
        self.inventory.disconnected()
        self._away.clear()
        self.faults.booted_us = true_utc_us
        if self.faults.forgets_time:
            self.faults.begin_at_2000(true_utc_us)

    def receive(self, request: Message, now: Now) -> list[bytes]:
        """Answer one message."""
        if request.version != VERSION:
            return [
                self._error(
                    request, Status.UNSUPPORTED_VERSION, f"version {request.version}: LLRP 1.0.1 is spoken here"
                )
            ]
        if request.type in self.faults.deaf:
            return []
        if request.type in self.faults.unknown:
            return [self._error(request, Status.UNSUPPORTED_MESSAGE, f"message type {request.type} isn't known here")]
        if request.type in self._requests:
            return self._between(request, now) + self._answer(request, now)
        match request.type:
            case MessageType.KEEPALIVE_ACK:
                self._unacknowledged = 0
                out = []
            case MessageType.GET_REPORT:
                out = self.inventory.overflow_notice(now) + self.inventory.report_now()
            case MessageType.ENABLE_EVENTS_AND_REPORTS:
                self.inventory.held = False
                out = self.inventory.overflow_notice(now) + self._take_away() + self.inventory.flush()
            case MessageType.CUSTOM_MESSAGE:
                out = [self._custom(request)]
            case kind:
                out = [self._error(request, Status.UNSUPPORTED_MESSAGE, f"message type {kind} isn't known here")]
        return out

    def put(self, reads: Reads, begun_us: int, now: Now) -> list[bytes]:
        """Take reads of the running ROSpec; without a client they are counted and gone, or queued.

        Times of reads count from `begun_us`, true UTC.
        """
        if not self.connected and not self._queues:
            self.inventory.counters.unheard_reads += int(reads.seen.sum())
            return []
        heard = disturbed(self._heard(reads), self.faults, self.identity)
        sent = self.inventory.put(heard, begun_us, self.config, now)
        return sent if self.connected else self._keep_away(sent)

    def tick(self, now: Now) -> list[bytes]:
        """Do what is due: cables, inputs, outputs, keepalives and the ends of durations."""
        due = self._cables(now) + self._at_terminals(now) + self.inventory.tick(self.config, now)
        if self.connected:
            return due + self._keepalive(now)
        self._keep_away(due)
        self.inventory.disconnected()
        return []

    def radio(self) -> Radio | None:
        """What the antennas do now; None while no ROSpec runs, and without power."""
        return None if self.faults.powered_off else self.inventory.radio(self.config)

    def gpi(self, port: int, now: Now, *, high: bool) -> list[bytes]:
        """An input gets a level; where it is debounced its change counts, at some tick, once it has lasted."""
        out = self._level(port, now, high=high)
        self.terminals.bounce(port, self.faults.gpi_bounces, now.steady_us, high=high)
        return out

    def act(self, action: str, arguments: Mapping[str, Any], true: Now) -> list[bytes]:
        """Let an action happen at a true moment; `drop` and `reboot` are left to whoever holds the connection."""
        now = true.by(self.faults)
        match action:
            case "close":
                self.closing = True
                return [events.connection_close(now)]
            case "step_clock":
                self.faults.step(arguments["by_us"], true.utc_us)
            case "clock_2000":
                self.faults.begin_at_2000(true.utc_us)
            case "overflow":
                self.inventory.overflow()
                return self.inventory.overflow_notice(now)
            case "exception" if EventType.READER_EXCEPTION in self.config.events:
                return [events.reader_exception(arguments["text"], now)]
        return []

    def unplug(self, port: int, now: Now) -> list[bytes]:
        """An antenna's cable comes off; `faults.silent_antennas` is the same without an event."""
        self.faults.unplugged_antennas |= {port}
        return self._cables(now)

    def plug(self, port: int, now: Now) -> list[bytes]:
        """An antenna's cable is back."""
        self.faults.unplugged_antennas -= {port}
        return self._cables(now)

    @property
    def _queues(self) -> bool:
        return self.faults.queue_while_away or self.model.queue_messages > 0

    def _heard(self, reads: Reads) -> Reads:
        """Reads but for those of antennas that hear nothing, which are counted."""
        deaf = self.faults.silent_antennas | self.faults.unplugged_antennas
        if not deaf:
            return reads
        gone = np.isin(reads.antenna, list(deaf))
        self.inventory.counters.unheard_reads += int(reads.seen[gone].sum())
        return reads.at(np.flatnonzero(~gone))

    def _cables(self, now: Now) -> list[bytes]:
        """Tell of antennas whose cable came off or is back."""
        if self._unplugged == self.faults.unplugged_antennas:
            return []
        changed = sorted(self._unplugged ^ self.faults.unplugged_antennas)
        self._unplugged = self.faults.unplugged_antennas
        return [sent for port in changed for sent in self._antenna_event(port, now)]

    def _level(self, port: int, now: Now, *, high: bool) -> list[bytes]:
        changed = self.terminals.apply(port, self.config, now.steady_us, high=high)
        return self._input(port, now, high=high) if changed else []

    def _at_terminals(self, now: Now) -> list[bytes]:
        """Let inputs bounce and settle and output pulses end."""
        bounces = self.terminals.bounced(now.steady_us)
        out = [sent for port, high in bounces for sent in self._level(port, now, high=high)]
        for port, high in self.terminals.settled(self.config, now.steady_us):
            out += self._input(port, now, high=high)
        if over := self.terminals.ended(now.steady_us):
            self.config = replace(self.config, gpo_high=self.config.gpo_high - over)
        return out

    def _input(self, port: int, now: Now, *, high: bool) -> list[bytes]:
        """An input that the client enabled changed: its event, and what it triggers."""
        if port not in self.config.gpi_enabled:
            return []
        told = [events.gpi_event(port, now, high=high)] if EventType.GPI in self.config.events else []
        return told + self.inventory.gpi(port, self.config, now, high=high)

    def _antenna_event(self, port: int, now: Now) -> list[bytes]:
        if EventType.ANTENNA not in self.config.events:
            return []
        return [events.antenna_event(port, now, connected=port not in self._unplugged)]

    def _keep_away(self, sent: list[bytes]) -> list[bytes]:
        """Queue what no client is there to hear, where this reader does; events and reports alike."""
        if self._queues:
            room = (self.model.queue_messages or AWAY_MESSAGES) - len(self._away)
            self._away += sent[:room]
        return []

    def _take_away(self) -> list[bytes]:
        """What was queued while no client was there, unless it is held still."""
        if self.inventory.held:
            return []
        taken, self._away = self._away, []
        return taken

    def _between(self, request: Message, now: Now) -> list[bytes]:
        """What comes between a request and its response, where the reader interleaves."""
        stale = events.status(Status.DEVICE_ERROR, "an answer to somebody else")
        kind = _RESPONSE[MessageType(request.type)]
        late = [message(kind, request.message_id ^ 0x4000_0000, stale)] if self.faults.stale_responses else []
        if not self.faults.interleave:
            return late
        spec = self.inventory.active
        event = events.aispec_end(spec.id if spec else 1, 1, now)
        return [event, message(MessageType.KEEPALIVE, 0), *self.inventory.report_now(), *late]

    def _keepalive(self, now: Now) -> list[bytes]:
        """The keepalive that is due; with the link monitor on, a client that left too many unanswered is dropped."""
        period_us = 1000 * self.config.keepalive_ms
        if self.faults.no_keepalives or not period_us or now.steady_us - self._keepalive_sent_us < period_us:
            return []
        self._keepalive_sent_us = now.steady_us
        if self.config.link_down_after and self._unacknowledged >= self.config.link_down_after:
            self.closing = True
            return [events.connection_close(now)]
        self._unacknowledged += 1
        return [message(MessageType.KEEPALIVE, 0)]

    def _answer(self, request: Message, now: Now) -> list[bytes]:
        response = _RESPONSE[MessageType(request.type)]
        if request.type in self.faults.refused:
            status = events.status(self.faults.refused[request.type], "refused by a fault that was set")
            return [message(response, request.message_id, status)]
        try:
            body, after = self._requests[request.type](request, now)
        except RefusedError as refused:
            return [message(response, request.message_id, events.status(refused.status, refused.description))]
        except WireError as error:
            return [message(response, request.message_id, events.status(Status.PARAMETER_ERROR, str(error)))]
        return [message(response, request.message_id, events.status() + body), *after]

    def _error(self, request: Message, code: int, description: str) -> bytes:
        return message(MessageType.ERROR_MESSAGE, request.message_id, events.status(code, description))

    def _custom(self, request: Message) -> bytes:
        try:
            vendor, subtype = fields(request.body, ">IB", "CUSTOM_MESSAGE")
        except WireError as error:
            return self._error(request, Status.PARAMETER_ERROR, str(error))
        if (vendor, subtype) != (IMPINJ, ImpinjSubtype.ENABLE_EXTENSIONS) or self.model.manufacturer != IMPINJ:
            return self._error(
                request, Status.UNSUPPORTED_MESSAGE, f"custom message {vendor}/{subtype} isn't known here"
            )
        self.extensions = True
        body = struct.pack(">IB", IMPINJ, ImpinjSubtype.ENABLE_EXTENSIONS_RESPONSE) + events.status()
        return message(MessageType.CUSTOM_MESSAGE, request.message_id, body)

    def _capabilities(self, request: Message, _now: Now) -> _Answer:
        (wanted,) = fields(request.body, ">B", "GET_READER_CAPABILITIES")
        parts = [
            models.general_capabilities(self.model),
            models.llrp_capabilities(self.model),
            models.regulatory_capabilities(self.model),
            models.air_capabilities(self.model),
        ]
        if wanted > len(parts):
            raise RefusedError(Status.FIELD_ERROR, f"RequestedData {wanted}: this reader knows 0 to {len(parts)}")
        return b"".join(parts) if wanted == 0 else parts[wanted - 1], []

    def _get_config(self, request: Message, _now: Now) -> _Answer:
        _, requested, _, _ = fields(request.body, ">HBHH", "GET_READER_CONFIG")
        custom = list(parameters(request.body[7:], "GET_READER_CONFIG"))
        body = encode_config(
            self.config,
            self.model,
            self.identity,
            requested,
            inputs=self.terminals.inputs,
            unplugged=self.faults.unplugged_antennas,
        )
        if self.extensions and any(_asks_temperature(parameter) for parameter in custom):
            body += wire.custom(ImpinjSubtype.READER_TEMPERATURE, struct.pack(">h", self.faults.temperature_c))
        return body, []

    def _set_config(self, request: Message, now: Now) -> _Answer:
        before = self.config.events
        self.config = self.config.changed(request.body, self.model)
        self.terminals.written(self.config, now.steady_us)
        if EventType.ANTENNA in self.config.events - before:
            return b"", [
                events.antenna_event(port, now, connected=port not in self._unplugged)
                for port in range(1, self.model.antennas + 1)
            ]
        return b"", []

    def _add_rospec(self, request: Message, _now: Now) -> _Answer:
        found = [p.body for p in parameters(request.body, "ADD_ROSPEC") if p.type == ParameterType.ROSPEC]
        if len(found) != 1:
            raise RefusedError(Status.MISSING_PARAMETER, f"ADD_ROSPEC holds one ROSpec, not {len(found)}")
        self.inventory.add(self._allowed(found[0]))
        return b"", []

    def _allowed(self, body: bytes) -> RoSpec:
        spec = parse_rospec(body, self.model)
        content = spec.report.content if spec.report else None
        if content and content.extended and not self.extensions:
            raise RefusedError(Status.UNSUPPORTED_PARAMETER, "Impinj's parameters need IMPINJ_ENABLE_EXTENSIONS first")
        return spec

    def _get_rospecs(self, _request: Message, _now: Now) -> _Answer:
        return b"".join(spec.encoded() for spec in self.inventory.rospecs.values()), []

    def _delete_accessspec(self, request: Message, _now: Now) -> _Answer:
        (accessspec,) = fields(request.body, ">I", "DELETE_ACCESSSPEC")
        if accessspec and accessspec not in self.accessspecs:
            raise RefusedError(Status.FIELD_ERROR, f"there is no AccessSpec {accessspec}")
        self.accessspecs -= {accessspec} if accessspec else set(self.accessspecs)
        return b"", []

    def _close(self, _request: Message, _now: Now) -> _Answer:
        self.closing = True
        return b"", []

    def _rospec_command(
        self, command: Callable[[int, ReaderConfig, Now], list[bytes]]
    ) -> Callable[[Message, Now], _Answer]:
        """Wrap a command that names a ROSpec: its messages follow the response."""

        def run(request: Message, now: Now) -> _Answer:
            (rospec_id,) = fields(request.body, ">I", "a ROSpec command")
            return b"", command(rospec_id, self.config, now)

        return run


def _asks_temperature(parameter: Parameter) -> bool:
    if (parameter.vendor, parameter.subtype) != (IMPINJ, _REQUESTED_DATA):
        return False
    return fields(parameter.body, ">I", "ImpinjRequestedData")[0] in _TEMPERATURE
