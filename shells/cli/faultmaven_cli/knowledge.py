"""`fm knowledge`: runbooks and other documents, found when something breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from faultmaven_cli.generated import confirm
from faultmaven_cli.intake import STDIN, blocks, spooled_stdin
from faultmaven_cli.output import as_json, json_option, printable
from faultmaven_cli.progress import Steps
from faultmaven_cli.session import HOME_OPTION, session
from faultmaven_cli.views import show as show_view

if TYPE_CHECKING:
    from faultmaven import FaultMaven
    from faultmaven_core.knowledge.commands import DocumentsTaken, DocumentView

LOOKED_IN = ("global", "personal")
"""Scopes of commands that only look, where none is named."""

LOOKS = (0.05, 0.5)
"""Seconds between looks at jobs: the first wait and the longest."""

GIVEN_UP = 75
"""The exit code where documents are kept, but a job that reads or embeds them was given up: try again later."""

NOTHING_TAKEN = 2
"""The exit code where no document could be read or taken: as for any input that is wrong."""
NONE_READ = "None of these documents could be read; they are kept, with the reasons."

_scope = click.option(
    "--scope", default="global", show_default=True, metavar="SCOPE", help="global, team:NAME, personal or case:CASE."
)
_scopes = click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=LOOKED_IN,
    metavar="SCOPE",
    help="global, team:NAME, personal or case:CASE; may be repeated. Default: global and personal.",
)
_tags = click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="A tag that new and changed documents get; may be repeated."
)
_tagged = click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="Only documents with this tag; repeated, with all of them."
)
_wait = click.option("--wait/--no-wait", default=True, help="Wait until everything is read.  [default: wait]")


@click.group()
def knowledge() -> None:
    """Runbooks and other documents: Markdown, text, HTML, PDF and Word."""


@dataclass(slots=True)
class Outcome:
    """What became of what was added: the answer, documents that cannot be read, and jobs that were given up."""

    taken: DocumentsTaken
    failed: Sequence[DocumentView] = ()
    given_up: Sequence[str] = ()


@knowledge.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--name", default="", help="What standard input is called; its ending tells the kind.")
@_scope
@_tags
@_wait
@HOME_OPTION
@json_option
def add(
    paths: tuple[str, ...], name: str, scope: str, tags: tuple[str, ...], wait: bool, home: str, json_: bool
) -> None:
    """Add files, or all documents of folders and git checkouts; - is standard input, named by --name.

    What is there already, by its name or content, is not added twice. Of a git checkout only tracked files are taken.
    """
    if STDIN in paths and not name:
        raise click.UsageError("Say what - is by --name, such as --name redis.md.")
    stdin = spooled_stdin() if STDIN in paths else None

    async def work(fm: FaultMaven) -> Outcome:
        with Steps() as steps:
            taken = [await _added(fm, path, name, scope, tags, stdin, steps) for path in paths]
            return await _outcome(fm, _together(taken), scope, steps, wait=wait)

    _finish(session(home, work), json_=json_)


@knowledge.command()
@click.argument("path")
@_scope
@_tags
@_wait
@HOME_OPTION
@json_option
def sync(path: str, scope: str, tags: tuple[str, ...], wait: bool, home: str, json_: bool) -> None:
    """Make SCOPE hold what the folder or git checkout at PATH holds: new and changed files come, removed ones go.

    Run it as often as you like: what did not change costs nothing.
    """

    async def work(fm: FaultMaven) -> Outcome:
        from faultmaven_core.knowledge.commands import SyncDocuments

        with Steps() as steps:
            taken = await fm.knowledge.sync(SyncDocuments(path, scope, tags), fm.caller, steps)
            return await _outcome(fm, taken, scope, steps, wait=wait)

    _finish(session(home, work), json_=json_)


@knowledge.command()
@click.argument("words", nargs=-1, required=True, metavar="TEXT...")
@_scopes
@click.option("--limit", default=5, show_default=True, help="How many passages at most.")
@click.option("--lexical-only", is_flag=True, help="By words and names alone, without the vector store.")
@click.option("--explain", is_flag=True, help="Say of each passage why it stands where it stands.")
@HOME_OPTION
@json_option
def search(words: tuple[str, ...], scopes: tuple[str, ...], home: str, json_: bool, **asked: Any) -> None:
    """Find passages for a question, an alert, an error message or a name."""
    from faultmaven_core.knowledge.commands import SearchKnowledge

    command = SearchKnowledge(" ".join(words), scopes, **asked)
    result = session(home, lambda fm: fm.knowledge.search(command, fm.caller))
    if json_:
        show_view(result, json_=True)
        return
    from faultmaven_cli.knowledge_screen import found, notes

    click.echo(found(result))
    for note in notes(result):
        click.echo(f"note: {printable(note)}", err=True)


@knowledge.command("list")
@_scopes
@click.option("--state", default="", help="pending, ready or failed.")
@click.option(
    "--source",
    default="",
    metavar="SOURCE",
    help="Only what was synced from there: a folder's whole path, or a checkout's address; `show` tells a document's.",
)
@_tagged
@click.option("--after", default=None, help="Continue after this; the last page's `next`.")
@click.option("--limit", default=200, show_default=True, help="How many at most.")
@HOME_OPTION
@json_option
def list_(scopes: tuple[str, ...], home: str, json_: bool, **asked: Any) -> None:
    """List documents, oldest first."""
    from faultmaven_core.knowledge.commands import ListDocuments

    command = ListDocuments(scopes, **asked)
    show_view(session(home, lambda fm: fm.knowledge.list(command, fm.caller)), json_=json_)


@knowledge.command()
@click.argument("document_id", metavar="DOCUMENT")
@click.option("--text", is_flag=True, help="Print the text and nothing else.")
@click.option("--start", default=0, help="Where to begin, in characters of the text.")
@click.option("--characters", default=0, help="How many characters of the text to show.")
@HOME_OPTION
@json_option
def show(document_id: str, text: bool, start: int, characters: int, home: str, json_: bool) -> None:
    """Show a document, and its text or a part of it."""
    from faultmaven_core.knowledge.commands import ShowDocument

    async def work(fm: FaultMaven) -> Any:
        wanted = characters
        if text and not wanted:
            wanted = (await fm.knowledge.show(ShowDocument(document_id), fm.caller)).item.characters
        return await fm.knowledge.show(ShowDocument(document_id, start, wanted), fm.caller)

    detail = session(home, work)
    if not text:
        show_view(detail, json_=json_)
        return
    if json_:
        as_json({"text": detail.text})
        return
    for line in detail.text.splitlines():
        click.echo(printable(line))


@knowledge.command()
@click.argument("document_id", metavar="DOCUMENT")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@HOME_OPTION
@json_option
def delete(document_id: str, yes: bool, home: str, json_: bool) -> None:
    """Delete a document. One that is synced comes back with the next sync, unless its file is gone."""
    from faultmaven_core.knowledge.commands import DeleteDocument

    if not yes:
        confirm("Delete this document?")
    command = DeleteDocument(document_id)
    show_view(session(home, lambda fm: fm.knowledge.delete(command, fm.caller)), json_=json_)


@knowledge.command()
@_scopes
@_wait
@HOME_OPTION
@json_option
def reindex(scopes: tuple[str, ...], wait: bool, home: str, json_: bool) -> None:
    """Read every original again and embed all anew, after the vector store was changed or lost its content.

    Searches go on meanwhile with what there is.
    """
    from faultmaven_core.codec import to_builtins
    from faultmaven_core.knowledge.commands import ReindexKnowledge

    async def work(fm: FaultMaven) -> tuple[Any, Sequence[str], Sequence[DocumentView]]:
        asked = await fm.knowledge.reindex(ReindexKnowledge(scopes), fm.caller)
        if not wait:
            return asked, (), ()
        with Steps() as steps:
            given_up = await _ended(fm, asked.jobs, asked.documents, steps)
        return asked, given_up, [item async for item in _listed(fm, scopes) if item.problem]

    asked, given_up, failed = session(home, work)
    if json_:
        as_json({**_fields(to_builtins(asked)), "failed": _problems(failed), "given_up": list(given_up)})
    else:
        click.echo(f"documents {'read anew' if wait else 'that will be read anew'}: {asked.documents - len(failed):,}")
        _tell_failed(failed)
    _told(given_up, quiet=json_)
    if failed and len(failed) >= asked.documents:
        _refuse(NONE_READ, quiet=json_)


@knowledge.command()
@_scopes
@HOME_OPTION
@json_option
def stats(scopes: tuple[str, ...], home: str, json_: bool) -> None:
    """Count documents, chunks and what the present model has embedded."""
    from faultmaven_core.knowledge.commands import CountKnowledge

    command = CountKnowledge(scopes)
    show_view(session(home, lambda fm: fm.knowledge.stats(command, fm.caller)), json_=json_)


async def _added(
    fm: FaultMaven, path: str, name: str, scope: str, tags: tuple[str, ...], stdin: IO[bytes] | None, steps: Steps
) -> DocumentsTaken:
    from faultmaven_core.knowledge.commands import AddDocumentContent, AddDocuments

    if path == STDIN and stdin is not None:
        return await fm.knowledge.add_content(AddDocumentContent(name, scope, tags), blocks(stdin), fm.caller)
    return await fm.knowledge.add(AddDocuments(path, scope, tags), fm.caller, steps)


def _together(taken: Sequence[DocumentsTaken]) -> DocumentsTaken:
    """Several answers as one: numbers summed, lists put after each other."""
    first, *others = taken
    for other in others:
        values = {name: getattr(first, name) + getattr(other, name) for name in first.__dataclass_fields__}
        first = type(first)(**values)
    return first


async def _outcome(fm: FaultMaven, taken: DocumentsTaken, scope: str, steps: Steps, *, wait: bool) -> Outcome:
    if not wait:
        return Outcome(taken)
    given_up = await _ended(fm, taken.jobs, len(taken.documents), steps)
    failed = [item async for item in _listed(fm, (scope,), "failed") if item.document_id in taken.documents]
    return Outcome(taken, failed, given_up)


async def _ended(fm: FaultMaven, jobs: Sequence[str], documents: int, steps: Steps) -> Sequence[str]:
    """Wait until jobs ended, wherever they run; a sentence on each that did not succeed."""
    from faultmaven_core.jobs.commands import ShowJob

    left, given_up = dict.fromkeys(jobs, 0), list[str]()
    done, pause = 0, LOOKS[0]
    while left:
        await asyncio.sleep(pause)
        pause = min(2 * pause, LOOKS[1])
        for job_id in tuple(left):
            job = (await fm.jobs.show(ShowJob(job_id), fm.caller)).job
            if job.state in ("succeeded", "cancelled", "dead"):
                del left[job_id]
                done += job.total
                if job.state != "succeeded":
                    given_up.append(f"The job {job_id} is {job.state}: {job.error}. Try again: fm jobs retry {job_id}")
            else:
                left[job_id] = job.done
                trouble = f"trying again: {job.error}" if job.state == "waiting" else ""
                steps(done + sum(left.values()), documents, trouble or job.doing or "reading")
    return given_up


async def _listed(fm: FaultMaven, scopes: tuple[str, ...], state: str = "") -> AsyncIterator[DocumentView]:
    from faultmaven_core.knowledge.commands import ListDocuments

    after: str | None = None
    while True:
        page = await fm.knowledge.list(ListDocuments(scopes, state=state, after=after), fm.caller)
        for item in page.items:
            yield item
        if (after := page.next) is None:
            return


def _finish(outcome: Outcome, *, json_: bool) -> None:
    """Print what became of it. Where no document at all could be read, that is an error of the input."""
    from faultmaven_core.codec import to_builtins

    taken = outcome.taken
    if json_:
        as_json(
            {**_fields(to_builtins(taken)), "failed": _problems(outcome.failed), "given_up": list(outcome.given_up)}
        )
    else:
        counts = {name: getattr(taken, name) for name in ("added", "changed", "removed", "unchanged", "duplicates")}
        told = [f"{count:,} {name}" for name, count in counts.items() if count or name == "added"]
        click.echo(", ".join(told))
        _tell_failed(outcome.failed)
        for problem in taken.problems:
            click.echo(f"note: {printable(problem)}", err=True)
        if taken.ignored:
            click.echo(f"note: files of other kinds, passed over: {taken.ignored:,}", err=True)
    _told(outcome.given_up, quiet=json_)
    problem = ""
    if taken.documents and len(outcome.failed) == len(taken.documents):
        problem = NONE_READ
    elif taken.problems and not (taken.documents or taken.removed or taken.unchanged or taken.duplicates):
        problem = "Nothing could be taken."
    if problem:
        _refuse(problem, quiet=json_)


def _refuse(problem: str, *, quiet: bool) -> NoReturn:
    from faultmaven_core.shared.errors import InvalidInputError

    if quiet:
        raise click.exceptions.Exit(NOTHING_TAKEN)
    raise InvalidInputError(problem)


def _problems(failed: Sequence[DocumentView]) -> list[dict[str, str]]:
    return [{"document_id": item.document_id, "name": item.name, "problem": item.problem} for item in failed]


def _tell_failed(failed: Sequence[DocumentView]) -> None:
    for item in failed:
        click.echo(f"not read: {item.document_id} {printable(item.problem)}", err=True)


def _told(given_up: Sequence[str], *, quiet: bool) -> None:
    for sentence in () if quiet else given_up:
        click.echo(f"note: {printable(sentence)}", err=True)
    if given_up:
        raise click.exceptions.Exit(GIVEN_UP)


def _fields(value: Any) -> dict[str, Any]:
    fields: dict[str, Any] = value
    return fields
