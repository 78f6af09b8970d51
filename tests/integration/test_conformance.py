"""The conformance matrix: every behaviour of LLRP readers in the field, played together in one event loop."""

import asyncio
import shutil

import pytest

from edge.llrp import ReportDecoder
from tests.helpers.conformance.case import run_cases
from tests.helpers.conformance.cases import ALL
from tests.helpers.conformance.page import PAGE, page, without_times
from tests.helpers.fake_reader import report, tag

pytestmark = pytest.mark.xdist_group("conformance")  # its cases share one run


def parameters():
    for case in ALL:
        marks = [pytest.mark.xfail(strict=True, reason=case.falls_short)] if case.falls_short else []
        marks += [pytest.mark.system(case.program)] if case.program else []
        yield pytest.param(case.number, id=case.number, marks=marks)


@pytest.fixture(scope="module")
def outcomes(request):
    """Run the cases whose tests were chosen, once and together."""
    ReportDecoder().decode(bytearray(report(tag())))  # compiled before the clock runs, as the agent does
    tests = [item for item in request.session.items if item.module is request.module]
    chosen = {item.callspec.params["number"] for item in tests if hasattr(item, "callspec")}
    return asyncio.run(run_cases([case for case in ALL if case.number in chosen and is_playable(case)]))


def is_playable(case):
    return not case.program or shutil.which(case.program) is not None


@pytest.mark.parametrize("number", list(parameters()))
def test_the_agent_does_right_when_a_reader_behaves_so(number, outcomes):
    outcome = outcomes[number]
    assert not outcome.error, f"{number}: {outcome.case.behaviour}\n{outcome.error}"
    assert outcome.did


def test_the_page_says_what_this_run_saw(outcomes):
    """In all but its times; `make conformance` writes it."""
    if len(outcomes) < len(ALL):
        pytest.skip("the page is of all cases, and this run left some out: run the whole file")
    assert without_times(PAGE.read_text("utf-8")) == without_times(page(outcomes))
