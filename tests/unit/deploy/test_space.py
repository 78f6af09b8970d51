"""A full disk is told once when it fills and once when it has room again."""

import errno
import os
import shutil

import pytest

from deploy.standalone import postgres
from deploy.standalone.errors import StandaloneError
from deploy.standalone.space import FULL_BYTES, ROOM_BYTES, DiskSpace, free_bytes


def test_a_full_disk_is_told_once_and_its_end_as_well(tmp_path):
    free = iter([FULL_BYTES, FULL_BYTES - 1, 0, FULL_BYTES, ROOM_BYTES - 1, ROOM_BYTES, ROOM_BYTES])
    disk = DiskSpace([tmp_path], lambda _: next(free))
    told = [disk.note(pending=2) for _ in range(7)]
    assert [len(lines) for lines in told] == [0, 1, 0, 0, 0, 1, 0]
    assert told[1][0].startswith(f"disk full: free space on {tmp_path} (16.8 MB left). 2 events wait")
    assert told[5][0].startswith(f"disk has room again: {tmp_path}")


def test_two_places_on_one_disk_are_told_as_one_by_the_first(tmp_path):
    (tmp_path / "run").mkdir()
    disk = DiskSpace([tmp_path, tmp_path / "run"], lambda _: 0)
    assert [line.split(" (")[0] for line in disk.note()] == [f"disk full: free space on {tmp_path}"]


def test_a_place_that_is_gone_is_no_full_disk(tmp_path):
    assert free_bytes(tmp_path / "gone") is None
    assert DiskSpace([tmp_path / "gone"]).note() == []


def test_a_disk_too_small_for_postgresql_is_told_in_words(tmp_path, monkeypatch):
    def full(*_, **__):
        raise shutil.Error([("from", "to", str(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))] * 500)

    monkeypatch.setattr(postgres, "_programs", full)
    with pytest.raises(StandaloneError, match="disk full: free space on ") as caught:
        postgres.EmbeddedPostgres(tmp_path).start()
    assert len(str(caught.value)) < 300
