"""The fit learns from what the windows would have decided on: its hooks have to be where the decisions are taken."""

import numpy as np
import pytest

from tests.accuracy import lessons
from tests.accuracy.play import play
from tests.fit.dataset import examples_of
from tests.fit.labels import CLASSES, NONE

LESSON = 3
ACTS = 5


@pytest.fixture(scope="module")
def learnt():
    scenario, settings = lessons.lesson(LESSON, ACTS)
    played = play(scenario, LESSON, settings=settings)
    return played, examples_of(played)


def test_every_visit_that_ended_becomes_an_example(learnt):
    played, examples = learnt
    moved = {visit.epc for visit in played.visits if visit.reads >= 15}
    shown = {played.visits[k].epc for k in np.unique(examples["visit"]) if k >= 0}
    assert moved <= shown


def test_crossings_and_others_are_told_apart_by_the_truth(learnt):
    played, examples = learnt
    final = examples["final"] == 1
    for kind, visit in zip(examples["kind"][final], examples["visit"][final], strict=True):
        if kind not in (NONE, -1):
            assert CLASSES[kind] == played.visits[visit].kind
    assert {"in", "out"} & {CLASSES[kind] for kind in examples["kind"][final] if kind >= 0}


def test_early_looks_are_examples_too(learnt):
    _, examples = learnt
    assert (examples["final"] == 0).any()
    assert len(examples["rows"]) > len(examples["row"]) // 2
