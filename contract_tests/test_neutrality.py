"""What the product says of its own neutrality is what has just run."""

from __future__ import annotations

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
from recorded_proof import FILES, compare_or_keep, is_whole

PAGE = Path(__file__).resolve().parents[1] / "docs/neutrality.md"


def test_the_recorded_proof_of_the_suites_is_this_run(request: pytest.FixtureRequest) -> None:
    """A run of all of them must equal the record; one of a part can only be looked at as far as it goes."""
    if is_whole(request.config, "contract_tests"):
        compare_or_keep(request, "contract_tests", _contracts(request.config))


def test_the_page_shows_the_recorded_proof() -> None:
    """Generated; a stale one fails here."""
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
