"""What hostile or broken content can do to the process that reads it: nothing to anybody else."""

from __future__ import annotations

import asyncio
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from faultmaven_adapters.extraction.frames import message_of
from faultmaven_adapters.extraction.processes import ProcessExtractionRunner, ProcessLimits
from faultmaven_core.analysis.model import Extraction
from faultmaven_core.ports.extraction_runner import Extracted, Input, Progress
from faultmaven_core.shared.errors import BackendError

HOSTILE = textwrap.dedent("""
    import os, pickle, socket, subprocess, sys, time
    from collections.abc import Sequence
    from faultmaven.composition.compute import tools as honest
    from dataclasses import replace

    class Structured:
        def parse(self, text):
            if "crash" in text: os.abort()
            if "exit" in text: os._exit(3)
            if "sleep" in text: time.sleep(600)
            if "spin" in text:
                while True: pass
            if "memory" in text: return [bytearray(8 << 30)]
            if "deep" in text: return self.parse(text)
            if "defect" in text: return 1 / 0
            if "network" in text: socket.create_connection(("127.0.0.1", 9))
            if "program" in text: subprocess.run(["true"])
            if "print" in text:
                print("noise on standard output"); os.write(1, b"more")
            return []

    def tools():
        return replace(honest(), structured=Structured())

    def broken():
        raise RuntimeError("no")
""")


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Tools whose YAML parser does what the text says."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "hostile_tools.py").write_text(HOSTILE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    return "hostile_tools:tools"


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test leaves no process and no scratch folder behind."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    EARLIER.update(children())
    yield
    assert list((tmp_path / "scratch").iterdir()) == []
    assert not children()


EARLIER: set[int] = set()
"""What other tests have started, such as the guard of their servers."""


def children() -> list[int]:
    """Processes that this one started for extraction and that still run; servers of other tests are left out."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(word) for word in listed.split() if int(word) not in EARLIER]


def settings(folder: Path, **files: str) -> list[Input]:
    """Files that are read as settings, hence by the YAML parser."""
    for name, text in files.items():
        (folder / name).write_text(f"first: 1\nsecond: {text}\nthird:\n  - 1\n")
    return [Input(name, str(folder / name)) for name in files]


async def extractions(runner: ProcessExtractionRunner, inputs: list[Input]) -> dict[str, Extraction]:
    """What a run gives, by name."""
    async with runner.run(inputs) as run:
        found = [event.extraction async for event in run if isinstance(event, Extracted)]
    return {extraction.source.name: extraction for extraction in found}


async def test_a_file_that_kills_its_reader_is_named_and_the_others_are_read(tmp_path: Path, hostile: str) -> None:
    """Each in the words of what happened."""
    inputs = settings(
        tmp_path, a="crash", b="exit", c="memory", d="deep", e="defect", f="network", g="program", h="fine", i="print"
    )
    found = await extractions(ProcessExtractionRunner(hostile, 2), inputs)
    said = {name: " ".join(extraction.problems) for name, extraction in found.items()}
    assert "a ended the process that read it (signal SIGABRT)" in said["a"]
    assert "b ended the process that read it (exit code 3)" in said["b"]
    assert "c needs more memory than extraction is given" in said["c"]
    assert "d is nested too deeply" in said["d"]
    assert "e met a defect of this program (ZeroDivisionError)" in said["e"]
    assert "f may not be read" in said["f"] or "extraction does not do socket" in said["f"]
    assert "extraction does not do subprocess" in said["g"] or "g may not be read" in said["g"]
    assert said["h"] == said["i"] == ""
    assert [found[name].source.kind for name in "abcdefghi"] == ["unreadable"] * 7 + ["structured_config"] * 2


async def test_a_file_that_never_ends_is_given_up(tmp_path: Path, hostile: str) -> None:
    """By the wall clock where it sleeps, by the processor clock where it spins."""
    runner = ProcessExtractionRunner(hostile, 2, ProcessLimits(seconds=2.0))
    found = await extractions(runner, settings(tmp_path, a="sleep", b="spin", c="fine"))
    assert "a took longer than 2 seconds and was given up" in found["a"].problems[0]
    assert found["b"].source.kind == "unreadable"
    assert found["c"].problems == ()


async def test_a_cancelled_run_ends_its_processes_at_once(tmp_path: Path, hostile: str) -> None:
    """As Ctrl-C does."""
    inputs = settings(tmp_path, a="sleep", b="sleep")
    task = asyncio.create_task(extractions(ProcessExtractionRunner(hostile, 2), inputs))
    async with asyncio.timeout(20):
        while len(children()) < 2:  # noqa: ASYNC110 - the kernel raises no event for it
            await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not children()


async def test_a_run_that_is_left_early_ends_too(tmp_path: Path, hostile: str) -> None:
    """The first event may be all that a caller wants."""
    async with ProcessExtractionRunner(hostile, 2).run(settings(tmp_path, a="sleep", b="fine")) as run:
        async for event in run:
            assert isinstance(event, Progress)
            break


async def test_tools_that_cannot_be_built_are_an_error_of_the_installation(tmp_path: Path, hostile: str) -> None:
    """Not of every file."""
    with pytest.raises(ExceptionGroup) as caught:
        await extractions(ProcessExtractionRunner("hostile_tools:broken", 1), settings(tmp_path, a="fine"))
    assert caught.group_contains(BackendError, match="does not start")


async def test_a_module_that_lies_among_the_evidence_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file named like a library, in the folder where the person stands."""
    (tmp_path / "yaml.py").write_text("raise SystemExit('hostile import')")
    monkeypatch.chdir(tmp_path)
    found = await extractions(
        ProcessExtractionRunner("faultmaven.composition.compute:tools", 1), settings(tmp_path, a="fine")
    )
    assert found["a"].problems == ()


def test_the_parent_builds_nothing_from_a_child_s_words_but_values() -> None:
    """Neither functions nor foreign classes, nor what a module of ours has imported."""
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, ("true",)

    for evil in (
        pickle.dumps(Evil()),
        b"cfaultmaven_adapters.extraction.jobs\nos\n.",
        b"cfaultmaven_adapters.extraction.walk\nwalk\n.",
        b"cbuiltins\neval\n.",
    ):
        with pytest.raises(pickle.UnpicklingError, match="not a value of ours"):
            message_of(evil)
