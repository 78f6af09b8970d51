"""Rounds of the agent: which configuration the next one gets, whatever ends the one before; its parts are made up."""

import asyncio
import errno
import os

import pytest
import structlog

from edge.agent.fitness import Look
from edge.agent.renewal import Held, Renewal
from edge.agent.trial_files import TrialFiles
from edge.commands import OrderError
from edge.config import document_of, parse
from edge.contracts import decode_command
from tests.helpers.commands import KEY_LINE, command

TEXT = f"""
site = "hq"
gateway = "gw-1"
[[readers]]
id = "r1"
host = "192.0.2.1"
[[portals]]
id = "door"
inside = "room"
outside = "corridor"
layout = "single"
antennas = [{{ reader = "r1", port = 1 }}]
[mqtt]
url = "mqtt://127.0.0.1:1"
[trust]
central_keys = ["{KEY_LINE}"]
"""
BETTER = TEXT + "[agent]\nheartbeat_s = 0.5\n"
WELL = Look(readers={"r1": ""}, broker=True)
LIMIT_S = 30.0


class Rounds:
    """An agent without parts: what it ran with, what it answered, and how it is with each configuration."""

    def __init__(self, folder, link=None) -> None:
        self.path = folder / "edge.toml"
        self.path.write_text(TEXT)
        if link is not None:
            link.symlink_to(self.path)
        held = Held(parse(document_of(TEXT.encode(), source="t"), source="t"), TEXT.encode())
        self.renewal = Renewal(link or self.path, held, log=structlog.get_logger(), limit_s=0.3, steady_s=0.0)
        self.ran, self.answers, self.looks = [], [], {}
        self.connected, self.fails = True, {}
        self.begun = asyncio.Event()
        self.task = asyncio.create_task(self.renewal.run(self._serve))

    async def _serve(self, config, stop):
        period_s = config.agent.heartbeat_s
        self.ran.append(period_s)
        self.orders = self.renewal.join(lambda: self.looks.get(period_s, WELL))
        proving = asyncio.create_task(self.renewal.attend(self._publish))
        self.begun.set()
        try:
            if period_s in self.fails:
                raise ExceptionGroup("parts", [self.fails[period_s]])
            await stop.wait()
        finally:
            proving.cancel()
            await asyncio.gather(proving, return_exceptions=True)

    def _publish(self, note):
        if self.connected:
            self.answers.append(note)
        return self.connected

    async def order(self, name, **args):
        """Give an order; return what it is answered at once."""
        await self.begun.wait()
        return await self.orders[name](decode_command(command(name, **args)))

    async def until(self, condition):
        """Wait until something is so."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # noqa: ASYNC110 (what is waited for is no event)
                await asyncio.sleep(0.005)

    def beside(self):
        """What lies beside the file."""
        return sorted(one.name for one in self.path.parent.iterdir() if one != self.path)

    async def stop(self):
        """End it in order."""
        self.renewal.stop()
        await asyncio.wait_for(self.task, LIMIT_S)


@pytest.fixture
async def rounds(tmp_path):
    made = Rounds(tmp_path)
    yield made
    if not made.task.done():
        await made.stop()


async def test_what_is_well_stays(rounds):
    assert await rounds.order("configure", toml=BETTER) is None
    await rounds.until(lambda: rounds.answers)
    assert (rounds.answers[0].problem, rounds.answers[0].result["changed"]) == ("", "agent.heartbeat_s: 2.0 -> 0.5")
    assert (rounds.ran, rounds.path.read_text()) == ([2.0, 0.5], BETTER)
    await rounds.until(lambda: not rounds.beside())


async def test_parts_that_fail_during_the_trial_end_the_trial_and_not_the_agent(rounds):
    rounds.fails[0.5] = ZeroDivisionError("in the windows")
    await rounds.order("configure", toml=BETTER)
    await rounds.until(lambda: rounds.answers)
    assert rounds.answers[0].problem == "rolled back: the agent can't run with it: in the windows"
    await rounds.until(lambda: rounds.ran == [2.0, 0.5, 2.0])
    assert rounds.path.read_text() == TEXT


async def test_parts_that_fail_with_nothing_on_trial_end_the_agent(tmp_path):
    rounds = Rounds(tmp_path)
    rounds.fails[2.0] = ZeroDivisionError()
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(rounds.task, LIMIT_S)


async def test_what_the_disk_cannot_keep_is_not_kept(rounds, monkeypatch):
    """Else the next start would go back behind everybody's back."""

    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(TrialFiles, "end", refuse)
    await rounds.order("configure", toml=BETTER)
    await rounds.until(lambda: rounds.answers)
    assert "the disk can't take that it is well" in rounds.answers[0].problem
    assert "the next start does it" in rounds.answers[0].problem
    await rounds.until(lambda: rounds.ran == [2.0, 0.5, 2.0])
    monkeypatch.undo()
    await rounds.stop()
    assert TrialFiles(rounds.path).settle().text == TEXT.encode()


