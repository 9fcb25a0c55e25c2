"""What a source is, told from its content; the name is no proof."""

from __future__ import annotations

import re

from faultmaven_core.analysis.extract.passage import Passage

_DESCRIBED = re.compile(r"Name: +\S+")
_FIELD = re.compile(r"[A-Z][\w -]*: {2,}\S")


def kind_of(passage: Passage) -> str:
    """The kind of extractor that reads this passage."""
    head = passage.lines[:60]
    if any(_DESCRIBED.match(line) for line in head[:5]) and sum(bool(_FIELD.match(line)) for line in head) >= 3:
        return "kubectl_describe"
    return "log"
