"""The running agent takes another configuration, from file or central, and goes back where it isn't well with it."""

import asyncio
import errno
import os
import signal

import pytest

from edge.agent.trial_files import TrialFiles
from edge.config import digest, load
from tests.helpers.brokers import free_port
from tests.helpers.commanded_agent import CONFIG, PATIENCE_S, Central, agent, composed, feed
from tests.helpers.commands import KEY_LINE, OTHER_LINE, command
from tests.helpers.conformance.bench import sim_reader
from tests.helpers.signal_masks import catches

QUICK = {"steady_s": 1.0}
SOON_S = 6.0
"""A minute is long for what is never well; what is to be well has the minute, for a busy machine may need it."""
SECOND_DOOR = """
[[readers]]
id = "r2"
host = "127.0.0.1"
port = {port}
[[portals]]
id = "back-door"
inside = "stockroom-a"
outside = "street"
layout = "single"
antennas = [{{ reader = "r2", port = 1 }}]
"""


class Doorway:
    """The agent's file, who orders it about, and a reader whose tags are there all the time."""

    def __init__(self, folder, central, text, dials) -> None:
        self.folder, self.central, self.text, self.dials = folder, central, text, dials
        self.path = folder / "edge.toml"
        self.write(text)

    def where_a_port_is_taken(self, text):
        """A text with which the agent can't start: the reader is to dial the broker's port."""
        assert self.dials in text
        return text.replace(self.dials, f'listen = "127.0.0.1:{self.central.port}"')

    def write(self, text):
        """Edit the file on the gateway."""
        self.path.write_text(text)

    async def configure(self, text):
        """Push a configuration."""
        return await self.central.ask(command("configure", toml=text), "configure")

    async def reload(self):
        return await self.central.ask(command("reload"), "reload")

    async def runs_with(self, text):
        """Wait until the retained birth has the digest of a text, and the reader is there."""
        other = self.folder / "other.toml"
        other.write_text(text)
        wanted = digest(load(other))
        await self.central.until(
            lambda: self.central.states and self.central.states[-1].config_digest == wanted, "a birth"
        )
        await self.central.in_session()

    def beside(self):
        """What lies beside the file and belongs to a trial."""
        return sorted(one.name for one in self.folder.iterdir() if one.name.startswith("edge.toml."))


@pytest.fixture
async def door(broker, tmp_path):
    async with sim_reader() as reader:
        feeding = asyncio.create_task(feed(reader))
        with Central(broker.port) as central:
            text = CONFIG.format(port=reader.port, url=broker.url, key=KEY_LINE)
            yield Doorway(tmp_path, central, text, f"port = {reader.port}")
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def test_a_configuration_that_is_well_stays_and_one_that_is_not_is_taken_back(door):
    """Over both brokers: accepted, refused unread, rolled back after its time, rolled back as it can't even start."""
    better = door.text + "[agent]\nheartbeat_s = 0.5\n"
    async with composed(door.folder, **QUICK) as renewal:
        await door.central.in_session()
        taken = await door.configure(better)
        assert taken.ok, taken.problem
        assert taken.result["changed"] == "agent.heartbeat_s: 2.0 -> 0.5"
        assert taken.result["config"] == digest(load(door.path))
        await door.runs_with(better)
        assert (door.path.read_text(), door.beside()) == (better, [])

        wrong = await door.configure(better.replace("inside =", "insider ="))
        assert (wrong.ok, "portals[0].insider" in wrong.problem) == (False, True)
        torn = await door.configure(better[:-4])
        assert "is not TOML" in torn.problem
        assert door.path.read_text() == better

        renewal._limit_s, minute_s = SOON_S, renewal._limit_s
        deaf = await door.configure(better + SECOND_DOOR.format(port=free_port()))
        assert (deaf.ok, deaf.result) == (False, {})
        for words in ("rolled back", "reader r2 is not in session", "portal back-door is dark"):
            assert words in deaf.problem
        renewal._limit_s = minute_s
        await door.runs_with(better)
        unable = await door.configure(door.where_a_port_is_taken(better))
        assert (unable.ok, "rolled back" in unable.problem, "can't listen at" in unable.problem) == (False, True, True)
        await door.runs_with(better)
        assert (door.path.read_text(), door.beside()) == (better, [])


