"""Skips that name what is missing; in CI (STOCKGATE_NO_SKIPS=1) a skip is a failure."""

import os
import shutil
from functools import cache
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
LONGEST = ("unit/edge/test_agent_warm.py", "e2e", "chaos", "integration")
"""A file that compiles for long, and folders of tests that start programs, the slowest first."""

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("few", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=10)
settings.register_profile("soak", deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def _program(name):
    """Find a program also where Debian keeps daemons."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None and name == "postgres":
        servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        return str(servers[-1]) if servers else None
    return found


def pytest_configure(config):
    """Make known what only `make arm-check` asks for."""
    mark = "wall_clock: has a limit of time that an emulated processor misses (left out by make arm-check)"
    config.addinivalue_line("markers", mark)


def pytest_runtest_setup(item):
    """Skip what wants an absent system program or ../shared, and say which."""
    for mark in item.iter_markers("system"):
        for name in mark.args:
            if _program(name) is None:
                pytest.skip(f"system program {name!r} is not installed: make system-deps")
    if item.get_closest_marker("shared") and not SHARED.is_dir():
        pytest.skip(f"data made by others is not at {SHARED}")
    if item.get_closest_marker("timescale") and "STOCKGATE_TIMESCALE_DSN" not in os.environ:
        pytest.skip("wants a TimescaleDB: make test-timescale")


def pytest_collection_modifyitems(config, items):
    """Leave TimescaleDB's tests to their own target, so that CI's skips mean something; begin with what takes longest.

    Programs and their waits come first, so that no worker is left alone with one of them at the end.
    """
    items.sort(key=lambda item: _place(item.path))
    if "STOCKGATE_TIMESCALE_DSN" not in os.environ:
        out = [item for item in items if item.get_closest_marker("timescale")]
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if not item.get_closest_marker("timescale")]


@cache
def _place(path):
    """Place of a file among those that take longest; it's asked for every test, so once a file is enough."""
    longest = [ROOT / "tests" / name for name in LONGEST]
    return next((n for n, long in enumerate(longest) if long in (path, *path.parents)), len(longest))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn a skip into a failure where CI says that everything is there."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("STOCKGATE_NO_SKIPS") == "1" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"


@pytest.fixture(scope="session")
def shared():
    """Data made by others, beside the checkout."""
    return SHARED


@pytest.fixture(scope="session")
def program():
    """Path of a system program that a `system` mark has promised."""
    return _program


@pytest.fixture(autouse=True)
def _own_log():
    """Commands configure structlog for their whole process, onto a stream that ends with the test."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
