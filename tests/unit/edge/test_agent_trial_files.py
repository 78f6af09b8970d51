"""Whatever ends the agent in the middle of a trial, and whatever the disk refuses, the next start has what works."""

import errno
import json
import os

import pytest

from edge.agent import trial_files
from edge.agent.trial_files import TrialFiles

OLD, NEW = b"old = 1\n", b"new = 1\n"


class PowerCut(BaseException):
    """Nothing after this is done."""


@pytest.fixture
def path(tmp_path):
    """The file as it works."""
    file = tmp_path / "edge.toml"
    file.write_bytes(OLD)
    file.chmod(0o640)
    return file


def files_in(path):
    """Names of what lies beside the configuration."""
    return {one.name for one in path.parent.iterdir()}


def begin(path):
    """Begin a trial."""
    return TrialFiles(path).begin(OLD, NEW, name="configure", nonce="a" * 32)


def test_a_trial_that_is_well_leaves_the_new_text_alone(path):
    note = begin(path)
    assert path.read_bytes() == NEW
    assert path.stat().st_mode & 0o777 == 0o640
    over = TrialFiles(path).end(note, problem="", result={"config": "x"})
    settled = TrialFiles(path).settle()
    assert (settled.text, settled.untold) == (NEW, over)
    TrialFiles(path).forget(over)
    assert files_in(path) == {"edge.toml"}
    assert TrialFiles(path).settle().untold is None


def test_an_unfinished_trial_is_taken_back_at_the_next_start_and_told_until_it_is_answered(path):
    note = begin(path)
    settled = TrialFiles(path).settle()
    assert settled.text == path.read_bytes() == OLD
    assert (settled.untold.nonce, "rolled back" in settled.untold.problem) == (note.nonce, True)
    assert TrialFiles(path).settle().untold == settled.untold, "it isn't answered yet"
    TrialFiles(path).forget(settled.untold)
    assert files_in(path) == {"edge.toml"}


@pytest.mark.parametrize("after", range(9))
@pytest.mark.parametrize("well", [True, False])
def test_a_power_cut_after_any_write_ends_in_a_text_that_works(path, monkeypatch, after, well):
    """The new one only if the trial had ended well; then, and only then, a start takes it."""
    done, ended = [], False

    def cut(real):
        def step(*args, **kwargs):
            if len(done) == after:
                raise PowerCut
            done.append(real.__name__)
            return real(*args, **kwargs)

        return step

    monkeypatch.setattr(os, "fsync", cut(os.fsync))
    try:
        note = begin(path)
        over = TrialFiles(path).end(note, problem="" if well else "no", result={}, back_to=None if well else OLD)
        ended = True
        TrialFiles(path).forget(over)
    except PowerCut:
        pass
    monkeypatch.undo()
    settled = TrialFiles(path).settle()
    assert path.read_bytes() == settled.text
    assert settled.text == OLD or (well and after >= 7)
    if ended and well:
        assert settled.text == NEW


def test_what_somebody_has_edited_during_the_trial_stays(path):
    begin(path)
    path.write_bytes(b"mine = 1\n")
    settled = TrialFiles(path).settle()
    assert settled.text == path.read_bytes() == b"mine = 1\n"
    assert "somebody has edited" in settled.problem


def test_a_disk_that_refuses_at_the_start_has_the_agent_run_with_the_old_text_all_the_same(path, monkeypatch):
    begin(path)
    monkeypatch.setattr(trial_files, "_sync", refuse)
    monkeypatch.setattr(TrialFiles, "_put", refuse)
    settled = TrialFiles(path).settle()
    assert (settled.text, path.read_bytes()) == (OLD, NEW)
    assert "can't be written" in settled.problem
    monkeypatch.undo()
    assert TrialFiles(path).settle().text == path.read_bytes() == OLD, "the next start does it"


@pytest.mark.parametrize("at", [0, 1, 2])
def test_where_the_disk_refuses_nothing_is_changed(path, monkeypatch, at):
    real, puts = TrialFiles._put, []

    def put(self, place, text):
        puts.append(place)
        if len(puts) == at + 1:
            refuse()
        real(self, place, text)

    monkeypatch.setattr(TrialFiles, "_put", put)
    with pytest.raises(OSError, match="Read-only"):
        begin(path)
    assert files_in(path) == {"edge.toml"}
    assert path.read_bytes() == OLD


def test_a_note_that_cannot_be_read_is_none(path):
    (path.parent / "edge.toml.trial").write_text(json.dumps({"before": 1}))
    assert TrialFiles(path).settle().text == OLD


def refuse(*_):
    """What a read-only disk says."""
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))
