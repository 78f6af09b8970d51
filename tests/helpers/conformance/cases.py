"""All cases of the matrix, in the order of their numbers."""

from tests.helpers.conformance import cases_sessions
from tests.helpers.conformance.case import CASES

MODULES = (cases_sessions,)
"""Importing them has entered their cases."""
ALL = sorted(CASES.values(), key=lambda case: case.order)
