"""The running agent obeys signed commands that come over a real broker, once each."""

import asyncio

from edge.contracts import decode_command, topic
from tests.helpers.brokers import Nats
from tests.helpers.commanded_agent import CONFIG, Central, agent, feed
from tests.helpers.commands import KEY_LINE, STRANGER, command
from tests.helpers.conformance.bench import sim_reader


def nonce_of(payload):
    """The nonce of a command that was given."""
    return decode_command(payload).nonce


async def test_a_running_agent_obeys_signed_commands_and_no_others(tmp_path):
    """Blink, survey, count and begin anew at a reader; a stranger's, a replayed and an oversized one do nothing."""
    broker = Nats(tmp_path)
    broker.start()
    feeding = None
    try:
        async with sim_reader() as reader:
            told = CONFIG.format(port=reader.port, url=broker.url, key=KEY_LINE)
            (tmp_path / "edge.toml").write_text(told)
            feeding = asyncio.create_task(feed(reader))
            with Central(broker.port) as central:
                async with agent(tmp_path):
                    await central.in_session()

                    blink = command("blink", device="r1", output=1, seconds=1)
                    assert (await central.ask(blink, "blink")).ok
                    assert "given before" in (await central.ask(blink, "blink")).problem
                    wrong = await central.ask(command("blink", device="r1", output=2), "blink")
                    assert "output 2 is not among its wired ones" in wrong.problem
                    forged = await central.ask(command("blink", key=STRANGER, device="r1", output=1), "blink")
                    assert "isn't so" in forged.problem

                    survey = await central.ask(command("survey", reader="r1", seconds=2), "survey")
                    assert survey.ok, survey.problem
                    assert (survey.result["antenna 1 tags"], survey.result["antenna 2 tags"]) == (2, 1)
                    assert survey.result["antenna 1 reads"] >= survey.result["antenna 2 reads"] > 0

                    sweep = await central.ask(command("sweep", reader="r1", seconds=3), "sweep")
                    assert sweep.ok, sweep.problem
                    assert sweep.result["tags"] == 3

                    before = len(central.replies)
                    central.client.publish(topic("hq", "gw-1", "cmd/blink"), command("blink", text="x" * 70_000))
                    await central.in_session()
                    assert len(central.replies) == before, "what can't be read can't be answered"

                    soon = await central.ask(command("restart-reader", reader="r1"), "restart-reader")
                    while not soon.ok:
                        assert "a command blinded reader r1" in soon.problem
                        await asyncio.sleep(5)
                        soon = await central.ask(command("restart-reader", reader="r1"), "restart-reader")
                    await central.until(lambda: central.health[-1].readers[0].reconnects == 1, "session begun anew")
                    await central.in_session()
                    assert nonce_of(blink) in (tmp_path / "data" / "commands-used.txt").read_text()
    finally:
        if feeding is not None:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        broker.stop()