async def test_an_agent_that_is_stopped_in_the_middle_of_a_trial_goes_back_at_its_next_start(rounds):
    rounds.looks[0.5] = Look(readers={"r1": "reader r1 is lost"})
    rounds.renewal._limit_s = 60.0
    await rounds.order("configure", toml=BETTER)
    await rounds.until(lambda: rounds.ran == [2.0, 0.5])
    await rounds.stop()
    assert rounds.path.read_text() == BETTER
    assert TrialFiles(rounds.path).settle().text == TEXT.encode()


async def test_it_is_told_what_is_on_trial_for_how_long_and_what_is_not_well(rounds):
    assert rounds.renewal.on_trial() is None
    rounds.looks[0.5] = Look(readers={"r1": "reader r1 is not in session: no answer"}, broker=True)
    await rounds.order("configure", toml=BETTER)
    await rounds.until(lambda: rounds.renewal.on_trial() is not None and rounds.renewal.on_trial().problems)
    told = rounds.renewal.on_trial()
    assert (told.changed, told.steady_s) == ("agent.heartbeat_s: 2.0 -> 0.5", 0.0)
    assert told.problems == ("reader r1 is not in session: no answer",)
    assert 0.0 <= told.left_s <= 0.3
    await rounds.until(lambda: rounds.answers)
    assert rounds.renewal.on_trial() is None


async def test_during_a_trial_no_other_configuration_is_taken(rounds):
    rounds.looks[0.5] = Look(readers={"r1": "reader r1 is lost"})
    rounds.renewal._limit_s = 60.0
    await rounds.order("configure", toml=BETTER)
    await rounds.until(lambda: rounds.ran == [2.0, 0.5])
    for order in (rounds.order("reload"), rounds.order("configure", toml=TEXT)):
        with pytest.raises(OrderError, match="another configuration is being taken"):
            await order
    rounds.renewal.hang_up()
    await rounds.renewal._signal
    assert rounds.ran == [2.0, 0.5]


async def test_while_events_wait_in_memory_nothing_is_changed(rounds):
    """A full disk: what the parts hold would go with them."""
    rounds.looks[2.0] = Look(store="disk is full")
    for order in (rounds.order("reload"), rounds.order("configure", toml=BETTER)):
        with pytest.raises(OrderError, match="events that wait in memory would be lost"):
            await order
    assert rounds.ran == [2.0]


async def test_an_answer_waits_for_the_broker(rounds, monkeypatch):
    monkeypatch.setattr("edge.agent.renewal.RETRY_S", 0.01)
    rounds.connected = False
    await rounds.order("configure", toml=BETTER)
    await rounds.until(lambda: rounds.renewal._untold)
    assert rounds.beside() == ["edge.toml.before", "edge.toml.trial"], "for a start that finds it unanswered"
    rounds.connected = True
    await rounds.until(lambda: rounds.answers and not rounds.beside())
    assert len(rounds.answers) == 1


