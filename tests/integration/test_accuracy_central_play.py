"""The player of estates on a real database: two days of a hundred assets, scored."""

from simulator.estate import EstateScenario, build
from tests.accuracy.central.figures import figures_of, not_built
from tests.accuracy.central.plant import plant
from tests.accuracy.central.play import Player
from tests.accuracy.central.scores import all_scores

SCENARIO = {
    "name": "tiny", "seed": 5, "start": "2026-01-05T00:00:00Z", "days": 1, "assets": 80,
    "places": {"sites": 2, "two_buildings": 0.0}, "habits": {"carriers": 10, "movers": 30, "extra_moves": 12.0},
}  # fmt: skip


async def test_an_estate_is_played_and_scored():
    """Everything that arrives is committed, nothing refused, and every room that is built has its figures."""
    estate = build(EstateScenario.model_validate(SCENARIO))
    async with plant() as one:
        record = await Player(estate, one).play()
    found = all_scores(record)
    assert record.refused == []
    assert record.rows > 50
    assert len(record.digest) == 64
    assert found["places"]["right"] >= 0.9 * found["places"]["asked"] > 0
    assert "exits and alerts" not in not_built(found)
    assert {"central.location.right", "central.exits.alerted", "central.coverage.claimed"} <= {
        one.name for one in figures_of(found)
    }
