"""Samples of log templates stand where they say, also in a section in the middle of a transcript."""

from __future__ import annotations

from faultmaven_core.analysis.analyse import extract_all
from faultmaven_core.analysis.extract.tools import Tools

TRANSCRIPT = b"""Command `kubectl logs web -n shop` failed with return code 1
stdout:

stderr:
Error from server (BadRequest): container "web" in pod "web" is waiting to start: PodInitializing
"""


def test_the_sample_of_a_section_is_placed_in_the_whole_file(tools: Tools) -> None:
    """A claim cites it by bytes and line of the file, not of the section."""
    found, _ = extract_all({"transcript.txt": TRANSCRIPT}, tools)
    samples = [s for extraction in found for template in extraction.logs for s in template.samples]
    assert samples
    for sample in samples:
        assert TRANSCRIPT[sample.start : sample.end].decode() == sample.text
        assert TRANSCRIPT.count(b"\n", 0, sample.start) + 1 == sample.line
