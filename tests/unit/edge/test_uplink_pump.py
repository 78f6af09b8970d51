"""Watermarks in, envelopes out, over a network that loses, delays, repeats and resets; no real time passes."""

import random

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.contracts import MAX_ENVELOPE_BYTES, StreamMark, Watermark, decode_envelope, encode, instant
from edge.outbox import MemoryOutbox, OutboxUnavailableError
from edge.uplink import UplinkSettings
from edge.uplink.pump import Pump
from tests.helpers.uplink import NOW_US, KeepingCentral, movement

SETTINGS = UplinkSettings(url="mqtt://localhost")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    @property
    def now_us(self):
        return NOW_US + round(self.now_s * 1e6)


class Net:
    """Pump, central and the wire between them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.outbox = MemoryOutbox(now_us=lambda: self.clock.now_us)
        self.pump = Pump(self.outbox, "hq", "gw-1", SETTINGS, structlog.get_logger())
        self.central = KeepingCentral()
        self.count = 0

    def fill(self, count, stream="movement", **kinds):
        rows = [movement(self.count + n, **kinds) for n in range(1, count + 1)]
        self.count += count
        self.outbox.append(stream, rows)

    def due(self, max_messages=100):
        return self.pump.due(self.clock.now_s, self.clock.now_us, max_messages)

    def connect(self):
        self.pump.connected(self.clock.now_s)

    def hear(self, payload=None):
        self.pump.heard(payload or self.central.watermark(), self.clock.now_s)

    def exchange(self):
        """Send what is due and hear what was committed."""
        messages = self.due()
        for message in messages:
            self.central.take(message.payload)
        self.hear()
        return messages

    def kept(self, stream="movement"):
        return sorted(self.central.kept[stream][self.outbox.epoch(stream)])


@pytest.fixture
def net():
    made = Net()
    made.connect()
    return made


def seqs(messages):
    envelopes = [decode_envelope(message.payload) for message in messages]
    return [seq for envelope in envelopes for seq in range(envelope.first, envelope.last + 1)]


def test_after_connecting_it_waits_for_the_watermark_but_not_for_ever(net):
    """A new gateway has no watermark yet."""
    net.fill(3)
    assert net.due() == []
    net.clock.now_s += SETTINGS.watermark_wait_s
    assert seqs(net.due()) == [1, 2, 3]
    net.connect()
    assert net.due() == []
    net.hear()
    assert seqs(net.due()) == [1, 2, 3]


def test_sending_begins_at_the_watermark_and_skips_what_stands_above_it(net):
    net.fill(10)
    net.hear(encode(Watermark(session="s", now=instant(NOW_US), streams={
        "movement": StreamMark(epoch=net.outbox.epoch("movement"), upto=3, above=[[6, 7]])})))  # fmt: skip
    assert seqs(net.due()) == [4, 5, 8, 9, 10]
    assert net.outbox.stats("movement").pending == 5


def test_envelopes_keep_to_a_hundred_rows_and_128_kib(net):
    net.hear()
    net.fill(250)
    net.fill(40, reason="x" * 10_000)
    messages = net.due()
    envelopes = [decode_envelope(message.payload) for message in messages]
    assert [len(one.events) for one in envelopes[:2]] == [100, 100]
    assert max(len(message.payload) for message in messages) <= MAX_ENVELOPE_BYTES
    assert seqs(messages) == list(range(1, 291))
    assert {message.topic for message in messages} == {"stockgate/v1/hq/gw-1/movement"}
    assert all(message.qos == 1 and not message.retain for message in messages)


def test_rows_go_out_as_the_bytes_that_are_stored(net):
    net.hear()
    net.fill(2)
    stored = [row.payload for row in net.outbox.pending("movement", after=0, max_rows=9, max_bytes=9_999)]
    [message] = net.due()
    assert [bytes(raw) for raw in decode_envelope(message.payload).events] == stored


def test_a_row_that_the_card_spoilt_goes_as_a_gap_and_its_neighbours_arrive(net):
    """One broken row must not make an envelope of a hundred unreadable, for ever."""
    net.fill(5)
    net.outbox._streams["movement"].rows[3].payload = b'{"row": "movem\xff'
    net.connect()
    net.hear()
    with structlog.testing.capture_logs() as logs:
        net.exchange()
    [(_, rows)] = net.central.kept["movement"].items()
    assert sorted(rows) == [1, 2, 3, 4, 5]
    assert b"damaged" in rows[3]
    assert net.pump.counters.damaged_rows == 1
    assert [line["seq"] for line in logs if "damaged" in line["event"]] == [3]


def test_garbage_oversize_and_wrong_watermarks_free_nothing_are_counted_and_told_once(net):
    """Whoever may write to our topic can stop nothing and make nothing go."""
    nonsense = [
        b"", b"\xff" * 100, b"null", b"[]", b"{}", b"[" * 100_000, b'{"session": 1}', b"A" * 10_000_000,
        encode(Watermark(session="s", now=instant(0), streams={})).replace(b'"s"', b'"' + b"s" * 10_000 + b'"'),
        b'{"session":"s","now":"2026-01-01T00:00:00.000000Z","streams":{"movement":{"epoch":"e","upto":-1}}}',
        b'{"session":"s","now":"2026-01-01T00:00:00.000000Z","streams":{"movement":{"epoch":"e","upto":1e400}}}',
    ]  # fmt: skip
    net.fill(10)
    net.connect()
    with structlog.testing.capture_logs() as logs:
        for payload in nonsense:
            net.pump.heard(payload, net.clock.now_s)
    assert net.pump.counters.bad_watermarks == len(nonsense)
    assert sum("can't be read" in line["event"] for line in logs) == 1
    assert net.outbox.stats("movement").pending == 10
    net.fill(1, kind="out")
    net.clock.now_s += 10.0
    assert b'"out"' in b"".join(message.payload for message in net.due())


def test_a_stream_of_foreign_epochs_is_counted_and_told_once_until_one_of_ours_comes(net):
    net.fill(3)
    net.connect()
    net.hear()

    def foreign(n):
        return Watermark(session="1", now=instant(0), streams={"movement": StreamMark(epoch=f"e{n}", upto=9)})

    with structlog.testing.capture_logs() as logs:
        for n in range(200):
            net.hear(encode(foreign(n)))
    assert net.pump.counters.foreign_epochs == 200
    assert len([line for line in logs if "another epoch" in line["event"]]) == 1
    assert net.outbox.stats("movement").pending == 3


def test_nothing_is_freed_by_sending_only_by_the_watermark(net):
    net.hear()
    net.fill(5)
    net.due()
    assert net.outbox.stats("movement").pending == 5
    net.central.restart()
    net.hear()
    net.exchange()
    assert net.outbox.stats("movement").pending == 0


def test_a_silent_central_gets_no_more_than_the_window(net):
    net.hear()
    net.fill(3_000)
    sent = seqs(net.due(max_messages=1_000))
    assert sent == list(range(1, len(sent) + 1))
    assert len(sent) <= 2_000
    assert net.due(max_messages=1_000) == []
    assert net.pump.behind
    assert net.pump.waiting


def test_without_progress_everything_is_sent_again_after_five_seconds(net):
    net.hear()
    net.fill(5)
    assert seqs(net.due()) == [1, 2, 3, 4, 5]
    net.clock.now_s += 4.9
    assert net.due() == []
    net.clock.now_s += 0.1
    with structlog.testing.capture_logs() as logs:
        assert seqs(net.due()) == [1, 2, 3, 4, 5]
    assert [entry["event"] for entry in logs] == ["watermark stands still: sending again from it"]
    assert net.pump.counters.resends == 1


def test_a_new_session_in_the_watermark_sends_again_at_once(net):
    net.hear()
    net.fill(5)
    net.due()
    net.hear()
    assert net.due() == [], "the same session says nothing new"
    net.central.restart()
    net.hear()
    assert seqs(net.due()) == [1, 2, 3, 4, 5]


def test_a_central_restored_from_a_backup_gets_what_it_lost(net):
    net.hear()
    net.fill(50)
    net.exchange()
    assert net.outbox.stats("movement").pending == 0
    net.central.restore("movement", 20)
    net.hear()
    assert seqs(net.due()) == list(range(21, 51))


def test_an_emptied_central_gets_everything_that_is_kept(net):
    net.hear()
    net.fill(50)
    net.exchange()
    net.central = KeepingCentral()
    net.central.session = 99
    net.hear()
    net.exchange()
    assert net.kept() == list(range(1, 51))


def test_an_older_watermark_of_the_same_session_changes_nothing(net):
    net.hear()
    net.fill(10)
    old = net.central.watermark()
    net.exchange()
    net.hear(old)
    assert net.outbox.stats("movement").pending == 0
    assert net.due() == []


def test_a_watermark_of_another_epoch_frees_nothing_and_is_logged_once(net):
    net.fill(5)
    other = StreamMark(epoch="another", upto=5)
    payload = encode(Watermark(session="s", now=instant(NOW_US), streams={"movement": other}))
    with structlog.testing.capture_logs() as logs:
        net.hear(payload)
        net.hear(payload)
    assert [entry["event"] for entry in logs] == ["watermark is for another epoch: no row is freed"]
    assert net.pump.counters.foreign_epochs == 2
    assert net.outbox.stats("movement").pending == 5
    assert seqs(net.due()) == [1, 2, 3, 4, 5]


def test_a_watermark_that_cannot_be_read_is_counted_and_logged_when_it_starts_and_ends(net):
    with structlog.testing.capture_logs() as logs:
        net.hear(b"{")
        net.hear(b"\xff")
        net.hear()
    assert [entry["event"] for entry in logs] == [
        "watermark can't be read: rows stay until one can",
        "watermark can be read again",
    ]
    assert net.pump.counters.bad_watermarks == 2


def test_an_outbox_that_turns_out_an_old_copy_goes_on_in_its_new_epoch(net):
    net.fill(3)
    old = net.outbox.epoch("movement")
    ahead = StreamMark(epoch=old, upto=100)
    net.hear(encode(Watermark(session="s", now=instant(NOW_US), streams={"movement": ahead})))
    [message] = net.due()
    assert decode_envelope(message.payload).epoch == net.outbox.epoch("movement") != old
    assert seqs([message]) == [1, 2, 3]


def test_fresh_alarms_go_before_the_backlog_and_old_ones_keep_their_turn(net):
    net.hear()
    net.fill(10, kind="out")
    net.clock.now_s += SETTINGS.alarm_fresh_s + 1
    net.fill(5_000)
    net.fill(1, kind="out")
    messages = net.due(max_messages=3)
    sent = seqs(messages)
    assert sent[0] == 5_011
    assert sent[1:101] == list(range(1, 101))
    assert net.pump.counters.alarms_ahead == 1
    for message in messages:
        net.central.take(message.payload)
    for _ in range(12):
        net.hear()
        net.exchange()
    assert net.kept() == list(range(1, 5_012))
    assert net.central.twice == 0


def test_an_alarm_whose_turn_comes_now_anyway_is_not_sent_ahead(net):
    net.hear()
    net.fill(150)
    net.fill(1, kind="out")
    assert seqs(net.due()) == list(range(1, 152))
    assert net.pump.counters.alarms_ahead == 0


def test_presence_goes_up_beside_movements(net):
    net.hear()
    net.fill(3)
    net.fill(2, stream="presence")
    net.exchange()
    assert net.kept() == [1, 2, 3]
    assert net.kept("presence") == [1, 2]
    assert net.pump.drained()


def test_a_mark_that_could_not_be_stored_is_taken_the_next_time(net, monkeypatch):
    net.hear()
    net.fill(5)
    for message in net.due():
        net.central.take(message.payload)
    with monkeypatch.context() as broken:

        def fail(*_):
            raise OutboxUnavailableError("disk full")

        broken.setattr(net.outbox, "commit", fail)
        with pytest.raises(OutboxUnavailableError):
            net.hear()
    net.hear()
    assert net.outbox.stats("movement").pending == 0


class RoughNet(Net):
    """A network that loses, delays, repeats, reorders and resets until it is calm; a central that restarts."""

    def __init__(self, seed, loss, repeat, resets) -> None:
        super().__init__()
        self.rng = random.Random(seed)
        self.loss, self.repeat, self.resets = loss, repeat, resets
        self.calm = False
        self.up, self.down = [], []

    def live(self):
        """Let rows appear and things break."""
        if self.rng.random() < 0.5:
            self.fill(self.rng.randrange(1, 60), kind=self.rng.choice(["near", "out"]))
        if self.rng.random() < self.resets:
            self.up.clear()
            self.down.clear()
            self.connect()
        if self.rng.random() < self.resets:
            self.central.restart()
        if self.rng.random() < self.resets / 2 and self.central.newest:
            self.central.restore("movement", self.rng.randrange(self.outbox.stats("movement").written + 1))

    def carry(self):
        """Carry what is due up, and watermarks down."""
        self.up += [message.payload for message in self.due(max_messages=self.rng.randrange(1, 20))]
        for payload in self.arriving(self.up):
            self.central.take(payload)
        self.down.append(self.central.watermark())
        for payload in self.arriving(self.down):
            self.hear(payload)

    def arriving(self, wire):
        """Take from the wire what arrives now."""
        if self.calm:
            arrived = list(wire)
            wire.clear()
            return arrived
        self.rng.shuffle(wire)
        ready = [wire.pop() for _ in range(len(wire)) if self.rng.random() < 0.7]
        kept = [payload for payload in ready if self.rng.random() >= self.loss]
        return kept + [payload for payload in kept if self.rng.random() < self.repeat]


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), loss=st.floats(0, 0.5), repeat=st.floats(0, 0.3), resets=st.floats(0, 0.1))
def test_whatever_the_network_does_every_row_is_committed_once(seed, loss, repeat, resets):
    """Loss, delay, repetition and reordering of envelopes and watermarks, resets, restarts and restored backups."""
    net = RoughNet(seed, loss, repeat, resets)
    net.connect()
    for _ in range(55):
        net.clock.now_s += net.rng.choice([0.02, 0.5, 3.0])
        net.live()
        net.carry()
    net.calm = True
    for _ in range(30):
        net.clock.now_s += 3.0
        net.carry()
    written = net.outbox.stats("movement").written
    assert net.outbox.stats("movement").pending == 0
    assert written == net.count, "a new epoch began without need"
    assert not written or net.kept() == list(range(1, written + 1))
