"""The sample incidents, diagnosed as the README says."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
CAUSES = {
    "database-writes": ("database", "billing-prod", "resource_exhaustion", "storage"),
    "failed-job": ("job", "get-data", "configuration_error", "kldsvklnsdiogjerkngernjk23432i90erfefjio.com"),
}
"""Folder -> kind and name of what broke, category, and a word of the statement."""


def run(*command: str | Path, home: Path) -> str:
    """Standard output of a command that must succeed, run in the root with a home and a store of its own."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=sorted(CAUSES))
def incident(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """A sample's name and the record that `fm` prints for it."""
    evidence = EXAMPLES / request.param / "evidence"
    question = (EXAMPLES / request.param / "question.txt").read_text().strip()
    home = tmp_path_factory.mktemp("home")
    printed = run("fm", "investigate", evidence, "--question", question, "--format", "json", home=home)
    return request.param, json.loads(printed)


def test_the_cause_is_right(incident: tuple[str, dict[str, Any]]) -> None:
    """Not the loudest message, but what it follows from."""
    name, record = incident
    _, _, category, word = CAUSES[name]
    assert record["verdict"] in {"probable", "suspected"}
    cause = record["root_cause"]
    assert CAUSES[name][1] in cause["entity"]["name"]
    assert cause["category"] == category
    assert word in cause["statement"]
    assert cause["confirm"]["command"]
    assert cause["refute"]["expect"]


def test_every_citation_is_true(incident: tuple[str, dict[str, Any]]) -> None:
    """Digest, bytes and hash are recomputed here, by other code than the product's."""
    name, record = incident
    files = {
        hashlib.sha256(file.read_bytes()).hexdigest(): file.read_bytes()
        for file in (EXAMPLES / name / "evidence").iterdir()
    }
    citations = [citation for claim in record["claims"] for citation in claim["citations"]]
    assert citations
    for citation in citations:
        start, end = citation["bytes"]
        text = files[citation["sha256"]][start:end]
        assert text.strip()
        assert hashlib.sha256(text).hexdigest() == citation["text_sha256"]
        before = files[citation["sha256"]][:start].count(b"\n")
        assert citation["lines"][0] == before + 1


def test_the_demo_prints_the_cause_with_its_proof_and_writes_the_report(tmp_path: Path) -> None:
    """What `make demo` runs once the package is installed."""
    report = tmp_path / "report.html"
    printed = run("tools/demo", report, home=tmp_path)
    assert "billing-prod" in printed
    assert "storage" in printed
    assert "aws_rds_events.json:" in printed
    html = report.read_text()
    assert html.lower().startswith("<!doctype html>")
    assert "ran out of storage space" in html


def test_the_embedded_example_prints_the_cause_and_its_lines(tmp_path: Path) -> None:
    """The program that the README shows."""
    printed = run(sys.executable, "examples/embedded.py", home=tmp_path)
    assert "could not be resolved" in printed or "DNS" in printed
    assert "kubectl_logs_get-data-mldtn_default.txt:" in printed


def test_the_same_evidence_given_to_a_case_again_changes_nothing_of_the_cause(tmp_path: Path) -> None:
    """Resuming is typed like starting: the same paths, once by reference and once as a copy."""
    evidence = EXAMPLES / "failed-job" / "evidence"
    first = json.loads(run("fm", "investigate", evidence, "--json", "--home", tmp_path, home=tmp_path))
    again = ["fm", "investigate", evidence, "--copy", "--json", "--home", tmp_path, "--case", first["case_id"]]
    second = json.loads(run(*again, home=tmp_path))
    assert second["case_id"] == first["case_id"]
    assert second["root_cause"] == first["root_cause"]
