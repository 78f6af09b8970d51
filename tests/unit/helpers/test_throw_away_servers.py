"""Throw-away databases lie in memory, but only where there is enough of it."""

import pytest

from tests.helpers import postgres


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """A folder that stands for the memory's, with room for a thousand servers of a byte."""
    monkeypatch.setattr(postgres, "MEMORY", tmp_path)
    monkeypatch.setattr(postgres, "SERVER_BYTES", 1)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "1000")
    return tmp_path


def test_data_that_nobody_will_miss_lies_in_memory(memory):
    assert postgres.memory() == memory


def test_without_room_for_the_servers_of_all_workers_it_lies_on_the_disk(memory, monkeypatch):
    monkeypatch.setattr(postgres, "SERVER_BYTES", 1 << 50)
    assert postgres.memory() is None


def test_without_such_a_folder_it_lies_on_the_disk(memory, monkeypatch):
    monkeypatch.setattr(postgres, "MEMORY", memory / "absent")
    assert postgres.memory() is None


def test_what_is_measured_lies_on_the_disk(memory, monkeypatch):
    monkeypatch.delenv("PYTEST_VERSION")
    assert postgres.memory() is None
