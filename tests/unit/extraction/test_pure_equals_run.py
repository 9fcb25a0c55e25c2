"""The pure call over bytes and a run over files say the same of the same content."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from faultmaven.composition.compute import tools
from faultmaven_adapters.extraction.in_process import InProcessExtractionRunner
from faultmaven_adapters.extraction.processes import ProcessExtractionRunner
from faultmaven_core.analysis.analyse import extract_all
from faultmaven_core.ports.extraction_runner import Extracted, ExtractionRunner, Input

LINES = b"".join(
    b"2026-11-22T10:%02d:%02dZ ERROR worker %d: connection refused by db-1:5432\n" % (i // 60 % 60, i % 60, i)
    for i in range(2_000)
)


def evidence() -> dict[str, bytes]:
    """Whole and segmented logs, a container, a list, a wrapper, something unreadable."""
    return {
        "big.log": LINES * 130,  # over 8 MiB: read in segments
        "packed.log.gz": gzip.compress(LINES),
        "recorded.txt": b"Command `kubectl logs web-0 -n shop` failed with return code 1\nstdout:\n\nstderr:\nError: pod not found\n",
        "settings.yaml": b"server:\n  port: 8080\n  host: db-1\n",
        "sources.json": b'[{"file": "settings.yaml", "tool": "cat"}]',
        "x.bin": bytes(range(256)),
    }


@pytest.mark.parametrize("made_in", ["this process", "children"])
async def test_extractions_are_equal_value_for_value(made_in: str, tmp_path: Path) -> None:
    """So the record is the same byte for byte, whichever way a program goes."""
    files = evidence()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    runner: ExtractionRunner = InProcessExtractionRunner(tools())
    if made_in == "children":
        runner = ProcessExtractionRunner("faultmaven.composition.compute:tools", 2)
    async with runner.run([Input(name, str(tmp_path / name)) for name in files]) as run:
        found = [event.extraction async for event in run if isinstance(event, Extracted)]
        pure, read = extract_all(files, tools())
        for extraction in pure:
            for fact in extraction.facts[:5]:
                assert read(fact.spans[0]) == run.read(fact.spans[0])
    assert found == pure
    assert pure[0].source.lines == 2_000 * 130
    assert sum(bool(extraction.facts) for extraction in pure) >= 3
