"""Verdicts become light and sound where that is meant, and nowhere else."""

import asyncio
from datetime import UTC, datetime

import pytest
import structlog

from edge.agent import fires
from edge.agent.fires import FireNotes
from edge.readers import ReaderError, outputs
from edge.readers.outputs import play
from edge.signals import MutedPort, QuietHours
from tests.helpers.signals import NOW_US, Lamps, portal, reader, refuse, rule, running, steady_us, until

LIGHT, SIREN = rule(1, "light", verdicts=frozenset({"refuse", "carried"})), rule(2, "siren", seconds=5)
NIGHT = rule(2, "siren", quiet=(QuietHours.parse("22:00-06:00"),))


def clock(hour):
    """Local time that is always the same."""
    return lambda _us: datetime(2027, 1, 15, hour, tzinfo=UTC)


async def test_a_refused_exit_lights_and_sounds_for_as_long_as_was_set_and_is_measured():
    async with running(LIGHT, SIREN) as (signals, lamps):
        assert refuse(signals) == NOW_US
        await until(lambda: lamps.pulses(1) and lamps.pulses(2))
        assert 9_000 < lamps.pulses(1)[0] <= 10_000
        assert 4_000 < lamps.pulses(2)[0] <= 5_000
        assert signals.latency.count == 1, "the light's way is measured"
        assert signals.counters.acted == 1
    assert (lamps.switched_off(1), lamps.switched_off(2)) == (1, 1), "the agent stops in order"


@pytest.mark.parametrize("mode", ["observe", "notify"])
async def test_nothing_is_shown_or_sounds_unless_the_mode_is_alarm(mode):
    async with running(LIGHT, SIREN) as (signals, lamps):
        assert refuse(signals, mode=mode) is None
        assert refuse(signals, "carried") == NOW_US
        await until(lambda: lamps.pulses(1))
        assert lamps.pulses(2) == []


async def test_reads_that_were_buffered_for_more_than_ten_seconds_never_sound():
    async with running(SIREN) as (signals, lamps):
        assert refuse(signals, late_us=10_000_001) is None
        assert signals.counters.buffered == 1
        await asyncio.sleep(0.05)
        assert lamps.asked == []
        assert refuse(signals, late_us=10_000_000) == NOW_US
        await until(lambda: lamps.pulses(2))


@pytest.mark.parametrize(
    ("verdict", "acted"), [("allow", False), ("refuse", True), ("stale", True), ("carried", False)]
)
async def test_each_output_follows_the_verdicts_that_its_portal_says(verdict, acted):
    async with running(rule(2, verdicts=frozenset({"refuse", "stale"}))) as (signals, _lamps):
        assert (refuse(signals, verdict) is not None) == acted
        assert refuse(signals, verdict, portal="gate") is None, "another door's output is nobody else's"


@pytest.mark.parametrize(("hour", "sounds"), [(23, False), (12, True)])
async def test_quiet_hours_mute_the_siren_and_not_the_light(hour, sounds):
    async with running(LIGHT, NIGHT, local=clock(hour)) as (signals, lamps):
        assert refuse(signals) == NOW_US
        await until(lambda: lamps.pulses(1))
        await until(lambda: bool(lamps.pulses(2)) == sounds)
        assert signals.counters.muted == (not sounds)


async def test_a_clock_that_cannot_be_believed_makes_no_hour_quiet():
    async with running(NIGHT) as (signals, lamps):
        assert refuse(signals) == NOW_US
        await until(lambda: lamps.pulses(2))


async def test_a_fire_alarm_silences_what_sounds_and_what_is_refused_meanwhile():
    with structlog.testing.capture_logs() as logs:
        async with running(LIGHT, SIREN, rule(3, "gone")) as (signals, lamps):
            refuse(signals)
            await until(lambda: lamps.pulses(2))
            signals.fire("b1", 4, active=True)
            signals.fire("b1", 4, active=True)
            signals.fire("b1", 5, active=True)
            await until(lambda: lamps.switched_off(2))
            assert refuse(signals) == NOW_US, "the light is shown all the same"
            signals.look([reader("r1", "lost")], [])
            signals.fire("b1", 4, active=False)
            assert signals.on_fire, "the other input still says so"
            signals.fire("b1", 5, active=False)
            assert len(lamps.pulses(2)) == 1, "nothing sounds afterwards that was called in the fire"
            refuse(signals)
            await until(lambda: len(lamps.pulses(2)) == 2)
            assert lamps.pulses(3) == []
    assert [one["event"] for one in logs if "fire" in one["event"]] == [
        "fire alarm: all sirens of this gateway are muted",
        "fire alarm is over: sirens may sound again",
    ]


