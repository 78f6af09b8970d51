"""All cases of the matrix, in the order of their numbers."""

from tests.helpers.conformance import (
    cases_air,
    cases_clocks,
    cases_edges,
    cases_limits,
    cases_reports,
    cases_sessions,
    cases_settings,
    cases_setup,
)
from tests.helpers.conformance.case import CASES

MODULES = (
    cases_sessions,
    cases_setup,
    cases_reports,
    cases_clocks,
    cases_settings,
    cases_limits,
    cases_air,
    cases_edges,
)
"""Importing them has entered their cases."""
ALL = sorted(CASES.values(), key=lambda case: case.order)
