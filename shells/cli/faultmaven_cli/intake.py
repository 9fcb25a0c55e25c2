"""Paths as people give them, into a case."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from faultmaven import FaultMaven
    from faultmaven_core.evidence.commands import EvidenceAdded, EvidenceView

STDIN = "-"
_BLOCK = 1 << 20


async def give(
    fm: FaultMaven,
    case_id: str,
    paths: Sequence[str],
    *,
    role: str = "incident",
    copy: bool = False,
    stdin: IO[bytes] | None = None,
) -> EvidenceAdded:
    """Add paths to a case; `-` is standard input (`stdin` where the caller has it spooled already)."""
    from faultmaven_core.evidence.commands import AddContent, AddEvidence, EvidenceAdded

    items: list[EvidenceView] = []
    problems: list[str] = []
    for path in paths:
        if path == STDIN:
            content = stdin or spooled_stdin()
            items.append(await fm.evidence.add_content(AddContent(case_id, "stdin", role), blocks(content), fm.caller))
        else:
            added = await fm.evidence.add(AddEvidence(case_id, path, role, copy), fm.caller)
            items += added.items
            problems += added.problems
    return EvidenceAdded(tuple(items), tuple(problems))


def spooled_stdin() -> IO[bytes]:
    """Standard input to its end, in a nameless file: a pipe may be slow, and Ctrl-C must work while we wait for it.

    Raises InvalidInputError where standard input is a terminal: nobody is piping anything.
    """
    from faultmaven_core.shared.errors import InvalidInputError

    if sys.stdin.isatty():
        raise InvalidInputError("- reads standard input, but that is your terminal; pipe something into fm.")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process, or by the garbage collector
    shutil.copyfileobj(sys.stdin.buffer, file, _BLOCK)
    file.seek(0)
    return file


def missing(paths: Sequence[str]) -> str:
    """The first path that does not exist; empty where all do."""
    return next(
        (path for path in paths if path != STDIN and not Path(path).exists() and not Path(path).is_symlink()), ""
    )


async def blocks(file: IO[bytes]) -> AsyncIterator[bytes]:
    """A file's content, to its end and closed then."""
    while block := file.read(_BLOCK):
        yield block
    file.close()
