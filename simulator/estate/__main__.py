"""`python -m simulator.estate` makes every estate and says whether it is the one whose hash is kept.

`--write` keeps what is made now, for a new version only: figures of two versions can't be compared.
"""

import sys
from collections.abc import Iterator

from simulator.estate.digest import HASH_FILE, digest
from simulator.estate.estate import build
from simulator.estate.model import load_estate, names


def main(words: list[str]) -> Iterator[str]:
    """Yield a line an estate: its hash, its name, and what is kept if that differs."""
    lines = [f"{digest(build(load_estate(name)))}  {name}" for name in names()]
    if "--write" in words:
        HASH_FILE.write_text("\n".join(lines) + "\n", "utf-8")
    kept = HASH_FILE.read_text("utf-8").splitlines()
    yield from (line if line in kept else f"{line}, which is not the one that is kept" for line in lines)


if __name__ == "__main__":
    for text in main(sys.argv[1:]):
        sys.stdout.write(f"{text}\n")
