"""The template of every single line, for those who want to see or measure the grouping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from faultmaven_core.analysis.extract.log_blocks import blocks, sample_lines
from faultmaven_core.analysis.extract.log_format import learn
from faultmaven_core.analysis.extract.log_templates import template_id
from faultmaven_core.analysis.extract.template_merge import merge
from faultmaven_core.analysis.extract.template_miner import TemplateMiner


def template_of_lines(stream: BinaryIO) -> Iterator[tuple[int, str, str]]:
    """(line from 1, template id, template) of every line of a seekable stream, which is read twice.

    The first reading meets all messages, since which words vary is known at the end only.
    """
    miner = TemplateMiner(learn(sample_lines(stream)))
    size = stream.seek(0, 2)
    for _ in _numbers(stream, size, miner):
        pass
    texts = merge(miner.signatures)
    known = [(template_id(texts[signature]), texts[signature]) for signature in miner.signatures]
    for line, number in enumerate(_numbers(stream, size, miner), start=1):
        yield (line, *known[number])


def _numbers(stream: BinaryIO, size: int, miner: TemplateMiner) -> Iterator[int]:
    for _, data, begins in blocks(stream, 0, size):
        if begins:
            lines = data.split(b"\n")
            if lines[-1] == b"":
                lines.pop()
            yield from miner.mine(data, lines)
