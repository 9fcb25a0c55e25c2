"""The contract of `faultmaven_core.ports.extraction_runner`."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from faultmaven_core.analysis.model import Extraction, Role, Span
from faultmaven_core.ports.extraction_runner import Extracted, ExtractionRunner, Input, Progress
from faultmaven_core.shared.errors import CorruptDataError, NotFoundError

DESCRIBED = b"""Name:             web-0
Namespace:        shop
Node:             n1/10.0.0.4
Status:           Running
Containers:
  app:
    Image:          shop:v1
    State:          Waiting
      Reason:       CrashLoopBackOff
    Ready:          False
    Restart Count:  7
"""
LOG = b"2026-11-22T10:00:00Z INFO start\n2026-11-22T10:00:01Z ERROR Out of memory: Killed process 7 (app)\n" * 5


@dataclass
class Ran:
    """What a run gave."""

    events: list[Progress] = field(default_factory=list)
    found: list[Extracted] = field(default_factory=list)

    def __getitem__(self, name: str) -> Extraction:
        return next(one.extraction for one in self.found if one.extraction.source.name == name)


async def ran(runner: ExtractionRunner, inputs: Sequence[Input]) -> Ran:
    """A run to its end."""
    out = Ran()
    async with runner.run(inputs) as run:
        async for event in run:
            if isinstance(event, Extracted):
                out.found.append(event)
            else:
                out.events.append(event)
    return out


def bundle(**members: bytes) -> bytes:
    """A gzipped tar."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


