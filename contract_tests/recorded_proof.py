"""The record that `fm neutrality` shows, beside what passes in this run: of the suites, and of files of tests that rows name."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from faultmaven.neutrality.model import File
from faultmaven.neutrality.rows import ROWS
from faultmaven.neutrality.verdicts import recorded
from faultmaven_contract_tests.record import OUTCOME

PROOF = Path(__file__).resolve().parents[1] / "shells/embedded/faultmaven/neutrality/proof.json"
FILES = {proof.file for row in ROWS for proof in row.proofs if isinstance(proof, File)}

WRITE = "FM_TEST_WRITE_PROOF"
"""Set to anything, the run is written down instead of compared."""


def is_whole(config: pytest.Config, folder: str) -> bool:
    """Whether everything below a folder runs. Fails where a part of it is to be written down."""
    whole = config.args in ([folder], config.getini("testpaths")) and not config.getoption("--backends")
    assert whole or not os.environ.get(WRITE), "Only a run of everything is a proof: `make proof`."
    return whole


def compare_or_keep(request: pytest.FixtureRequest, folder: str, contracts: Mapping[str, Any] | None = None) -> None:
    """What passed below a folder, and on which contracts: it equals the record, or takes its place there."""
    passed = _that_passed(request, folder)
    if os.environ.get(WRITE):
        keep(PROOF, folder, passed, contracts)
        return
    old = recorded()
    new = _renewed(old, folder, passed, contracts)
    # Another machine may bring another version of a server; that it ran there counts as well.
    assert _without_versions(new) == _without_versions(old), "The proof is stale: `make proof` renews it."


def keep(proof: Path, folder: str, passed: Mapping[str, int], contracts: Mapping[str, Any] | None) -> None:
    """Write down what passed below a folder. The rest of the run stands beside, and may be written at the same time."""
    with proof.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = json.dumps(_renewed(json.load(file), folder, passed, contracts), indent=1, sort_keys=True) + "\n"
        file.seek(0)
        file.write(text)
        file.truncate()


def _renewed(
    old: Mapping[str, Any], folder: str, passed: Mapping[str, int], contracts: Mapping[str, Any] | None
) -> dict[str, Any]:
    others = {file: number for file, number in old["tests"].items() if not file.startswith(f"{folder}/")}
    return {"contracts": old["contracts"] if contracts is None else contracts, "tests": {**others, **passed}}


def _that_passed(request: pytest.FixtureRequest, folder: str) -> dict[str, int]:
    """How many tests of each file that a row names; none of a file where one did not pass."""
    ended: dict[str, list[str]] = {}
    for item in request.session.items:
        file = item.nodeid.partition("::")[0]
        if file in FILES and file.startswith(f"{folder}/"):
            ended.setdefault(file, []).append(item.stash.get(OUTCOME, "not run"))
    return {file: len(outcomes) for file, outcomes in sorted(ended.items()) if set(outcomes) == {"passed"}}


def _without_versions(proof: Mapping[str, Any]) -> Any:
    return json.loads(re.sub(r'("server": "[^"]*")', lambda found: re.sub(r" \d+", "", found[1]), json.dumps(proof)))
