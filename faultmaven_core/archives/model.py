"""A case as one archive: what stands in it, under which names, and which digests prove it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from faultmaven_core.evidence.model import Evidence

FORMAT = "faultmaven-case/1"
"""Of a later format only another name is told; nothing of it is guessed."""

MANIFEST = "manifest.json"
CASE, JOURNAL, CONVERSATION = "case.json", "journal.jsonl", "conversation.jsonl"
EVIDENCE = "evidence.jsonl"
RECORD, EXHIBITS, REPORT = "record.json", "exhibits.json", "report.md"

ALWAYS = (CASE, JOURNAL, CONVERSATION, EVIDENCE)
"""Parts that every archive has; the others only that of a case with a record."""
WITH_RECORD = (RECORD, EXHIBITS, REPORT)

_FILE = re.compile(r"evidence/\d{5}/[^/\\]{1,255}")


@dataclass(frozen=True, slots=True)
class Part:
    """A member of the archive, with the size and the SHA-256 of its content."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Stands last in the archive, and names all that stands before it.

    `case_id` and `organization` are those of the case that was exported, `journal` is the digest of its journal's last
    entry, `version` is that of the program.
    """

    format: str
    case_id: str
    organization: str
    exported_at: datetime
    exported_by: str
    version: str
    journal: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ArchivedEvidence:
    """A piece of evidence, without its place. `path` is that of its content in the archive, "" where there is none.

    Why there is none says the evidence's `problem`.
    """

    path: str
    item: Evidence


def is_name_of_a_file(path: str) -> bool:
    """Whether this is what the content of evidence is called: it leads nowhere else."""
    return _FILE.fullmatch(path) is not None and not path.endswith(("/.", "/.."))
