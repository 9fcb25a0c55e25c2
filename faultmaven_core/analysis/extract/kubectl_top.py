"""`kubectl top pods|nodes`: use of CPU in cores and of memory in bytes at one moment."""

from __future__ import annotations

import re

from faultmaven_core.analysis.extract.kubectl_table import Header
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.graph.kubernetes_quantity import quantity
from faultmaven_core.analysis.model import Entity, Mode

_HEADER = re.compile(r"(?:NAMESPACE\s+)?(?:POD\s+)?NAME\s+CPU\(cores\)\s+.*MEMORY\(bytes\).*")


def top(passage: Passage, out: Findings) -> None:
    """Facts `usage.cpu` and `usage.memory` (per container `usage.<container>.cpu`) of pods or nodes."""
    header: Header | None = None
    for index, line in enumerate(passage.lines):
        if _HEADER.fullmatch(line.rstrip()):
            header = Header.of(line)
        elif header is not None and line.strip():
            _row(header, index, passage, out)


def _row(header: Header, index: int, passage: Passage, out: Findings) -> None:
    row = header.row(passage.lines[index])
    if row is None:
        return
    nodes = any("%" in name for name in header.names)
    name = row.get("POD") or row["NAME"]
    entity = Entity("node" if nodes else "pod", name, row.get("NAMESPACE", ""))
    prefix = f"usage.{row['NAME']}" if "POD" in row else "usage"
    for column, what in (("CPU(cores)", "cpu"), ("MEMORY(bytes)", "memory")):
        used = quantity(row.get(column, ""))
        if used is not None:
            out.fact(entity, f"{prefix}.{what}", used, passage.span(index), Mode.METRIC)
