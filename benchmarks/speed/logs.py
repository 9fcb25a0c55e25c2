"""Reading logs: signatures beside grep, templates beside a miner, starting beside a bare interpreter, and memory."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.speed.corpus import write_log
from benchmarks.speed.log_work import WORK
from benchmarks.speed.measure import run
from benchmarks.speed.rounds import MEBIBYTE, Part, Program, Programs, Setting, judged
from faultmaven_core.analysis.signals.signatures import signatures

MAX_GROWTH = 1.1
MAX_PEAK = 160 * MEBIBYTE


@contextmanager
def programs(setting: Setting) -> Iterator[Programs]:
    """Each reads the same log; the units are its megabytes."""
    rg = shutil.which("rg")
    if rg is None:
        raise SystemExit("ripgrep (`rg`) is not installed; it is the peer of the pattern scan.")
    log, patterns = setting.folder / "log", setting.folder / "patterns"
    repeats = write_log(setting.data, log, setting.mb * MEBIBYTE)
    patterns.write_text("".join(f"{signature.pattern}\n" for signature in signatures()), encoding="ascii")
    megabytes = log.stat().st_size / 1e6
    print(f"log: {megabytes:.0f} MB, {repeats} repetitions; patterns: {len(signatures())}")
    yield Programs(
        {
            "bare": Program([sys.executable, "-c", "pass"], 1),
            "fm": Program([str(Path(sys.executable).with_name("fm")), "--help"], 1),
            "wc": Program(["wc", "-l", str(log)], megabytes),
            "rg": Program([rg, "-a", "-c", "-f", str(patterns), str(log)], megabytes),
            **{name: Program(_work(name, log)) for name in WORK},
        },
        "MB (starts)",
    )


def memory(setting: Setting) -> Sequence[bool]:
    """A log of many times the size needs no more memory."""
    log, large_log = setting.folder / "log", setting.folder / "large"
    small = run(_work("full", log))
    write_log(setting.data, large_log, setting.large_mb * MEBIBYTE)
    large = run(_work("full", large_log))
    print(f"{large_log.stat().st_size / 1e9:.2f} GB in one process: {large.wall:.1f} s wall, {large.cpu:.1f} s CPU")
    print(f"peak memory: {small.peak / MEBIBYTE:.0f} MiB, of the large log {large.peak / MEBIBYTE:.0f} MiB")
    return [
        judged("peak memory, large / small", [large.peak / small.peak], most=MAX_GROWTH),
        judged("peak memory, MiB", [large.peak / MEBIBYTE], most=MAX_PEAK / MEBIBYTE),
    ]


def _work(name: str, log: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.speed.log_work", name, str(log)]


PART = Part(programs, memory)
