"""Weights of the decisions, printed by `python -m tests.helpers.fit_windows`; log-odds by evidence, "1" is the offset.

Evidence is named and measured in `decide`; how the weights came about is told in ADR 4.
"""

from typing import Final

MOVED: Final = {  # 7421 examples
    "rise_db": 0.32,
    "stir": 0.83,
    "stranger": 3.6,
    "swing_db": 0.068,
    "both_sides": 2.8,
    "1": -5.45,
}
CROSSED: Final = {  # 3789 examples
    "changed_db": 0.23,
    "lag": 4.6,
    "rise_db": 0.032,
    "ends": 0.46,
    "opening": 1.8,
    "closing": 1.3,
    "weaker": -1.9,
    "uneven_db": -0.078,
    "lag * lag": -0.88,
    "rise_db * rise_db": 0.097,
    "changed_db * closing": -0.028,
    "1": -5.76,
}
CROSSED_SO_FAR: Final = {  # 25367 examples
    "before_db": 0.045,
    "after_db": 0.06,
    "lag": 1.1,
    "climb_db": 0.11,
    "rise_db": -0.017,
    "ends": -0.095,
    "opening": 0.84,
    "closing": 0.36,
    "tail_db": -0.025,
    "uneven_db": -0.13,
    "weaker": 1.4,
    "log_reads": 0.12,
    "source_drop_db": 0.14,
    "target_drop_db": 0.069,
    "overtaken_db": 0.083,
    "rise_db * rise_db": 0.024,
    "lag * log_reads": 0.2,
    "lag * target_drop_db": 0.08,
    "before_db * lag": 0.082,
    "1": -6.92,
}
CAME_CLOSE: Final = {  # 1807 examples
    "rise_db": 0.25,
    "weaker": 7.1,
    "1": -4.13,
}
