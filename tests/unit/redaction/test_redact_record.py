"""A whole record without its secrets: still a record, still true."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from faultmaven.composition.compute import tools as composed
from faultmaven_core.analysis.analyse import analyse
from faultmaven_core.analysis.claims.citations import EvidenceFile
from faultmaven_core.analysis.claims.verify import Status, verify
from faultmaven_core.analysis.diagnose.conclude import Request
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.analysis.redaction.redact_record import redact_record
from faultmaven_core.analysis.redaction.redactor import Redactor
from faultmaven_core.analysis.schema.record_schema import record_schema
from faultmaven_core.codec import encode

SECRET = "Xk82hfs7QpLm"
LOG = f"""2026-03-01T10:00:01Z INFO starting as ops@example.org
2026-03-01T10:00:02Z ERROR cannot connect to postgres://shop:{SECRET}@orders-db:5432/shop: connection refused
2026-03-01T10:00:03Z ERROR cannot connect to postgres://shop:{SECRET}@orders-db:5432/shop: connection refused
""".encode()


@pytest.fixture(scope="module")
def record() -> RcaRecord:
    """Of a log that shows a password with its error."""
    return analyse({"app.log": LOG}, Request("case_1", f"Is {SECRET} wrong? Ask ops@example.org", "0"), composed())


def test_no_secret_is_left_anywhere(record: RcaRecord) -> None:
    """Also where nothing announces it: the question names it bare."""
    assert SECRET in encode(record).decode()
    masked = encode(redact_record(record, Redactor())).decode()
    assert SECRET not in masked
    assert "ops@example.org" not in masked
    assert "[redacted:password:" in masked


def test_a_redacted_record_is_a_record_and_its_claims_still_verify(record: RcaRecord) -> None:
    """Whoever has the evidence can check it; nobody else learns the password."""
    masked = redact_record(record, Redactor())
    jsonschema.validate(json.loads(encode(masked)), record_schema(), cls=jsonschema.Draft202012Validator)
    assert masked.claims
    evidence = {record.coverage[0].sha256: EvidenceFile("app.log", LOG)}
    for claim in masked.claims:
        if claim.kind != "inferred":
            assert verify(claim.text, claim.citations, evidence, claim.kind).status is Status.VERIFIED


def test_what_joins_the_parts_stays(record: RcaRecord) -> None:
    """Ids, digests, spans, files and closed words are as before."""

    def skeleton(one: RcaRecord) -> list[Any]:
        return [one.case_id, one.verdict, one.schema, *((c.id, c.kind, c.status, c.citations) for c in one.claims)]

    assert skeleton(redact_record(record, Redactor())) == skeleton(record)


def test_a_record_without_secrets_is_not_changed(record: RcaRecord) -> None:
    """Redaction costs nothing where there is nothing to hide."""
    clean = analyse(
        {"app.log": b"2026-03-01T10:00:02Z ERROR connection refused by orders-db:5432\n"},
        Request("c", "", "0"),
        composed(),
    )
    assert redact_record(clean, Redactor()) == clean
    assert redact_record(replace(clean, question="mail a@example.org"), Redactor()) != clean
