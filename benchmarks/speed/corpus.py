"""A large log from the real ones: all raw logs by name of their system, again and again up to the wanted size."""

from __future__ import annotations

from pathlib import Path


def write_log(data: Path, target: Path, size: int) -> int:
    """Write at least `size` bytes, whole lines; the number of repetitions. Lines repeat: this is for speed, never for quality."""
    logs = sorted(data.glob("logs/loghub_2k/*/*_2k.log"))
    if not logs:
        raise SystemExit(
            f"No raw logs under {data}/logs/loghub_2k: name the folder of test data with --data or FM_TEST_DATA."
        )
    block = b"".join(path.read_bytes().rstrip(b"\r\n") + b"\n" for path in logs)
    times = -(-size // len(block))
    with target.open("wb") as out:
        for _ in range(times):
            out.write(block)
    return times
