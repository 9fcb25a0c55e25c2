"""Citations are checked against bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from faultmaven_core.analysis.claims.citations import Cited, Evidence, EvidenceFile, check, check_all
from faultmaven_core.analysis.record import Citation

CONTENT = b"first line\nsecond line is not fine\nthird line\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
EVIDENCE: Evidence = {DIGEST: EvidenceFile("app.log", CONTENT)}
SECOND = Citation("app.log", DIGEST, (11, 34), (2, 2), hashlib.sha256(CONTENT[11:34]).hexdigest())


def test_a_true_citation_gives_the_text_that_stands_there() -> None:
    """And its digests may name their algorithm, as other programs write them."""
    found = check(SECOND, EVIDENCE)
    assert isinstance(found, Cited)
    assert found.text == "second line is not fine"
    named = replace(SECOND, sha256=f"sha256:{DIGEST.upper()}", text_sha256=f"sha256:{SECOND.text_sha256}")
    assert isinstance(check(named, EVIDENCE), Cited)


def test_a_citation_of_part_of_a_line_knows_what_stands_around_it() -> None:
    """The rest of the line may turn the part round."""
    part = Citation("app.log", DIGEST, (30, 34), (2, 2), hashlib.sha256(b"fine").hexdigest())
    found = check(part, EVIDENCE)
    assert isinstance(found, Cited)
    assert (found.before, found.text, found.after) == ("second line is not ", "fine", "")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (replace(SECOND, sha256="0" * 64), "no file"),
        (replace(SECOND, bytes=(11, 11)), "not inside"),
        (replace(SECOND, bytes=(34, 11)), "not inside"),
        (replace(SECOND, bytes=(-3, 11)), "not inside"),
        (replace(SECOND, bytes=(11, 10**12)), "not inside"),
        (replace(SECOND, bytes=(12, 34)), "not what was cited"),
        (replace(SECOND, text_sha256="0" * 64), "not what was cited"),
        (replace(SECOND, lines=(1, 2)), "stand on lines 2 to 2"),
        (replace(SECOND, lines=(2, 3)), "stand on lines 2 to 2"),
    ],
)
def test_a_wrong_citation_is_refused_with_the_reason(wrong: Citation, reason: str) -> None:
    """Digest, range, words and line numbers each have to be right."""
    found = check(wrong, EVIDENCE)
    assert isinstance(found, str)
    assert reason in found


def test_no_citation_is_no_proof_and_one_wrong_among_many_spoils_all() -> None:
    """A claim is as true as the weakest line it names."""
    assert check_all([], EVIDENCE) == "nothing is cited"
    assert isinstance(check_all([SECOND, replace(SECOND, lines=(9, 9))], EVIDENCE), str)


def test_lines_are_counted_over_many_blocks() -> None:
    """A citation far inside of a big file is counted in pieces."""
    content = b"x" * 99 + b"\n"
    content *= 30_000
    digest = hashlib.sha256(content).hexdigest()
    start = 29_998 * 100
    cited = Citation("big.log", digest, (start, start + 99), (29_999, 29_999), hashlib.sha256(b"x" * 99).hexdigest())
    assert isinstance(check(cited, {digest: EvidenceFile("big.log", content)}), Cited)
