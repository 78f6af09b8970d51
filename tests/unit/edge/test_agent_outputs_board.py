"""`stockgate-edge outputs test` with a relay board."""

import asyncio
import itertools

import pytest
import structlog
from typer.testing import CliRunner

from edge.cli import app
from tests.helpers.fake_serial import FakeLcus, FakeModbusBoard

CONFIG = """
site = "hq"
gateway = "g1"
[[readers]]
id = "r1"
host = "127.0.0.1"
[[boards]]
id = "siren"
serial = "{path}"
{board}
[[portals]]
id = "door"
inside = "room"
outside = "corridor"
layout = "single"
antennas = [{{ reader = "r1", port = 1 }}]
[mqtt]
url = "mqtt://localhost"
"""
TIMED = 'protocol = "modbus"\noutputs = 4\ntimed_outputs = true'
PLAIN = 'protocol = "lcus"\noutputs = 1'


@pytest.fixture(autouse=True)
def _structlog_as_it_was():
    """The command sends structlog's lines to a stderr that is closed once it is done."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


async def outputs_test(tmp_path, board, *words):
    """Run the command in a thread, beside the board."""
    config = tmp_path / "edge.toml"
    config.write_text(CONFIG.format(path=tmp_path / "tty", board=board))
    arguments = ["outputs", "test", "--config", str(config), *words]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_a_board_that_ends_a_pulse_by_itself_is_told(tmp_path):
    async with FakeModbusBoard(tmp_path / "tty") as board:
        done = await outputs_test(tmp_path, TIMED, "siren", "2", "--seconds", "0.3")
        assert done.exit_code == 0, done.output
        assert "the board has ended it by itself" in done.output
        assert (0x201, 3) in board.orders
        assert not any(board.relays[:4])


async def test_where_the_agent_ends_it_the_danger_is_told(tmp_path):
    async with FakeLcus(tmp_path / "tty") as board:
        done = await outputs_test(tmp_path, PLAIN, "siren", "1", "--seconds", "0.2")
        assert "wire a timer relay" in done.output
        await asyncio.sleep(0.1)
        assert [order for order, _ in itertools.groupby(board.orders)][:3] == [(1, 0), (1, 1), (1, 0)]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("siren", "9"), 2, "has 4 outputs"),
        (("siran", "1"), 2, "did you mean 'siren'?"),
        (("siren", "1"), 1, "plug it in"),
    ],
)
async def test_what_is_wrong_is_said_with_the_exit_code(tmp_path, words, code, said):
    done = await outputs_test(tmp_path, TIMED, *words)
    assert done.exit_code == code
    assert said in done.output
