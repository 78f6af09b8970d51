"""Make `edge/windows/model/weights.npz` anew: `make fit`, or `python -m tests.fit [--doors N] [--lessons N]`.

Training doors, and lessons where people linger in the doorway and follow each other, are played (and kept in
.cache/fit), their visits measured, and the four models fitted. Companions are told the log-odds of models that haven't
seen their door: doors fall into folds.
"""

# ruff: noqa: T201 (the program prints its tables)

import argparse
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tests.accuracy import frozen
from tests.accuracy.doors import training_seeds
from tests.fit import train
from tests.fit.doors import LESSONS_FROM, lesson_seeds
from tests.fit.gather import Set, gather, with_company
from tests.fit.labels import CLASSES, NONE
from tests.fit.report import early_report, late_report
from tests.fit.train import EARLY_CLASSES, Shape

WEIGHTS = Path(__file__).resolve().parents[2] / "edge" / "windows" / "model" / "weights.npz"
FOLDS = 2
SHAPES = {
    "alone": Shape(trees=110, leaves=16, rate=0.08, least=60, ridge=5.0),
    "alone_early": Shape(trees=90, leaves=16, rate=0.08, least=80, ridge=5.0),
    "together": Shape(trees=60, leaves=8, rate=0.07, least=150, ridge=10.0),
    "together_early": Shape(trees=50, leaves=8, rate=0.07, least=200, ridge=10.0),
}
TRY_WEIGHT = 0.2
"""A candidate is one look of many at a visit."""
REST_WEIGHT = 0.6
LESSON_WEIGHT, LESSON_WEIGHT_EARLY = 0.2, 0.7
"""Of an example of a lesson: at no door do so many people stand in the way and so few pass by. Whether the plane was
crossed by now hardly depends on that."""
CROWD_US = 4_000_000
LATE_US = 4_000_000
"""So long after the plane a provisional is worth little."""


@dataclass
class Task:
    """What one pair of models (alone, together) has to tell apart; `told` are what company is fitted on."""

    name: str
    classes: tuple
    examples: Set
    y: np.ndarray
    weight: np.ndarray
    told: np.ndarray
    models: dict = field(default_factory=dict)

    def run(self):
        """Fit both models, and return log-odds of doors that a model hasn't seen."""
        examples, suffix = self.examples, self.name
        fold, row_fold = examples.door % FOLDS, examples.row_door % FOLDS
        row_odds = np.zeros((len(examples.rows), len(self.classes)))
        for k in range(FOLDS):
            trees = self._fit("alone", examples.x, fold != k)
            row_odds[row_fold == k] = train.odds(trees, examples.rows[row_fold == k])
        own = row_odds[examples.row]
        x = with_company(examples, own, row_odds)
        odds = np.zeros_like(own)
        for k in range(FOLDS):
            mine = (fold == k) & self.told
            odds[mine] = train.odds(self._fit("together", x, (fold != k) & self.told), x[mine])
        everywhere = np.ones(len(fold), bool)
        self.models["alone" + suffix] = self._fit("alone", examples.x, everywhere)
        self.models["together" + suffix] = self._fit("together", x, self.told)
        return own, odds

    def _fit(self, which, x, rows):
        rows = rows & (self.weight > 0)
        began = time.monotonic()
        trees = train.fit(x[rows], self.y[rows], self.weight[rows], self.classes, SHAPES[which + self.name])
        print(f"  {which}{self.name}: {rows.sum()} examples, {time.monotonic() - began:.0f} s", flush=True)
        return trees


def crowding(examples):
    """Return the weight of each example for going with others: a trolley's tags are no independent witnesses."""
    key = examples.door.astype(np.int64) << 40 | examples.columns["at_us"] // CROWD_US % (1 << 38) << 1
    key |= examples.columns["final"]
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    return count[place] ** -0.5


def of_lessons(examples):
    """Return which examples are of lessons."""
    return examples.door >= LESSONS_FROM


def worth(examples, of_lesson):
    """Return the weight of each example for where it comes from and what goes with it."""
    return crowding(examples) * np.where(of_lessons(examples), of_lesson, 1.0)


def late_task(examples):
    """What a visit is; candidates count a little, since companions are often still under way."""
    told = examples.columns
    final = told["final"] == 1
    y = np.where(final, told["kind"], told["later"])
    lot = np.random.default_rng(0).random(len(y))
    weight = np.where(final, np.where(y == NONE, REST_WEIGHT, 1.0), np.where(lot < 0.3, 2 * TRY_WEIGHT, 0.0))
    weight = np.where(y < 0, 0.0, weight) * worth(examples, LESSON_WEIGHT)
    return Task("", CLASSES, examples, np.maximum(y, 0), weight, final & (y >= 0))


def early_task(examples):
    """Whether the plane was crossed by now."""
    told = examples.columns
    tried = (told["final"] == 0) & (told["kind"] >= 0)
    y = np.where(told["kind"] < 2, told["kind"], 2)
    late = (told["crossed_us"] > 0) & (told["at_us"] - told["crossed_us"] > LATE_US)
    weight = np.where(tried, np.where(late, 0.3, 1.0), 0.0) * worth(examples, LESSON_WEIGHT_EARLY)
    return Task("_early", EARLY_CLASSES, examples, np.maximum(y, 0), weight, tried)


def main():
    """Fit, report on doors that weren't fitted on, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--doors", type=int, default=400, help="training doors, of the seeds 0, 1, ... those in service"
    )
    parser.add_argument("--lessons", type=int, default=60, help="lessons, of the seeds 0, 1, ...")
    parser.add_argument("--cache", default="examples", help="name under which measured examples are kept")
    parser.add_argument("--keep", default="", help="also keep unseen doors' log-odds in files of this name")
    asked = parser.parse_args()
    began = time.monotonic()
    examples = gather(training_seeds(asked.doors) + lesson_seeds(asked.lessons), asked.cache)
    print(
        f"{asked.doors} doors, {asked.lessons} lessons, {len(examples.row)} examples, {time.monotonic() - began:.0f} s"
    )
    models = {}
    for task, report in ((late_task(examples), late_report), (early_task(examples), early_report)):
        own, odds = task.run()
        if asked.keep:
            np.savez(asked.keep + task.name, own=own, odds=odds, y=task.y, told=task.told, weight=task.weight)
        for name, some in (("alone", own), ("together", (own + odds) / 2)):
            for where, mine in (("doors", ~of_lessons(examples)), ("lessons", of_lessons(examples))):
                seen = replace(task, told=task.told & mine)
                for line in report(examples, seen, some, f"{where}, {name}") if seen.told.any() else ():
                    print(line)
        models |= {name: (train.packed(trees, task.classes), task.classes) for name, trees in task.models.items()}
    about = {
        "command": "make fit",
        "doors": asked.doors,
        "lessons": asked.lessons,
        "examples": len(examples.row),
        "frozen": frozen.committed(),
    }
    train.write(WEIGHTS, models, about)
    print(f"wrote {WEIGHTS.name}, {WEIGHTS.stat().st_size} bytes, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
