"""`commission` writes the levels that its walks taught, and none where too few were walked to replace earlier ones."""

import tomllib

import pytest
import structlog

from edge.agent import commission_command
from edge.agent.commission_command import LEAST_TO_REPLACE, Wish, commission
from edge.agent.walks import Walked
from tests.helpers.commissioned import LEVELS, usual, walked

BEFORE = (-4000, -4100, -4200, -4300)
CONFIG = """
site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "r1"
host = "192.0.2.10"
[[portals]]
id = "stockroom-a-door"
inside = "stockroom-a"
outside = "corridor"
antennas = [
{antennas}]
[mqtt]
url = "mqtt://127.0.0.1:1"
"""


@pytest.fixture(autouse=True)
def logging_as_before():
    """The command configures structlog for the whole process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def taught(tmp_path, monkeypatch, plain, levels):
    """Commission a door, in its own file, of whose recipe so many walks were done; return its levels afterwards."""
    config = tmp_path / "edge.toml"
    lines = [
        f'  {{ reader = "r1", port = {port}, side = "{"inside" if port < 3 else "outside"}"'
        + ("" if level is None else f", doorway_cdbm = {level}") + " },\n"
        for port, level in enumerate(levels, 1)
    ]  # fmt: skip
    config.write_text(CONFIG.replace("{antennas}", "".join(lines)))
    outcomes = walked(lambda number, one: usual(number, one) if number < plain else "skipped")

    class Done:
        """Walks that were done already."""

        def __init__(self, *_args, **_knobs) -> None:
            pass

        async def walked(self):
            return Walked(outcomes)

    monkeypatch.setattr(commission_command, "Walks", Done)
    monkeypatch.setattr(commission_command, "warm_up", lambda: None)
    wish = Wish(
        config=config, portal="stockroom-a-door", out=config, certificate=tmp_path / "door.txt", plan=None, yes=True,
        confirm=False, survey_s=0.0, wait_s=None,
    )  # fmt: skip
    assert commission(wish) == 1
    antennas = tomllib.loads(config.read_text())["portals"][0]["antennas"]
    return tuple(one.get("doorway_cdbm") for one in antennas), (tmp_path / "door.txt").read_text()


def test_commissioning_that_is_broken_off_keeps_the_levels_of_the_one_before(tmp_path, monkeypatch):
    """Control-C after the first walks, with `--out edge.toml`: one walk's levels are luck."""
    levels, page = taught(tmp_path, monkeypatch, LEAST_TO_REPLACE - 1, BEFORE)
    assert levels == BEFORE
    assert "the levels (doorway_cdbm) stay as they were: 4 plain walks were right, and 5 are needed" in page


@pytest.mark.parametrize(("plain", "before"), [(LEAST_TO_REPLACE, BEFORE), (1, (None,) * 4)])
def test_enough_walks_teach_others_and_any_teach_the_first(tmp_path, monkeypatch, plain, before):
    levels, page = taught(tmp_path, monkeypatch, plain, before)
    assert levels == LEVELS
    assert "stay as they were" not in page


def test_survey_too_short_to_tell_who_stays_is_refused_at_once(tmp_path, capsys):
    """Before anybody walks; 0 makes none."""
    config = tmp_path / "edge.toml"
    config.write_text(CONFIG.replace("{antennas}", "".join(
        f'  {{ reader = "r1", port = {port}, side = "{side}" }},\n' for port, side in ((1, "inside"), (2, "outside"))
    )))  # fmt: skip
    wish = Wish(
        config=config, portal="stockroom-a-door", out=None, certificate=None, plan=None, yes=True,
        confirm=False, survey_s=3.0, wait_s=None,
    )  # fmt: skip
    assert commission(wish) == 2
    assert "--survey-seconds 3: who stays can't be told so soon: 10 at least" in capsys.readouterr().err
