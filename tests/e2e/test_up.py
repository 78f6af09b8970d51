"""`stockgate up` with a reader that isn't there: everything else runs, and state stays for the next start."""

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

STOCKGATE = str(Path(sys.executable).parent / "stockgate")
SAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "standalone" / "sample"
EDGE = """site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = 1
[[portals]]
id = "stockroom-a-door"
inside = "stockroom-a"
outside = "corridor"
layout = "two-sided"
antennas = [{ reader = "r1", port = 1, side = "inside" }, { reader = "r1", port = 2, side = "outside" }]
"""


@pytest.fixture
def place():
    """A folder that PostgreSQL's own user may enter when the tests run as root."""
    path = Path(tempfile.mkdtemp(prefix="sg-up-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_up_runs_until_a_signal_and_keeps_its_state(place):
    folder = place / "config"
    shutil.copytree(SAMPLE, folder)
    (folder / "edge.toml").write_text(EDGE)
    command = [STOCKGATE, "up", "--config", "config", "--data-dir", "data", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=place) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("reader r1"):
                break
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=place)
        process.send_signal(signal.SIGTERM)
        lines.append(process.communicate(timeout=120)[0])
    assert process.returncode == 0, "".join(lines)
    assert "stockroom-a 16" in "".join(lines)
    # A reader that isn't there is told with what is wrong.
    assert any(line.startswith("reader r1") and ": " in line for line in lines)
    assert second.returncode == 1
    assert f"another stockgate up runs on {place / 'data'}" in second.stderr
    assert (place / "data" / "postgres" / "PG_VERSION").is_file()
    assert not (place / "data" / "postgres" / "postmaster.pid").exists()


def test_an_address_that_will_not_do_is_refused_before_anything_starts(place):
    folder = place / "config"
    shutil.copytree(SAMPLE, folder)
    (folder / "edge.toml").write_text(EDGE)
    command = [STOCKGATE, "up", "--config", "config", "--data-dir", "data", "--listen", "0.0.0.0:8090"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=place)
    assert done.returncode == 2
    assert "--listen 0.0.0.0:8090" in done.stderr
    assert not (place / "data").exists()


def test_a_folder_that_will_not_do_is_refused_before_anything_starts(tmp_path):
    done = subprocess.run(
        [STOCKGATE, "up", "--config", str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "lacks edge.toml, locations.csv, portals.csv" in done.stderr
    assert done.stdout == ""
