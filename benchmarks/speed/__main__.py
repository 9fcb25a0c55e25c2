"""`python -m benchmarks.speed [PART ...]`: measure, print, and end with 1 where a goal is missed."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from benchmarks.speed.goals import GOALS
from benchmarks.speed.rounds import LOOSE, Part, Setting, met, sampled, show

ROUNDS = 5


def main() -> int:
    """Run the parts that were asked for, all by default."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    default = Path(os.environ.get("FM_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(GOALS)}; all by default")
    parser.add_argument("--data", type=Path, default=default, help="folder of test data (FM_TEST_DATA)")
    parser.add_argument("--mb", type=int, default=64, help="size of logs and blobs in MiB")
    parser.add_argument("--large-mb", type=int, default=1024, help="size of the large log for memory in MiB")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - GOALS.keys():
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    good = True
    for name in chosen.parts or GOALS:
        with tempfile.TemporaryDirectory(prefix="fm-speed-") as folder:
            good &= _measure(name, Setting(Path(folder), chosen.data, chosen.mb, chosen.large_mb), chosen.rounds)
    return 0 if good else 1


def _measure(name: str, setting: Setting, rounds: int) -> bool:
    print(f"{name}:")
    # Imported by name: each part brings drivers that the others do not need.
    part: Part = import_module(f"benchmarks.speed.{name}").PART
    with part.programs(setting) as programs:
        samples, noisy = sampled(programs, rounds)
    print(f"rounds: {rounds}{', noisy: goals held loosely' if noisy else ''}")
    show(samples, programs.unit)
    good = [met(goal, samples, LOOSE if noisy else 1.0) for goal in GOALS[name]]
    return all([*good, *part.afterwards(setting)])


if __name__ == "__main__":
    sys.exit(main())