async def test_a_file_that_the_agent_cannot_run_with_stays_and_the_agent_goes_on_with_what_it_had(rounds):
    rounds.fails[0.5] = OSError("port is taken")
    rounds.path.write_text(BETTER)
    await rounds.order("reload")
    await rounds.until(lambda: rounds.answers)
    assert rounds.answers[0].problem.startswith("the agent goes on with the configuration before")
    assert (rounds.ran, rounds.path.read_text(), rounds.beside()) == ([2.0, 0.5, 2.0], BETTER, [])


async def test_a_mistake_that_is_mended_at_once_is_taken_up(rounds):
    """A reload has nothing to take back, so nobody waits for what becomes of the one before."""
    rounds.looks[0.5] = Look(readers={"r1": "reader r1 is not in session"}, broker=True)
    rounds.path.write_text(BETTER)
    rounds.renewal._limit_s = 60.0
    await rounds.begun.wait()
    rounds.renewal.hang_up()
    await rounds.until(lambda: rounds.ran == [2.0, 0.5])
    rounds.path.write_text(TEXT + "[agent]\nheartbeat_s = 0.7\n")
    rounds.renewal.hang_up()
    rounds.renewal.hang_up()
    await rounds.until(lambda: rounds.ran[:3] == [2.0, 0.5, 0.7])
    assert rounds.path.read_text().endswith("heartbeat_s = 0.7\n"), "a reload changes no file"
    assert rounds.answers == [], "nobody asked"


async def test_signals_that_come_while_the_file_is_read_are_one_more_reading(rounds):
    await rounds.begun.wait()
    rounds.path.write_text("no TOML [")
    with structlog.testing.capture_logs() as logs:
        rounds.renewal.hang_up()
        rounds.renewal.hang_up()
        await rounds.until(lambda: sum(one["event"] == "configuration isn't taken" for one in logs) == 2)
    assert rounds.ran == [2.0]


async def test_a_reload_during_a_trial_waits_for_its_end(rounds):
    await rounds.order("configure", toml=BETTER)
    rounds.renewal.hang_up()
    await rounds.until(lambda: rounds.answers)
    assert rounds.answers[0].problem == ""
    await rounds.until(lambda: rounds.ran == [2.0, 0.5, 0.5])


async def test_a_link_that_leads_elsewhere_by_now_is_told(tmp_path):
    """What lies there may name files beside it, and a pushed configuration would be written over the old target."""
    (tmp_path / "one").mkdir()
    rounds = Rounds(tmp_path / "one", link=tmp_path / "edge.toml")
    await rounds.begun.wait()
    other = tmp_path / "two.toml"
    other.write_text(BETTER)
    (tmp_path / "edge.toml").unlink()
    (tmp_path / "edge.toml").symlink_to(other)
    for order in ({"name": "reload"}, {"name": "configure", "toml": BETTER}):
        with pytest.raises(OrderError, match=r"leads to .*two\.toml by now, .*: restart the agent"):
            await rounds.order(**order)
    assert rounds.ran == [2.0]
    await rounds.stop()


@pytest.mark.parametrize("well", [True, False])
async def test_a_reload_ends_a_trial_that_the_disk_let_nobody_end(rounds, well):
    """The next start would take back what a person has taken into use since, whether or not a reader answers."""
    await rounds.begun.wait()
    TrialFiles(rounds.path).begin(TEXT.encode(), BETTER.encode(), name="configure", nonce="a" * 32)
    if not well:
        rounds.looks[0.5] = Look(readers={"r1": "is away"})
    await rounds.order("reload")
    await rounds.until(lambda: rounds.answers)
    assert (rounds.answers[0].problem == "") == well
    assert (rounds.ran, rounds.beside()) == ([2.0, 0.5], [])
    assert TrialFiles(rounds.path).settle().text == BETTER.encode()


async def test_a_log_file_that_would_spoil_the_configuration_is_refused(rounds):
    with pytest.raises(OrderError, match=r"log\.file: .*edge\.toml is the configuration itself: give another file"):
        await rounds.order("configure", toml=TEXT + '[log]\nfile = "edge.toml"\n')
