"""One start of a server: `python -m benchmarks.speed.start_work SERVICE|hello PATH [HOME]` prints what it cost until PATH answered."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.speed.http_server import Running, peer, product


def told(running: Running, path: str) -> None:
    """Wait for that, and print it."""
    wall = running.until(path)
    print(json.dumps({"units": 1, "cpu": running.cpu(), "wall": wall, "peak": running.peak()}))


def main(name: str, path: str, home: str = "") -> None:
    """Start, wait, end."""
    if name == "hello":
        with peer("hello") as running:
            told(running, path)
    else:
        with product(Path(home), name) as running:
            told(running, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
