"""Killed before any call of any store, and run again, ingestion ends in the state that it would have ended in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from faultmaven_core.jobs.model import JobState
from faultmaven_core.knowledge.commands import DeleteDocument, ReindexKnowledge, SweepKnowledge, SyncDocuments
from tests.unit.knowledge.library import ANN, Library, hashed, write


class KilledError(BaseException):
    """The process ends here: no `except Exception` sees it."""


class Reaper:
    """Kills at the n-th call that it is told of, once."""

    def __init__(self, at: int) -> None:
        self.left, self.last = at, ""

    def __call__(self, what: str) -> None:
        """A call is about to be made."""
        self.left -= 1
        if self.left == 0:
            self.last = what
            raise KilledError(what)


def first(folder: Path) -> None:
    """A folder as it is when it is synced first."""
    long = "# Redis\n\n" + "".join(f"## Step {n}\n\n{'Look at the memory. ' * 30}\n\n" for n in range(6))
    write(folder, redis=long, postgres="# Postgres\n\nToo many clients.\n", dns="# DNS\n\nNo answer.\n")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 cut off")


def second(folder: Path) -> None:
    """The same folder later: one shorter, one gone, one new, one mended, one unchanged."""
    write(folder, redis="# Redis\n\nShort now.\n", tls="# TLS\n\nThe certificate ended.\n")
    (folder / "dns.md").unlink()
    (folder / "broken.pdf").unlink()


async def brought_up_to_date(library: Library, folder: Path) -> None:
    """What a person and a worker do."""
    await library.service.sync(SyncDocuments(str(folder)), ANN)
    await library.run_jobs()


async def deleted(library: Library) -> None:
    """One document is deleted by a person, unless it is already."""
    for name, document in (await library.documents()).items():
        if name == "postgres.md":
            await library.service.delete(DeleteDocument(document.id), ANN)
    await library.run_jobs()


async def reindexed(library: Library) -> None:
    """All is read and embedded anew."""
    await library.service.reindex(ReindexKnowledge(("global",)), ANN)
    await library.run_jobs()


async def after_a_kill(library: Library) -> None:
    """Another process goes on when the lease of the killed one has ended."""
    library.tell = lambda _: None
    library.begun()
    library.clock.advance(timedelta(minutes=2))


async def tidied(library: Library) -> dict[str, object]:
    """The state once the sweep had its time; no job is left, and none was given up."""
    library.tell = lambda _: None
    library.clock.advance(timedelta(hours=25))
    await library.service.sweep(SweepKnowledge(), ANN)
    await library.run_jobs()
    for state in (JobState.DEAD, JobState.QUEUED, JobState.RUNNING, JobState.WAITING):
        assert await library.jobs(state) == [], state
    return await library.state()


async def lived_through(library: Library, folder: Path, reaper: Reaper) -> list[dict[str, object]]:
    """First sync, changes, second sync and a deletion; then a reindex, which would hide what went wrong before it."""

    async def synced(_: Library) -> None:
        await brought_up_to_date(library, folder)

    states = []
    for part in (((first, synced), (second, synced), (None, deleted)), ((None, reindexed),)):
        library.tell = reaper
        for prepare, step in part:
            if prepare:
                prepare(folder)
            try:
                await step(library)
            except KilledError:
                await after_a_kill(library)
                await step(library)
        states.append(await tidied(library))
    return states


async def test_killed_at_any_call_and_run_again_ends_in_the_same_state(tmp_path: Path) -> None:
    """All with the jobs that they ask for."""
    expected: list[dict[str, object]] = []
    seen: list[str] = []
    kill = 0
    while True:
        folder = tmp_path / f"{kill}" / "runbooks"
        folder.parent.mkdir()
        reaper = Reaper(kill)
        async with hashed() as library:
            states = await lived_through(library, folder, reaper)
        if not expected:
            expected = states
            for state in states:
                assert sorted(state["documents"]) == ["redis.md", "tls.md"]  # type: ignore[call-overload]  # of documents by name
                assert all(state[fact] for fact in ("all embedded", "vectors fit", "originals fit"))
        assert states == expected, f"killed at call {kill}: {reaper.last}"
        if kill and not reaper.last:
            break
        seen.append(reaper.last)
        kill += 1
    # The kills met every kind of step that there is.
    kinds = {what.partition(".")[2] or what for what in seen}
    assert kinds >= {"put", "open", "commit", "committed", "ensure", "upsert", "delete_matching", "embed", "delete"}