async def test_a_file_that_is_edited_is_taken_by_a_command_or_a_signal_if_it_can_be_used(door):
    """What can't be used, or not be started with, leaves the agent as it was; the file stays as it was written."""
    better = door.text + "[agent]\nheartbeat_s = 0.5\n"
    async with composed(door.folder, **QUICK) as renewal:
        await door.central.in_session()
        door.write(better)
        refused = await door.configure(door.text)
        assert "was edited on the gateway and isn't in use" in refused.problem
        taken = await door.reload()
        assert (taken.ok, taken.result["changed"]) == (True, "agent.heartbeat_s: 2.0 -> 0.5"), taken.problem
        await door.runs_with(better)

        door.write(better.replace("inside =", "insider ="))
        assert "portals[0].insider" in (await door.reload()).problem
        door.write(better.replace('"gw-1"', '"gw-2"'))
        assert "gateway is gw-2, this agent runs with gw-1" in (await door.reload()).problem
        unable = door.where_a_port_is_taken(better)
        door.write(unable)
        told = (await door.reload()).problem
        assert ("goes on with the configuration before" in told, "can't listen at" in told) == (True, True)
        await door.runs_with(better)
        assert door.path.read_text() == unable, "what a person wrote stays"

        door.write(better + SECOND_DOOR.format(port=free_port()))
        renewal._limit_s, minute_s = SOON_S, renewal._limit_s
        told = (await door.reload()).problem
        assert ("it is in use" in told, "reader r2 is not in session" in told) == (True, True)
        renewal._limit_s = minute_s
        await door.runs_with(door.path.read_text())
        door.write(door.text)
        renewal.hang_up()
        await door.runs_with(door.text)


async def test_what_would_shut_the_central_out_or_change_who_the_gateway_is_is_refused(door):
    """Nothing is restarted for any of it, and nothing is written."""
    async with composed(door.folder, **QUICK, recording=False) as renewal:
        await door.central.in_session()
        boot = door.central.health[-1].boot
        for text, words in [
            (door.text.replace('"gw-1"', '"gw-2"'), "gateway is gw-2"),
            (door.text.replace('"hq"', '"west"'), "site is west"),
            (door.text + '[agent]\ndata_dir = "elsewhere"\n', "agent.data_dir is elsewhere"),
            (door.text.replace(KEY_LINE, OTHER_LINE), "lacks central-a"),
            (door.text.partition("[trust]")[0], "lacks central-a"),
            ("", "toml has 0 bytes"),
            ("#" * 65_537, "toml has 65537 bytes"),
        ]:
            answer = await door.configure(text)
            assert (answer.ok, words in answer.problem) == (False, True), answer
        strange = await door.central.ask(command("reload", device="r1"), "reload")
        assert "unknown argument 'device'" in strange.problem
        same = await door.configure(door.text)
        assert (same.ok, same.result["changed"]) == (True, "nothing")
        renewal._recording = True
        for answer in (await door.configure(door.text + "# more\n"), await door.reload()):
            assert "--record" in answer.problem
        renewal._recording = False
        await door.central.in_session()
        assert door.central.health[-1].boot == boot
        assert (door.path.read_text(), door.beside()) == (door.text, [])


async def test_a_signal_while_the_agent_starts_ends_nothing_and_the_file_is_read_again(tmp_path):
    """It ended the process without a word."""
    (tmp_path / "edge.toml").write_text(CONFIG.format(port=1, url="mqtt://127.0.0.1:1", key=KEY_LINE))
    async with agent(tmp_path) as process:
        async with asyncio.timeout(PATIENCE_S):
            while not catches(process.pid, signal.SIGHUP):  # noqa: ASYNC110 (long before it runs, and no event)
                await asyncio.sleep(0.002)
            process.send_signal(signal.SIGHUP)
            while "configuration is taken" not in (tmp_path / "agent.log").read_text():  # noqa: ASYNC110 (no event)
                await asyncio.sleep(0.05)
        assert process.returncode is None


async def test_an_agent_that_is_killed_in_the_middle_of_a_trial_starts_with_what_worked_and_says_so(door):
    """The program itself, with SIGKILL; then SIGHUP, by which it reads its file again."""
    async with agent(door.folder) as process:
        await door.central.in_session()
        deaf = door.text + SECOND_DOOR.format(port=free_port())
        door.central.give(command("configure", toml=deaf), "configure")
        await door.runs_with(deaf)
        assert (door.path.read_text(), door.beside()) == (deaf, ["edge.toml.before", "edge.toml.trial"])
        assert not door.central.replies
        process.kill()
        await process.wait()
    async with agent(door.folder) as process:
        await door.runs_with(door.text)
        await door.central.until(lambda: door.central.replies, "what became of it")
        (told,) = door.central.replies
        assert (told.ok, told.name, "the agent ended before" in told.problem) == (False, "configure", True)
        assert door.path.read_text() == door.text
        await door.central.until(lambda: not door.beside(), "nothing is left of the trial")
        door.write(door.text + "[agent]\nheartbeat_s = 0.5\n")
        process.send_signal(signal.SIGHUP)
        await door.runs_with(door.path.read_text())
        assert process.returncode is None


async def test_a_disk_that_refuses_is_told_and_nothing_is_changed(door, monkeypatch):
    """As where the file lies on a read-only root."""

    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    async with composed(door.folder, **QUICK):
        await door.central.in_session()
        monkeypatch.setattr(TrialFiles, "_put", refuse)
        answer = await door.configure(door.text + "# more\n")
        assert "can't be written here (Read-only file system): nothing was changed" in answer.problem
        assert (door.path.read_text(), door.beside()) == (door.text, [])
