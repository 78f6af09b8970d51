"""Which figures a beginning of a name asks for."""

import pytest

from tests.bench.figures import Figure, Registry

NAMES = ("agent.100k.", "agent.1m.", "central.ingest.", "central.scale_1m.")
LONG = {"agent.100k.", "agent.1m.", "central.scale_1m."}


def _registry() -> Registry:
    registry = Registry("Speed")
    for name in NAMES:
        registry.register(name, when_named=name in LONG)(lambda name=name: [Figure(f"{name}cpu", 1.0, "cores")])
    return registry


@pytest.mark.parametrize(
    ("only", "told"),
    [
        ("", ["central.ingest.cpu"]),
        ("agent.", ["agent.100k.cpu", "agent.1m.cpu"]),
        ("agent.1m.", ["agent.1m.cpu"]),
        ("central.", ["central.ingest.cpu"]),
        ("central.scale_1m.", ["central.scale_1m.cpu"]),
        ("agent.1m.cpu", ["agent.1m.cpu"]),
        ("nothing", []),
    ],
)
def test_long_figures_run_only_where_nothing_else_is_asked_for(only: str, told: list[str]) -> None:
    assert [figure.name for figure in _registry().run(only)] == told
