"""What the rows of neutrality name beside suites: files of tests, in the record and in this run."""

from __future__ import annotations

import pytest

from faultmaven.neutrality.model import File
from faultmaven.neutrality.rows import ROWS
from faultmaven.neutrality.verdicts import recorded
from faultmaven_contract_tests.record import OUTCOME

STALE = "The proof is stale: `make proof` renews it and docs/neutrality.md."
FILES = {proof.file for row in ROWS for proof in row.proofs if isinstance(proof, File)}


def files_that_passed(request: pytest.FixtureRequest) -> dict[str, int]:
    """How many tests of each file passed; none of a file where one did not."""
    ended: dict[str, list[str]] = {}
    for item in request.session.items:
        file = item.nodeid.partition("::")[0]
        if file in FILES:
            ended.setdefault(file, []).append(item.stash.get(OUTCOME, "not run"))
    return {file: len(outcomes) for file, outcomes in sorted(ended.items()) if set(outcomes) == {"passed"}}


def files_recorded(folder: str) -> dict[str, int]:
    """The same of the record, for the files below a folder."""
    return {file: number for file, number in recorded()["tests"].items() if file.startswith(folder)}
