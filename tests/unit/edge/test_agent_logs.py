"""The log file keeps to its budget, loses the oldest first, and says when a disk took lines from it."""

import errno
import json
import os
import threading

import pytest
import structlog
import typer

from edge.agent import command, log_file, logs
from edge.agent.log_file import BoundedFile
from tests.unit.edge.test_agent_command import CONFIG


@pytest.fixture(autouse=True)
def _structlog_as_it_was():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def parts(folder):
    """All parts, the oldest first."""
    return sorted(folder.glob("edge.log*"), key=lambda file: file.name, reverse=True)


def test_parts_together_never_exceed_the_budget_and_the_newest_lines_stay(tmp_path):
    file = BoundedFile(tmp_path / "edge.log", max_bytes=4_000)
    for number in range(1_000):
        file.write(f'{{"n": {number}}}\n')
        assert sum(part.stat().st_size for part in parts(tmp_path)) <= 4_000
    file.close()
    assert [part.name for part in parts(tmp_path)] == ["edge.log.3", "edge.log.2", "edge.log.1", "edge.log"]
    kept = [json.loads(line)["n"] for part in parts(tmp_path) for line in part.read_text().splitlines()]
    assert kept == list(range(kept[0], 1_000)), "in order, without a hole, to the last"
    assert len(kept) >= 200


def test_a_log_that_is_moved_removed_or_emptied_from_outside_goes_on_in_its_place_and_budget(tmp_path):
    path = tmp_path / "edge.log"
    file = BoundedFile(path, max_bytes=4_000)
    file.write("one\n")
    path.rename(tmp_path / "rotated")
    file.write("two\n")
    assert ((tmp_path / "rotated").read_text(), path.read_text()) == ("one\n", "two\n")
    path.unlink()
    file.write("three\n")
    assert path.read_text() == "three\n"
    file.write("x" * 980 + "\n")
    os.truncate(path, 0)
    file.write("y" * 500 + "\n")
    file.close()
    assert [part.name for part in parts(tmp_path)] == ["edge.log"], "what was emptied counts no more"


def test_start_goes_on_with_the_part_that_is_there(tmp_path):
    """An agent that is restarted every minute must not fill the disk either."""
    for number in range(300):
        file = BoundedFile(tmp_path / "edge.log", max_bytes=1_000)
        file.write(f"line {number}\n")
        file.close()
    assert sum(part.stat().st_size for part in parts(tmp_path)) <= 1_000
    assert (tmp_path / "edge.log").read_text().endswith("line 299\n")


def test_lines_of_many_threads_stay_whole(tmp_path):
    file = BoundedFile(tmp_path / "edge.log", max_bytes=1 << 20)
    threads = [
        threading.Thread(target=lambda name=name: [file.write(f"{name}{name}{name}\n") for _ in range(500)])
        for name in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.close()
    lines = (tmp_path / "edge.log").read_text().splitlines()
    assert sorted(lines) == sorted(500 * ["aaa", "bbb", "ccc", "ddd"])


def test_full_disk_costs_lines_that_are_counted_and_no_half_line(tmp_path, monkeypatch, capsys):
    file, write = BoundedFile(tmp_path / "edge.log", max_bytes=1 << 20), os.write
    file.write("before\n")
    monkeypatch.setattr(log_file.os, "write", lambda descriptor, line: write(descriptor, line[:3]))
    for _ in range(5):
        file.write("lost line\n")
    monkeypatch.setattr(log_file.os, "write", write)
    file.write("after\n")
    file.close()
    before, told, after = (tmp_path / "edge.log").read_text().splitlines()
    assert (before, after) == ("before", "after")
    assert json.loads(told)["lost"] == 5
    said = capsys.readouterr().err
    assert said.count("can't be written: No space left on device") == 1
    assert said.count("lost line") == 1, "the first stands beside the reason"


def test_read_only_disk_is_outlived(tmp_path, monkeypatch, capsys):
    def refuse(*_words):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    file = BoundedFile(tmp_path / "edge.log", max_bytes=1 << 20)
    with monkeypatch.context() as disk:
        disk.setattr(log_file.os, "write", refuse)
        file.write("lost\n")
        disk.setattr(log_file.os, "open", refuse)
        file.write("lost\n")
    file.write("after\n")
    assert [json.loads(line)["lost"] for line in (tmp_path / "edge.log").read_text().splitlines()[:1]] == [2]
    assert "Read-only file system" in capsys.readouterr().err


def test_log_lines_in_the_file_are_json(tmp_path, capsys):
    logs.configure(tmp_path / "edge.log", 1 << 20)
    structlog.get_logger().warning("reader lost", reader="r1")
    try:
        int("shown with its trace")
    except ValueError:
        structlog.get_logger().exception("message could not be taken")
    lost, failed = map(json.loads, (tmp_path / "edge.log").read_text().splitlines())
    assert (lost["event"], lost["level"], lost["reader"]) == ("reader lost", "warning", "r1")
    assert "shown with its trace" in failed["exception"]
    assert capsys.readouterr().err == ""


def test_log_file_that_cannot_be_made_is_a_usage_error(tmp_path, capsys):
    (tmp_path / "edge.toml").write_text(CONFIG + '[log]\nfile = "gone/edge.log"\n')
    with pytest.raises(typer.Exit) as caught:
        command.run(tmp_path / "edge.toml")
    assert caught.value.exit_code == 2
    assert f"log.file: there is no folder {tmp_path / 'gone'}: make it" in capsys.readouterr().err
