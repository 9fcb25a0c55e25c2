"""Lines of text of any form."""

from __future__ import annotations

from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Mode


def log(passage: Passage, out: Findings) -> None:
    """A fact per line that a signature matches."""
    for index, line in enumerate(passage.lines):
        out.facts.extend(out.tools.signatures.facts(out.origin, line, passage.span(index), Mode.LOG))
