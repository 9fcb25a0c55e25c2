"""What the product says of its own neutrality is what has just run."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from faultmaven.neutrality import Standing, verdicts
from faultmaven.neutrality.document import document
from faultmaven.neutrality.model import Contract
from faultmaven.neutrality.rows import ROWS
from faultmaven.neutrality.verdicts import recorded
from faultmaven_contract_tests.record import passed_clauses
from recorded_proof import FILES, STALE, files_recorded, files_that_passed

ROOT = Path(__file__).resolve().parents[1]
PROOF = ROOT / "shells/embedded/faultmaven/neutrality/proof.json"
PAGE = ROOT / "docs/neutrality.md"
WRITE = "FM_TEST_WRITE_PROOF"
"""Set to anything, the run is written down instead of compared."""


def test_the_recorded_proof_is_this_run(request: pytest.FixtureRequest) -> None:
    """A run of everything must equal the record; one of a part can only be looked at as far as it goes."""
    proof: dict[str, Any] = {"contracts": _contracts(request.config), "tests": files_that_passed(request)}
    arguments = request.config.args
    everything = arguments == request.config.getini("testpaths") and not request.config.getoption("--backends")
    if os.environ.get(WRITE):
        assert everything, "Only a run of all tests is a proof: run pytest without a selection."
        PROOF.write_text(json.dumps(proof, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return
    if everything or arguments == ["contract_tests"]:
        # Another machine may bring another version of a server; that it ran there counts as well.
        assert _without_versions(proof["contracts"]) == _without_versions(recorded()["contracts"]), STALE
        assert proof["tests"] == files_recorded("" if everything else "contract_tests/"), STALE


def test_the_page_shows_the_recorded_proof() -> None:
    """Generated; a stale one fails here."""
    if os.environ.get(WRITE):
        PAGE.write_text(document(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == document(), "`make proof` renews docs/neutrality.md."


def test_every_proof_that_a_row_names_has_run() -> None:
    """A row that names a suite or a file which is gone would look better than it is, or silently worse."""
    proof = recorded()
    for row in ROWS:
        for wanted in row.proofs:
            if isinstance(wanted, Contract):
                assert set(wanted.backends) <= set(proof["contracts"].get(wanted.port, {})), (
                    row.service,
                    row.dimension,
                )
            else:
                assert proof["tests"].get(wanted.file), (row.service, row.dimension, wanted.file)


def test_what_is_not_built_does_not_count() -> None:
    """Nor what ran against an emulator, nor what did not run at all."""
    empty: dict[str, Any] = {"contracts": {}, "tests": {}}
    assert {verdict.standing for verdict in verdicts(empty)} == {Standing.NOT_BUILT}
    (case,) = (row for row in ROWS if (row.service, row.dimension) == ("evidence", "storage"))
    on = {"clauses": 3, "inverted": 0, "known_gaps": 0}
    both = {"filesystem": {**on, "server": ""}, "s3": {**on, "server": "SeaweedFS 4"}}
    known = {"contracts": {"blobs": both}, "tests": dict.fromkeys(FILES, 1)}
    assert [v.standing for v in verdicts(known, [case])] == [Standing.PROVEN]
    both["s3"]["server"] = "S3 emulator"
    assert [v.standing for v in verdicts(known, [case])] == [Standing.EMULATED]
    del both["s3"]
    assert [v.standing for v in verdicts(known, [case])] == [Standing.PARTLY]


def _without_versions(proof: Any) -> Any:
    return json.loads(re.sub(r'("server": "[^"]*")', lambda found: re.sub(r" \d+", "", found[1]), json.dumps(proof)))


def _contracts(config: pytest.Config) -> dict[str, dict[str, Any]]:
    return {
        port: {
            backend: {
                "clauses": len(proof["clauses"]),
                "inverted": len(proof["inverted"]),
                "known_gaps": len(proof["known_gaps"]),
                # The major version: minor ones differ between machines and prove the same.
                "server": re.sub(r"(\d+)(\.\d+)+", r"\1", proof["server"]),
            }
            for backend, proof in backends.items()
        }
        for port, backends in passed_clauses(config).items()
    }
