"""The pictures of the gallery, drawn anew: `make gallery`."""

import subprocess
import sys
import time
from pathlib import Path

from tests.helpers.docs import ROOT
from tests.helpers.docs_scenarios import LOOKED_AT, pictures

IMAGES = ROOT / "docs" / "img" / "scenarios"
BIN = Path(sys.executable).parent
LARGEST_BYTES = 120_000


def main() -> int:
    """Draw those that were named, or all; return 1 if one failed or grew too large."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    chosen = sys.argv[1:] or pictures()
    drawn = [_drawn(name) for name in chosen]
    return 0 if all(drawn) else 1


def _drawn(name: str) -> bool:
    out, began = IMAGES / f"{name}.png", time.monotonic()
    words = [BIN / "stockgate-sim", "plot", name, "--out", out, *LOOKED_AT.get(name, ())]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    took_s = time.monotonic() - began
    if done.returncode:
        print(f"{name}: {done.stderr.strip()}")  # noqa: T201 (a command line prints)
        return False
    size = out.stat().st_size
    print(f"{name}: {size / 1000:.0f} kB, {took_s:.1f} s")  # noqa: T201
    return size <= LARGEST_BYTES


if __name__ == "__main__":
    sys.exit(main())