async def test_a_fire_alarm_orders_every_siren_off_whatever_it_is_believed_to_be():
    """What a device did with an order nobody knows for sure."""
    async with running(LIGHT, SIREN, rule(3, "gone")) as (signals, lamps):
        signals.fire("b1", 4, active=True)
        await until(lambda: lamps.switched_off(2) and lamps.switched_off(3))
        assert lamps.asked == [(2, False), (3, False)], "once, and the light is left alone"


async def test_a_fire_alarm_outlives_a_restart_while_its_device_is_lost(tmp_path):
    """Its last word holds; an input that is none any more mutes nothing."""
    log = structlog.get_logger()
    notes = FireNotes(tmp_path, log=log)
    async with running(SIREN, keep_fires=notes.keep) as (signals, _):
        signals.fire("b1", 4, active=True)
        signals.fire("b2", 9, active=True)
    inputs = [("b1", 4), ("b1", 5)]
    assert notes.read(inputs) == [("b1", 4)]
    async with running(SIREN, fires=notes.read(inputs), keep_fires=notes.keep) as (signals, lamps):
        assert signals.on_fire
        refuse(signals)
        signals.fire("b1", 4, active=False)
        assert not signals.on_fire
        refuse(signals)
        await until(lambda: lamps.pulses(2))
        assert (len(lamps.pulses(2)), signals.counters.muted) == (1, 1)
    assert notes.read(inputs) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", [b"", b"[1]", b'[["b1",4', b"\xff"])
def test_a_damaged_note_of_fires_is_told_and_mutes_nothing(tmp_path, kept):
    (tmp_path / fires.FILE).write_bytes(kept)
    with structlog.testing.capture_logs() as logs:
        assert FireNotes(tmp_path, log=structlog.get_logger()).read([("b1", 4)]) == []
    assert [one["log_level"] for one in logs] == ["error"]


def test_a_fire_that_cannot_be_noted_is_told(tmp_path):
    (tmp_path / fires.FILE).mkdir()
    with structlog.testing.capture_logs() as logs:
        FireNotes(tmp_path, log=structlog.get_logger()).keep([("b1", 4)])
    assert "can't be noted" in logs[0]["event"]


async def test_an_order_to_blink_a_siren_is_refused_during_a_fire_and_ends_when_one_begins():
    async with running(LIGHT, SIREN) as (signals, lamps):
        quiet = MutedPort(lamps, "b1", signals)
        blinking = asyncio.create_task(play(outputs.blinking([2], on_ms=100, off_ms=20, times=10_000), quiet))
        await until(lambda: lamps.pulses(2))
        signals.fire("b1", 4, active=True)
        with pytest.raises(ReaderError, match="there is a fire alarm: wait until it is over"):
            await blinking
        assert lamps.asked[-1] == (2, False)
        with pytest.raises(ReaderError, match="output 2 is a siren"):
            await quiet.switch(2, on=True)
        await quiet.pulse(1, 100)
        assert quiet.ends_itself
        assert quiet.ends_pulse(1)


async def test_an_order_to_blink_an_output_is_refused_while_it_shows_an_alarm():
    """The siren was silent after the blinking, and the alarm lost."""
    async with running(SIREN) as (signals, lamps):
        port = MutedPort(lamps, "b1", signals)
        refuse(signals)
        await until(lambda: lamps.pulses(2))
        with pytest.raises(ReaderError, match="output 2 shows an alarm now: wait until it is over"):
            await play(outputs.blinking([2], on_ms=100, off_ms=20, times=3), port)
        with pytest.raises(ReaderError, match="shows an alarm now"):
            await port.switch(2, on=False)
        assert (len(lamps.pulses(2)), lamps.switched_off(2)) == (1, 0)


class TimedLamps(Lamps):
    """Notes when each pulse was asked for too."""

    def __init__(self) -> None:
        super().__init__()
        self.pulsed_us = []

    async def pulse(self, output, on_ms):
        self.pulsed_us.append(steady_us())
        await super().pulse(output, on_ms)


