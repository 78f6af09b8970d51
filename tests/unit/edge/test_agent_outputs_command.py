"""`stockgate-edge outputs test` switches one output on and off, and says who ended it."""

import asyncio

import pytest
import structlog
from typer.testing import CliRunner

from edge.cli import app
from tests.helpers import fake_reader as fake
from tests.helpers.fake_reader import FakeReader
from tests.unit.edge.test_readers_outputs import modes, writes

CONFIG = """
site = "hq"
gateway = "g1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {port}
outputs = [{{ output = 1, inverted = false }}]
[[portals]]
id = "door"
inside = "room"
outside = "corridor"
layout = "single"
antennas = [{{ reader = "r1", port = 1 }}]
[mqtt]
url = "mqtt://localhost"
"""


@pytest.fixture(autouse=True)
def _structlog_as_it_was():
    """The command sends structlog's lines to a stderr that is closed once it is done."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


async def outputs_test(tmp_path, port, *words):
    """Run the command in a thread, beside the reader."""
    config = tmp_path / "edge.toml"
    config.write_text(CONFIG.format(port=port))
    arguments = ["outputs", "test", "--config", str(config), *words]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_an_output_is_on_and_off_and_the_reader_left_free(tmp_path):
    async with FakeReader() as reader:
        done = await outputs_test(tmp_path, reader.port, "r1", "1", "--seconds", "0.2")
        assert done.exit_code == 0, done.output
        assert "the reader has ended it by itself" in done.output
        assert modes(reader)[-1] == (1, 1, 200)
        assert writes(reader) == [(1, 0), (1, 1)]
        assert fake.CLOSE in reader.types()
        assert fake.ADD not in reader.types(), "nothing is inventoried"


async def test_where_the_agent_ends_it_the_danger_is_told(tmp_path):
    async with FakeReader(capabilities=fake.capabilities(vendor=4711, model=1)) as reader:
        done = await outputs_test(tmp_path, reader.port, "r1", "1", "--seconds", "0.1")
        assert writes(reader) == [(1, 0), (1, 1), (1, 0)]
        assert "wire a timer relay" in done.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(("r2", "1"), 2, "did you mean 'r1'?"), (("r1", "3"), 2, "add { output = 3 }"), (("r1", "1"), 1, "stop it first")],
)
async def test_what_is_wrong_is_told_with_what_to_do(tmp_path, words, code, said):
    done = await outputs_test(tmp_path, 1, *words)
    assert done.exit_code == code
    assert said in done.output
