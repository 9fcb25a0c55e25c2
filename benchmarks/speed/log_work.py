"""One piece of work on one log, in a process of its own: `python -m benchmarks.speed.log_work WORK FILE`.

Compiling patterns is part of the work; what starting costs is a case of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import BinaryIO

from benchmarks.speed.measure import timed

PEER_SHARE = 1 / 32
"""Of the file that the slow peer reads; its rate does not depend on it."""


Job = Callable[[], int]
"""The work to be timed; its answer is the number of bytes done."""


def scan(stream: BinaryIO, size: int) -> Job:
    """All signatures, all lines."""
    from faultmaven.composition.compute import pattern_scanner
    from faultmaven_core.analysis.extract.log_blocks import blocks
    from faultmaven_core.analysis.signals.signatures import SignatureScan

    scanner = pattern_scanner()

    def job() -> int:
        chosen = SignatureScan(scanner).scan
        for _, data, _ in blocks(stream, 0, size):
            chosen.hits(data)
        return size

    return job


def templates(stream: BinaryIO, size: int) -> Job:
    """The template of every line, by the miner and the settings whose grouping is scored."""
    from faultmaven_core.analysis.extract.log_blocks import blocks, sample_lines
    from faultmaven_core.analysis.extract.log_format import learn
    from faultmaven_core.analysis.extract.template_merge import merge
    from faultmaven_core.analysis.extract.template_miner import TemplateMiner

    def job() -> int:
        miner = TemplateMiner(learn(sample_lines(stream)))
        for _, data, _ in blocks(stream, 0, size):
            miner.mine(data, data.removesuffix(b"\n").split(b"\n"))
        merge(miner.signatures)
        return size

    return job


def drain(stream: BinaryIO, size: int) -> Job:
    """The peer: drain3 with the three masks that its documentation gives, on the first part of the file."""
    from drain3 import TemplateMiner
    from drain3.masking import MaskingInstruction
    from drain3.template_miner_config import TemplateMinerConfig

    before, after = r"((?<=[^A-Za-z0-9])|^)", r"((?=[^A-Za-z0-9])|$)"
    config = TemplateMinerConfig()
    config.masking_instructions = [
        MaskingInstruction(rf"{before}(\d{{1,3}}\.\d{{1,3}}\.\d{{1,3}}\.\d{{1,3}}){after}", "IP"),
        MaskingInstruction(rf"{before}(0x[a-fA-F0-9]+){after}", "HEX"),
        MaskingInstruction(rf"{before}([\-\+]?\d+){after}", "NUM"),
    ]
    miner = TemplateMiner(config=config)

    def job() -> int:
        part = stream.read(int(size * PEER_SHARE))
        part = part[: part.rfind(b"\n")]
        for line in part.decode("utf-8", "replace").split("\n"):
            miner.add_log_message(line)
        return len(part)

    return job


def full(stream: BinaryIO, size: int) -> Job:
    """Signatures, templates, moments, facts."""
    return _pass(stream, size, fast=False)


def fast(stream: BinaryIO, size: int) -> Job:
    """The same with templates of one block in eight."""
    return _pass(stream, size, fast=True)


def _pass(stream: BinaryIO, size: int, *, fast: bool) -> Job:
    from faultmaven.composition.compute import pattern_scanner
    from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText
    from faultmaven_core.analysis.extract.log import finish_log
    from faultmaven_core.analysis.extract.log_pass import read_log_segment, segments_of
    from faultmaven_core.analysis.extract.log_summary import merge
    from faultmaven_core.analysis.extract.tools import Tools
    from faultmaven_core.analysis.model import Entity
    from faultmaven_core.analysis.signals.signatures import SignatureScan

    scanner = pattern_scanner()

    def job() -> int:
        kit = Tools(PyYamlStructuredText(), SignatureScan(scanner))
        parts = (read_log_segment(stream, start, end, kit, fast=fast) for start, end in segments_of(size))
        finish_log(reduce(merge, parts), Entity("source", "log"), "", kit)
        return size

    return job


WORK: dict[str, Callable[[BinaryIO, int], Job]] = {work.__name__: work for work in (scan, templates, drain, full, fast)}


def main() -> None:
    """Do the work that the arguments name."""
    name, file = sys.argv[1:]
    with Path(file).open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        job = WORK[name](stream, size)
        timed(lambda: job() / 1e6)


if __name__ == "__main__":
    main()
