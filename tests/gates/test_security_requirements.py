"""Each security requirement has a test that holds it, or says in the open that it has none yet."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ([A-Z]-\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEST = re.compile(r"`((?:tests|contract_tests)/[\w/]+\.py)(?:::(\w+))?`")
NOT_YET = "not yet: "

REQUIRED = {
    *(f"A-{n}" for n in range(1, 9)),
    *(f"T-{n}" for n in range(1, 14)),
    *(f"S-{n}" for n in (2, 3, 5, 6, 7, 8)),
    *(f"N-{n}" for n in range(1, 10)),
    *(f"G-{n}" for n in (1, 2, 4, 5, 6, 7, 8, 9, 14, 15, 16, 18)),
    *(f"U-{n}" for n in range(1, 7)),
    *(f"O-{n}" for n in range(1, 9)),
}


def rows() -> dict[str, str]:
    """Requirement to what holds it, as docs/security.md says."""
    found = ROW.findall((ROOT / "docs" / "security.md").read_text())
    assert len({name for name, _, _ in found}) == len(found), "a requirement stands there twice"
    return {name: held for name, _, held in found}


def test_every_requirement_stands_in_the_table() -> None:
    """None is forgotten, and none is invented."""
    assert set(rows()) == REQUIRED


def test_every_requirement_has_tests_that_are_there_or_says_that_it_has_none() -> None:
    """A test that was renamed or removed leaves its requirement bare."""
    wrong = {}
    for name, held in rows().items():
        tests = TEST.findall(held)
        missing = [f"{file}::{test}" for file, test in tests if not _is_there(file, test)]
        if missing or not (tests or held.startswith(NOT_YET)):
            wrong[name] = missing or held
    assert wrong == {}


def _is_there(file: str, test: str) -> bool:
    path = ROOT / file
    return path.is_file() and (not test or re.search(rf"def {test}\b", path.read_text()) is not None)
