"""Warming up at installation saves the compilation at start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="without the compiler there is nothing to keep"
)


@pytest.mark.wall_clock
@pytest.mark.timeout(600)  # it computes for 20 s, and takes the more the busier the machine is
def test_warm_keeps_compiled_kernels_on_disk(tmp_path):
    """What `make setup` runs leaves the kernels of both hot rooms where the next start finds them."""
    command = [str(Path(sys.executable).with_name("stockgate-edge")), "warm"]
    subprocess.run(command, check=True, env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}, timeout=540)
    kept = {path.name.split("-")[0] for path in tmp_path.rglob("*.nbi")}
    assert {"kernels.walk_reports", "kernels.advance", "kernels.alike"} <= kept
