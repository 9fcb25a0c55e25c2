"""`python -m benchmarks.speed`: rounds of all programs in turn, medians of the ratios within a round, goals.

CPU time decides, since it moves least with what else runs. A round in which others took more than half a core is
repeated (three times at most); if it stays so the run is noisy, which is said, and goals are held loosely.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

from benchmarks.speed.corpus import write_log
from benchmarks.speed.measure import Cost, run
from benchmarks.speed.work import WORK
from faultmaven_core.analysis.signals.signatures import signatures

ROUNDS = 5
NOISE = 0.5
"""Cores that others may keep busy in a round that counts."""
LOOSE = 1.5
"""Factor by which a goal is held loosely in a noisy run."""
MEBIBYTE = 1 << 20
GOALS: dict[str, tuple[str, str, float]] = {
    "pattern scan / rg": ("scan", "rg", 0.55),
    "full pass / rg": ("full", "rg", 0.10),
    "sampled pass / rg": ("fast", "rg", 0.35),
    "template mining / drain3": ("templates", "drain", 8.0),
}
MAX_START = 6.0
"""`fm --help` in CPU times of a bare interpreter."""
MAX_GROWTH = 1.1
MAX_PEAK = 160 * MEBIBYTE


def main() -> int:
    """Measure, print, and answer whether all goals are met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    default = Path(os.environ.get("FM_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--data", type=Path, default=default, help="folder of test data (FM_TEST_DATA)")
    parser.add_argument("--mb", type=int, default=64, help="size of the log in MiB")
    parser.add_argument("--large-mb", type=int, default=1024, help="size of the large log for memory in MiB")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fm-speed-") as folder:
        return _measure(Path(folder), chosen.data, chosen.mb, chosen.large_mb, chosen.rounds)


def _measure(folder: Path, data: Path, mb: int, large_mb: int, rounds: int) -> int:
    log, patterns = folder / "log", folder / "patterns"
    repeats = write_log(data, log, mb * MEBIBYTE)
    patterns.write_text("".join(f"{signature.pattern}\n" for signature in signatures()), encoding="ascii")
    print(f"log: {log.stat().st_size / 1e6:.0f} MB, {repeats} repetitions; patterns: {len(signatures())}")
    rates, starts, noisy = _rounds(log, patterns, rounds)
    slack = LOOSE if noisy else 1.0
    print(f"rounds: {rounds}{', noisy: goals held loosely' if noisy else ''}")
    for name in sorted(rates):
        print(f"{name:12} {median(rates[name]):8.0f} MB per CPU-second [{min(rates[name]):.0f}-{max(rates[name]):.0f}]")
    good = [
        _goal(name, [a / b for a, b in zip(rates[own], rates[peer], strict=True)], goal / slack)
        for name, (own, peer, goal) in GOALS.items()
    ]
    good.append(_goal("fm --help / python -c pass", starts, MAX_START * slack, most=True))
    good += _memory(folder, data, log, large_mb)
    return 0 if all(good) else 1


def _goal(name: str, ratios: list[float], goal: float, *, most: bool = False) -> bool:
    value = median(ratios)
    met = value <= goal if most else value >= goal
    sign = "<=" if most else ">="
    print(
        f"{'ok  ' if met else 'MISS'} {name}: {value:.2f} [{min(ratios):.2f}-{max(ratios):.2f}], goal {sign} {goal:.2f}"
    )
    return met


def _rounds(log: Path, patterns: Path, rounds: int) -> tuple[dict[str, list[float]], list[float], bool]:
    rates: dict[str, list[float]] = defaultdict(list)
    starts: list[float] = []
    noisy = False
    for _ in range(rounds):
        for attempt in range(4):
            costs = _round(log, patterns)
            foreign = max(cost.foreign for cost in costs.values())
            if foreign <= NOISE:
                break
            noisy = noisy or attempt == 3
        print(f"  round: others took up to {foreign:.2f} cores")
        starts.append(costs["fm"].cpu / costs["bare"].cpu)
        for name, cost in costs.items():
            if name in WORK:
                told = json.loads(cost.output)
                rates[name].append(told["bytes"] / 1e6 / told["cpu"])
            elif name in {"rg", "wc"}:
                rates[name].append(log.stat().st_size / 1e6 / cost.cpu)
    return rates, starts, noisy


def _round(log: Path, patterns: Path) -> dict[str, Cost]:
    found = shutil.which("rg")
    if found is None:
        raise SystemExit("ripgrep (`rg`) is not installed; it is the peer of the pattern scan.")
    commands = {
        "bare": [sys.executable, "-c", "pass"],
        "fm": [str(Path(sys.executable).with_name("fm")), "--help"],
        "wc": ["wc", "-l", str(log)],
        "rg": [found, "-a", "-c", "-f", str(patterns), str(log)],
        **{name: _work(name, log) for name in WORK},
    }
    return {name: run(command) for name, command in commands.items()}


def _work(name: str, log: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.speed.work", name, str(log)]


def _memory(folder: Path, data: Path, log: Path, large_mb: int) -> list[bool]:
    small = run(_work("full", log))
    large_log = folder / "large"
    write_log(data, large_log, large_mb * MEBIBYTE)
    large = run(_work("full", large_log))
    print(f"{large_log.stat().st_size / 1e9:.2f} GB in one process: {large.wall:.1f} s wall, {large.cpu:.1f} s CPU")
    print(f"peak memory: {small.peak / MEBIBYTE:.0f} MiB, of the large log {large.peak / MEBIBYTE:.0f} MiB")
    return [
        _goal("peak memory, large / small", [large.peak / small.peak], MAX_GROWTH, most=True),
        _goal("peak memory, MiB", [large.peak / MEBIBYTE], MAX_PEAK / MEBIBYTE, most=True),
    ]


if __name__ == "__main__":
    sys.exit(main())
