"""Settings in YAML, INI and environment form, as facts of the file that holds them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven_core.analysis.extract.json_documents import READERS
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Mode

MAX_SETTINGS = 5_000
"""Settings taken from one file; the rest is said to be left out."""

_SECTION = re.compile(r"\s*\[{1,2}\s*(?P<name>[^\]]+?)\s*\]{1,2}\s*")
_PAIR = re.compile(r"\s*(?:export\s+)?(?P<key>[A-Za-z_][\w.-]*)\s*=\s*(?P<value>.*?)\s*")


def read_settings(passage: Passage, out: Findings) -> None:
    """A fact `data.<path>` per value, as of any other document; YAML in a known shape is what that shape says it is."""
    pairs = list(_pairs(passage))
    for path, value, line in pairs[:MAX_SETTINGS]:
        out.fact(out.origin, f"data.{path}", value, passage.span(line), Mode.SPEC)
    if len(pairs) > MAX_SETTINGS:
        out.problems.append(
            f"{out.origin.name} holds {len(pairs):,} settings; only the first {MAX_SETTINGS:,} were read. Split the file."
        )
    if not pairs:
        for document in out.tools.structured.parse(passage.text):
            any(reader(document, passage, out) for reader in READERS)


def _pairs(passage: Passage) -> Iterator[tuple[str, str, int]]:
    section = ""
    for index, line in enumerate(passage.lines):
        if match := _SECTION.fullmatch(line):
            section = f"{match['name']}."
        elif match := _PAIR.fullmatch(line):
            yield f"{section}{match['key']}", match["value"].strip("\"'"), index
