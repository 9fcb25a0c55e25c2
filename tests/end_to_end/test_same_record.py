"""Every recorded case of the data, in this process: one record whatever the order, and no bytes that break the analysis."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from faultmaven.composition.compute import tools
from faultmaven_core.analysis.analyse import analyse
from faultmaven_core.analysis.diagnose.conclude import Request
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.codec import encode

LARGEST = 1_000_000
"""Bytes of (packed) evidence up to which a case is analysed here several times; larger ones are left to `make eval`."""


@pytest.fixture(scope="module")
def cases(data: Path) -> dict[str, dict[str, bytes]]:
    """Evidence by file, of every case that comes with some."""
    folders = sorted(folder.parent for folder in (data / "cases").glob("*/*/evidence"))
    found = {
        f"{folder.parent.name}/{folder.name}": {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("evidence/*"))
            if file.is_file()
        }
        for folder in folders
    }
    small = {name: files for name, files in found.items() if sum(map(len, files.values())) <= LARGEST}
    assert len(small) >= 30
    return small


def record_of(files: dict[str, bytes], question: str = "What is wrong?") -> RcaRecord:
    """The record under a fixed id."""
    return analyse(files, Request("case_000000000000", question, "0"), tools())


def test_the_order_of_files_does_not_change_a_byte_of_the_record(cases: dict[str, dict[str, bytes]]) -> None:
    """Neither does analysing twice: nothing is drawn, timed, or left over from the run before."""
    for name, files in cases.items():
        backwards = dict(reversed(files.items()))
        assert encode(record_of(files)) == encode(record_of(backwards)), name


def test_every_citation_of_every_case_is_true(cases: dict[str, dict[str, bytes]]) -> None:
    """Digest, span and hash are recomputed here; packed files are cited by their content."""
    import gzip

    cited = 0
    for name, files in cases.items():
        contents = [gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data for data in files.values()]
        by_digest = {hashlib.sha256(content).hexdigest(): content for content in contents}
        for claim in record_of(files).claims:
            for citation in claim.citations:
                start, end = citation.bytes
                text = by_digest[citation.sha256][start:end]
                assert hashlib.sha256(text).hexdigest() == citation.text_sha256, name
                assert by_digest[citation.sha256][:start].count(b"\n") + 1 == citation.lines[0], name
                cited += 1
    assert cited > 100


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.97])
def test_files_cut_off_anywhere_still_give_a_record(cases: dict[str, dict[str, bytes]], keep: float) -> None:
    """A transfer that broke must cost what it lost, not the investigation."""
    for name, files in cases.items():
        cut = {file: data[: int(len(data) * keep)] for file, data in files.items()}
        record = record_of(cut)
        assert {coverage.file for coverage in record.coverage} >= set(cut), name


def test_damaged_bytes_still_give_a_record(cases: dict[str, dict[str, bytes]]) -> None:
    """Every 97th byte is replaced by one that is no text; structure breaks everywhere, also within archives."""
    for name, files in cases.items():
        damaged = {
            file: bytes(0xFF if at % 97 == 96 else b for at, b in enumerate(data)) for file, data in files.items()
        }
        assert {coverage.file for coverage in record_of(damaged).coverage} >= set(damaged), name
