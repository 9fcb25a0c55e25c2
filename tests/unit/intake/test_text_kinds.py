"""Settings, diffs, transcripts and content that is not what it seemed, read to facts."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from faultmaven.composition.compute import tools
from faultmaven_core.analysis.analyse import extract_all
from faultmaven_core.analysis.extract import large_log
from faultmaven_core.analysis.extract.extractors import EXTRACTORS, read_as
from faultmaven_core.analysis.extract.large_log import is_large, read_large
from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.extract.settings_text import MAX_SETTINGS
from faultmaven_core.analysis.extract.source import Reading
from faultmaven_core.analysis.extract.tools import Findings, Tools
from faultmaven_core.analysis.intake.prepare import Prepared
from faultmaven_core.analysis.model import Entity, Extraction, Mode


@pytest.fixture(scope="module")
def kit() -> Tools:
    """The tools of a process."""
    return tools()


def said(text: str, kit: Tools, name: str = "f") -> Extraction:
    """What one source says."""
    (only,), _ = extract_all({name: text.encode()}, kit)
    return only


def config(extraction: Extraction) -> dict[str, object]:
    """Settings by path."""
    return {fact.attribute: fact.value for fact in extraction.facts if fact.attribute.startswith("data.")}


def test_settings_of_each_notation_are_facts_at_their_lines(kit: Tools) -> None:
    """Sections of INI, exports of a shell, trees of YAML."""
    ini = said("[server]\nport = 8080\n; remark\n[db]\nurl = 'postgres://db'\n", kit)
    assert config(ini) == {"data.server.port": "8080", "data.db.url": "postgres://db"}
    assert [fact.spans[0].first_line for fact in ini.facts] == [2, 5]
    assert config(said("export A=1\nDB_HOST=db\nB=\n", kit)) == {
        "data.A": "1",
        "data.DB_HOST": "db",
        "data.B": "",
    }
    tree = said("server:\n  port: 8080\nhosts:\n  - name: a\n    up: true\n  - b\n", kit)
    assert config(tree) == {
        "data.server.port": 8080,
        "data.hosts.a.name": "a",
        "data.hosts.a.up": True,
        "data.hosts.1": "b",
    }
    assert all(fact.mode is Mode.SPEC for fact in ini.facts)


def test_settings_that_are_broken_or_too_many_are_said_so(kit: Tools) -> None:
    """Never silently less."""
    broken = said("a: 1\nb: 2\nc: 3\nd: [1\n", kit)
    assert "Not YAML" in broken.problems[-1]
    assert "its lines were read as plain text" in broken.problems[-1]
    many = said("".join(f"KEY_{i}={i}\n" for i in range(MAX_SETTINGS + 1)), kit)
    assert len(config(many)) == MAX_SETTINGS
    assert "only the first 5,000 were read" in many.problems[-1]


def test_a_diff_says_which_files_changed_and_how_much(kit: Tools) -> None:
    """New and deleted files included."""
    text = (
        "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d\n"
        "diff --git a/old b/old\n--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"
    )
    found = [fact.value for fact in said(text, kit).facts if fact.attribute == "change.file"]
    assert found == ["x.py: +2 -1 lines", "old: +0 -1 lines"]


def test_a_transcript_attributes_each_section_and_keeps_the_clock_of_its_logs(kit: Tools) -> None:
    """The log belongs to the pod that the command names; the description to its own object."""
    text = (
        "$ kubectl logs web-0 -n shop\n2026-11-22T10:00:00Z ERROR connection refused by db-1:5432\n2026-11-22T10:00:09Z INFO up\n"
        "$ kubectl describe pod web-0 -n shop\nName:             web-0\nNamespace:        shop\nNode:             n1/10.0.0.4\n"
        "Status:           Running\nContainers:\n  app:\n    Image:          shop:v1\n    Ready:          False\n    Restart Count:  7\n"
    )
    extraction = said(text, kit)
    pod = Entity("pod", "web-0", "shop")
    assert extraction.source.kind == "transcript"
    assert extraction.source.coverage == (1795341600.0, 1795341609.0)
    assert any(fact.entity == pod and fact.attribute.startswith("signature.connection") for fact in extraction.facts)
    restarts = [fact for fact in extraction.facts if fact.attribute.endswith("restartCount")]
    assert [(fact.entity, fact.value, fact.spans[0].first_line) for fact in restarts] == [(pod, 7, 13)]


def test_what_an_extractor_refuses_is_read_as_lines_and_that_is_said(kit: Tools) -> None:
    """A signature still finds what it knows."""
    passage = SourceText(b"not a table\nERROR connection refused by db-1:5432\n").passage()
    out = Findings(kit, Entity("source", "g.csv"))
    read_as("call_graph", passage, out)
    assert "g.csv: " in out.problems[0]
    assert "its lines were read as plain text" in out.problems[0]
    assert any(fact.attribute.startswith("signature.") for fact in out.facts)


def test_a_number_that_nothing_can_hold_costs_the_structure_and_not_the_file(kit: Tools) -> None:
    """Five thousand digits where a table counts restarts."""
    digits = "9" * 5_000
    extraction = said(f"NAME    READY   STATUS    RESTARTS   AGE\nweb-0   0/1     Error     {digits}   5m\n", kit)
    assert extraction.source.kind == "kubectl_get"
    assert "a value is beyond what can be read; its lines were read as plain text" in extraction.problems[-1]


def test_every_kind_that_is_told_has_a_reader() -> None:
    """A kind without one would be a crash that only its evidence finds."""
    from faultmaven_core.analysis.extract.extractors import TRANSCRIPT
    from faultmaven_core.analysis.intake.sniff import RULES

    assert {kind for kind, _ in RULES} <= {*EXTRACTORS, TRANSCRIPT}


def test_a_document_that_is_too_large_to_be_held_is_read_as_a_log_with_a_word_on_it(
    kit: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is lowered here; what is read stays the same."""
    monkeypatch.setattr(large_log, "WHOLE_BYTES", 1000)
    data = b'[\n  "ERROR connection refused by db-1:5432",\n' * 50
    reading = Reading(Prepared("dump.json", (), "", "", len(data), "json"))
    assert is_large(reading)
    assert not is_large(replace(reading, prepared=replace(reading.prepared, kind="binary")))
    extraction = read_large(reading, io.BytesIO(data), "0" * 64, kit)
    assert extraction.source.kind == "log"
    assert extraction.source.lines == 100
    assert "dump.json looks like json but has over" in extraction.problems[0]
    assert "split it" in extraction.problems[0]
    assert extraction.facts
