"""The frame fuzzer itself: a short run is clean; a difference, an over-read and a hang are each found and told."""

import subprocess
import sys

import pytest

from tests.helpers import fuzz_frames

RUN = "import tests.helpers.fuzz_frames as f, random, signal, multiprocessing as m\n"
WORK = "f.work(5, 1, 100, m.get_context('spawn').Array('q', 4))"
FLAWS = {
    "over-read": "g = f.Guarded().at_the_end(b'abc'); import ctypes; ctypes.string_at(g.ctypes.data, 4)",
    "hang": "f.HANG_S = 1; f.compare_cut = lambda *_: [None for _ in iter(int, 1)]; " + WORK,
    "difference": "f.read_reports = lambda *_: ([], []); " + WORK,
}
TOLD = {"over-read": "a byte was read beyond the end", "hang": "took more than", "difference": "a difference"}


def test_short_run_is_clean():
    result = subprocess.run(
        [sys.executable, "-m", "tests.helpers.fuzz_frames", "--frames", "2000", "--workers", "1", "--seed", "3"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2,000 frames through kernel and twin" in result.stdout
    assert "no difference, no other exception, no over-read, no hang" in result.stdout


@pytest.mark.parametrize("flaw", FLAWS)
def test_flaw_ends_the_process_and_is_told(flaw):
    result = subprocess.run([sys.executable, "-c", RUN + FLAWS[flaw]], capture_output=True, check=False, timeout=280)
    assert result.returncode != 0
    assert TOLD[flaw] in fuzz_frames.meaning(result.returncode)