class ExtractionRunnerContract:
    """Every runner, in processes or not, gives the same and fails the same."""

    @pytest.fixture
    def given(self, tmp_path: Path) -> list[Input]:
        """Evidence of several kinds, some of it unreadable."""
        files = {
            "app.log": LOG,
            "bundle.tgz": bundle(described=DESCRIBED, log=LOG[:120], empty=b""),
            "cut.gz": gzip.compress(LOG * 50)[:-30],
            "describe.txt": DESCRIBED,
            "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(400),
        }
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        made = [Input(name, str(tmp_path / name)) for name in files]
        return [
            *made,
            Input("gone.log", str(tmp_path / "gone.log")),
            Input("link", "/nowhere", problem="link is a link."),
        ]

    async def test_every_source_is_extracted_once_members_of_archives_by_their_path(
        self, runner: ExtractionRunner, given: list[Input]
    ) -> None:
        """In the order of names, with what was read of each."""
        out = await ran(runner, given)
        assert [one.extraction.source.name for one in out.found] == [
            "app.log",
            "bundle.tgz!described",
            "bundle.tgz!empty",
            "bundle.tgz!log",
            "cut.gz",
            "describe.txt",
            "gone.log",
            "link",
            "picture.png",
        ]
        assert [out[name].source.kind for name in ("app.log", "bundle.tgz!described", "describe.txt")] == [
            "log",
            "kubectl_describe",
            "kubectl_describe",
        ]
        assert out["describe.txt"].facts == out["bundle.tgz!described"].facts
        assert any(
            fact.attribute == "status.containerStatuses.app.restartCount" and fact.value == 7
            for fact in out["describe.txt"].facts
        )

    async def test_what_cannot_be_read_is_an_extraction_with_a_sentence_never_an_exception(
        self, runner: ExtractionRunner, given: list[Input]
    ) -> None:
        """The person sees it beside the rest."""
        out = await ran(runner, given)
        said = {
            name: out[name].problems[0] for name in ("gone.log", "link", "picture.png", "cut.gz", "bundle.tgz!empty")
        }
        assert said["gone.log"] == "gone.log disappeared before it could be read; collect it again."
        assert said["link"] == "link is a link."
        assert said["picture.png"].startswith("picture.png is binary")
        assert said["cut.gz"].startswith("cut.gz: it is cut off before its end; only the first")
        assert said["bundle.tgz!empty"].startswith("bundle.tgz!empty is empty")
        assert [out[name].source.kind for name in ("gone.log", "link", "picture.png")] == [
            "unreadable",
            "unreadable",
            "binary",
        ]

    async def test_the_order_of_inputs_changes_nothing(self, runner: ExtractionRunner, given: list[Input]) -> None:
        """Same bytes, same answer."""
        assert (await ran(runner, given)).found == (await ran(runner, given[::-1])).found

    async def test_spans_are_read_until_the_run_is_left(self, runner: ExtractionRunner, given: list[Input]) -> None:
        """In files as they are and in members of archives; other spans are not found."""
        async with runner.run(given) as run:
            found = [event async for event in run if isinstance(event, Extracted)]
            for one in found:
                for fact in one.extraction.facts[:3]:
                    text = run.read(fact.spans[0])
                    assert text
                    assert text in DESCRIBED + LOG
            with pytest.raises(NotFoundError):
                run.read(Span("0" * 64, 0, 1, 1, 1))

    async def test_a_file_that_changes_or_goes_during_the_run_is_not_read_as_if_nothing_happened(
        self, runner: ExtractionRunner, tmp_path: Path
    ) -> None:
        """A citation is of the bytes that were read, or an error."""
        path = tmp_path / "d.txt"
        path.write_bytes(DESCRIBED)
        async with runner.run([Input("d.txt", str(path))]) as run:
            found = [event.extraction async for event in run if isinstance(event, Extracted)]
            span = found[0].facts[0].spans[0]
            path.write_bytes(DESCRIBED.replace(b"web-0", b"web-1"))
            os.utime(path, ns=(1, 1))
            with pytest.raises(CorruptDataError):
                run.read(span)
            path.unlink()
            with pytest.raises(NotFoundError):
                run.read(span)

    async def test_a_place_says_where_the_content_stands(self, runner: ExtractionRunner, given: list[Input]) -> None:
        """Enough to find it again."""
        out = await ran(runner, given)
        member = next(one.place for one in out.found if one.extraction.source.name == "bundle.tgz!log")
        assert (member.members, member.sha256) == (("log",), out["bundle.tgz!log"].source.sha256)
        archive = next(Path(one.path) for one in given if one.name == "bundle.tgz")
        assert (Path(member.path), member.size) == (archive, archive.stat().st_size)

    async def test_a_collector_s_list_is_attached_to_the_sources_that_it_names(
        self, runner: ExtractionRunner, tmp_path: Path
    ) -> None:
        """It is no evidence itself, and its command says how a file is read."""
        params = {"command": "kubectl logs web-0 -n shop", "pod": "web-0"}
        (tmp_path / "sources.json").write_text(json.dumps([{"file": "x.txt", "tool": "kubectl", "params": params}]))
        (tmp_path / "x.txt").write_bytes(b"first: 1\nsecond: 2\nthird: 3\n")
        out = await ran(runner, [Input(name, str(tmp_path / name)) for name in ("x.txt", "sources.json")])
        assert (out["sources.json"].source.kind, out["sources.json"].facts) == ("provenance", ())
        assert ("params.pod", "web-0") in out["x.txt"].source.provenance
        assert out["x.txt"].source.kind == "log"

    async def test_a_person_s_classification_and_the_role_are_kept(
        self, runner: ExtractionRunner, tmp_path: Path
    ) -> None:
        """They win over what the content looks like."""
        (tmp_path / "x").write_bytes(DESCRIBED)
        out = await ran(runner, [Input("x", str(tmp_path / "x"), Role.BASELINE, "log")])
        assert (out["x"].source.kind, out["x"].source.role) == ("log", Role.BASELINE)

    async def test_progress_counts_up_to_the_total_and_tells_the_first_findings(
        self, runner: ExtractionRunner, given: list[Input]
    ) -> None:
        """A person who waits sees that something happens, and what."""
        out = await ran(runner, given)
        reading = [event for event in out.events if event.stage == "extract"]
        assert [event.files_done for event in reading] == list(range(1, len(out.found) + 1))
        assert reading[-1].files_done == reading[-1].files_total
        assert reading[-1].bytes_done == reading[-1].bytes_total == sum(one.extraction.source.size for one in out.found)
        assert any(event.finding.startswith("app.log:2: ") for event in reading)

    async def test_a_large_log_s_first_finding_comes_before_it_is_read(
        self, runner: ExtractionRunner, tmp_path: Path
    ) -> None:
        """Somebody waits: the beginning is looked at ahead of all the rest."""
        log = tmp_path / "large.log"
        line = "2024-05-01T10:00:00Z ERROR connect ECONNREFUSED 10.0.0.5:5432\n"
        log.write_text(line * (9_000_000 // len(line)))
        async with runner.run([Input("large.log", str(log))]) as run:
            events = [event async for event in run]
        told = next(event for event in events if isinstance(event, Progress) and event.finding)
        assert told.finding.startswith("large.log:1: ")
        assert told.bytes_done < told.bytes_total

    async def test_no_input_is_a_run_without_events(self, runner: ExtractionRunner) -> None:
        """Nothing is asked, nothing is answered."""
        assert await ran(runner, []) == Ran()
