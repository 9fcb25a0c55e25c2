"""What is known already, as `fm investigate` and `fm report` show it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Fm = Callable[..., subprocess.CompletedProcess[str]]

RUNBOOK = """---
status: verified
---
# Containers killed for memory

A container that reaches its memory limit is OOMKilled: exit code 137, `OOMKilled` as the reason, and restarts.

## Mitigation

Raise the memory limit of the container above its working set, or find the leak. Ask team-payments@example.com.
"""
OTHER = """# Certificates that expire

## Mitigation

Renew the certificate with the issuer before it expires.
"""


@pytest.fixture
def runbooks(fm: Fm, tmp_path: Path) -> Path:
    """Two runbooks that are in the knowledge base, of which one is about the evidence."""
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "oom.md").write_text(RUNBOOK)
    (folder / "certificates.md").write_text(OTHER)
    done = fm("knowledge", "sync", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.usefixtures("runbooks")
def test_the_cause_is_told_with_the_runbook_for_it(fm: Fm, evidence: Path) -> None:
    """On the first screen, in every report, and in JSON with the place and the reason; the other runbook is not cited."""
    done = fm("investigate", evidence, "--question", "Why does web-0 restart?", "--json")
    assert done.returncode == 0, done.stderr
    guidance = json.loads(done.stdout)["guidance"]
    assert guidance["documents"] == 2
    assert {cited["title"] for cited in guidance["runbooks"]} == {"Containers killed for memory"}
    (cited,) = guidance["runbooks"]
    assert cited["because"].startswith("it is about ")
    assert "exit code 137" in cited["text"]
    assert [remedy["citations"][0]["title"] for remedy in guidance["remedies"]][:1] == ["Containers killed for memory"]
    screen = fm("report", "--format", "text").stdout
    assert re.search(rf"^runbook +{cited['document_id']} Containers killed for memory", screen, re.MULTILINE)
    assert len(screen.splitlines()) <= 15
    for form in ("md", "html"):
        report = fm("report", "--format", form).stdout
        assert "Containers killed for memory" in report
        assert "Certificates that expire" not in report


@pytest.mark.usefixtures("runbooks")
def test_secrets_of_runbooks_are_masked_like_those_of_evidence(fm: Fm, evidence: Path) -> None:
    """Unless they are asked for."""
    fm("investigate", evidence)
    texts = {flag: fm("report", "--json", *flag).stdout for flag in ((), ("--no-redact",))}
    assert "team-payments@example.com" not in texts[()]
    assert "team-payments@example.com" in texts["--no-redact",]


def test_a_confirmed_case_is_offered_with_its_checks(fm: Fm, evidence: Path) -> None:
    """To the next one that is like it, and only after a person has confirmed it."""
    fm("investigate", evidence, "--question", "Why does web-0 restart?")
    first = json.loads(fm("case", "list", "--json").stdout)["items"][0]["case_id"]
    again = json.loads(fm("investigate", evidence, "--question", "web-0 restarts again", "--json").stdout)
    assert (again["guidance"]["similar"], again["guidance"]["compared"]) == ([], 0)
    assert fm("case", "confirm", first).returncode == 0
    assert [
        one["case_id"] for one in json.loads(fm("case", "list", "--judgement", "confirmed", "--json").stdout)["items"]
    ] == [first]
    told = json.loads(fm("report", again["case_id"], "--json").stdout)["guidance"]
    assert [one["case_id"] for one in told["similar"]] == [first]
    assert told["similar"][0]["checks"][0] == again["root_cause"]["confirm"]
    assert told["similar"][0]["reasons"][0].startswith("the same mechanism")
    screen = fm("report", again["case_id"], "--format", "text").stdout
    assert re.search(rf"^similar +{first} ", screen, re.MULTILINE)


@pytest.mark.usefixtures("runbooks")
def test_knowledge_that_is_away_is_said(fm: Fm, evidence: Path) -> None:
    """The report comes all the same; what could not be asked is a note, and in JSON too."""
    embedding = {"FM_EMBEDDING_URL": "hashing:"}
    assert fm("knowledge", "reindex", **embedding).returncode == 0
    away = {"FM_VECTORS_URL": "chroma+http://127.0.0.1:9", **embedding}
    done = fm("investigate", evidence, "--json", **away)
    assert done.returncode == 0, done.stderr
    guidance = json.loads(done.stdout)["guidance"]
    assert guidance["notes"][0].startswith("Knowledge was searched by words alone: ")
    assert guidance["runbooks"]
    assert "searched by words alone" in fm("report", "--format", "text", **away).stderr


def test_a_scope_that_is_none_is_refused(fm: Fm, evidence: Path) -> None:
    """With what may be said instead."""
    fm("investigate", evidence)
    done = fm("report", "--scope", "nowhere")
    assert done.returncode == 2
    assert "team:NAME" in done.stderr