async def test_an_alarm_ends_the_blinking_of_its_output_and_sounds_after_its_last_pulse():
    """Not every device lengthens a pulse that runs."""
    async with running(SIREN, lamps=TimedLamps()) as (signals, lamps):
        port = MutedPort(lamps, "b1", signals)
        blinking = asyncio.create_task(play(outputs.blinking([2], on_ms=100, off_ms=20, times=10_000), port))
        await until(lambda: lamps.pulses(2))
        assert refuse(signals) == NOW_US
        called_us = steady_us()
        with pytest.raises(ReaderError, match="shows an alarm now"):
            await blinking
        await until(lambda: lamps.pulses(2)[-1] > 100)
        *_, blinked_us, sounded_us = lamps.pulsed_us
        assert sounded_us - blinked_us >= 100_000, "after the pulse of 100 ms"
        assert lamps.pulses(2)[-1] <= 5_000 - (blinked_us + 100_000 - called_us) / 1000, "for what is left after it"
        assert lamps.switched_off(2) == 0, "who blinked must not switch it off"
        assert [on_ms for on_ms in lamps.pulses(2) if on_ms > 100] == lamps.pulses(2)[-1:]


async def test_a_lamp_that_says_alive_is_lit_again_after_somebody_let_it_blink(monkeypatch):
    """It was dark for what was left of its own pulse, as if nobody watched the door."""
    monkeypatch.setattr("edge.signals.acting.ALIVE_US", 60_000_000)
    async with running(rule(1, "alive")) as (signals, lamps):
        signals.look([], [portal("door", "watching")])
        await until(lambda: lamps.pulses(1))
        await play(outputs.blinking([1], on_ms=100, off_ms=20, times=3), MutedPort(lamps, "b1", signals))
        await until(lambda: lamps.pulses(1)[-1] > 100)
        assert lamps.pulses(1).count(100) == 3


async def test_a_siren_whose_reader_is_away_sounds_when_it_is_back_and_says_once_that_it_could_not():
    lamps = Lamps()
    lamps.fails = True
    with structlog.testing.capture_logs() as logs:
        async with running(SIREN, lamps=lamps) as (signals, _lamps):
            refuse(signals)
            await until(lambda: signals.counters.failures >= 3)
            lamps.fails = False
            failed = len(lamps.asked)
            await until(lambda: len(lamps.asked) > failed)
    said = [one["event"] for one in logs if one["log_level"] in {"error", "info"}]
    assert said == ["output can't be switched", "output can be switched again"]


async def test_a_light_goes_on_when_its_reader_begins_a_new_session_in_the_middle_of_it():
    """A session begins with all outputs off."""
    ports = [Lamps()]
    async with running(LIGHT, port=lambda: ports[-1]) as (signals, _):
        refuse(signals)
        await until(lambda: ports[0].pulses(1))
        ports.append(Lamps())
        await until(lambda: ports[1].pulses(1))
        assert ports[1].pulses(1)[0] < 10_000, "for what is left"


async def test_a_lamp_is_lit_while_the_portal_is_watched_and_dark_when_it_is_not():
    async with running(rule(1, "alive")) as (signals, lamps):
        signals.look([], [portal("door", "watching"), portal("gate", "dark")])
        await until(lambda: lamps.pulses(1))
        signals.look([], [portal("door", "dark")])
        await until(lambda: lamps.switched_off(1))


async def test_a_lamp_that_would_stay_lit_when_the_agent_dies_is_never_lit():
    lamps = Lamps(ends_itself=False)
    with structlog.testing.capture_logs() as logs:
        async with running(rule(1, "alive"), lamps=lamps) as (signals, _):
            signals.look([], [portal("door", "watching")])
            await until(lambda: signals.counters.failures >= 2)
    assert lamps.asked == []
    assert ["would stay lit if the agent died" in one["problem"] for one in logs] == [True]


async def test_the_gateways_own_board_sounds_once_when_a_reader_of_the_portal_is_lost(monkeypatch):
    monkeypatch.setattr("edge.signals.lost.GONE_US", 0)
    async with running(rule(3, "gone", seconds=3)) as (signals, lamps):
        signals.look([reader("r1"), reader("r2")], [])
        signals.look([reader("r1"), reader("r2", "lost")], [])
        assert lamps.asked == [], "another portal's reader"
        signals.look([reader("r1", "lost"), reader("r2", "lost")], [])
        await until(lambda: lamps.pulses(3))
        signals.look([reader("r1", "lost")], [])
        assert len(lamps.pulses(3)) == 1
        assert signals.counters.gone == 1


async def test_a_device_that_is_being_dialled_is_asked_again():
    calls = []

    def port():
        calls.append(1)
        raise ReaderError("is just being set")

    async with running(SIREN, port=port) as (signals, _):
        refuse(signals)
        await until(lambda: len(calls) > 2)
