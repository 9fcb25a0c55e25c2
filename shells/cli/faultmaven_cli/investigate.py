"""`fm investigate`: from paths to the first screen."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from faultmaven_cli import intake
from faultmaven_cli.checks import ignored
from faultmaven_cli.moment import Moment
from faultmaven_cli.output import printable, write_whole
from faultmaven_cli.progress import Progress
from faultmaven_cli.report import FORMATS, SCOPE_OPTION, form_of, rendered, whole
from faultmaven_cli.session import HOME_OPTION, session

if TYPE_CHECKING:
    from faultmaven import FaultMaven

NOTES = 5
"""Sentences about unreadable evidence that follow the first screen; all of them are in the report."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller wants, as typed."""

    paths: tuple[str, ...]
    baseline: tuple[str, ...]
    question: str
    case_id: str
    since: datetime | None
    until: datetime | None
    around: datetime | None
    copy: bool
    fast: bool
    redact: bool
    ignored: tuple[str, ...]
    form: str
    scopes: tuple[str, ...]


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--question", "-q", default="", help="What you want to know, in your words.")
@click.option("--baseline", multiple=True, metavar="PATH", help="How things look when all is well; may be repeated.")
@click.option("--alert", multiple=True, metavar="FILE", help="The alert that started it (Alertmanager, JSON).")
@click.option("--graph", multiple=True, metavar="FILE", help="Who calls whom, as JSON or CSV.")
@click.option("--since", type=Moment(), help="The incident began after this time.")
@click.option("--until", type=Moment(), help="The incident was over by this time.")
@click.option("--around", type=Moment(), help="The incident was around this time.")
@click.option("--format", "form", type=FORMATS, help="Default: by --output's ending, else text.")
@click.option("--json", "json_", is_flag=True, help="The same as --format json.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--case", "case_id", default="", metavar="CASE", help="Go on with this case instead of a new one.")
@click.option("--copy", is_flag=True, help="Keep copies of the evidence with the case.")
@click.option("--fast", is_flag=True, help="Sample large logs instead of reading every line.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that read evidence; default is one per core.")
@click.option("--no-redact", is_flag=True, help="Keep secrets and personal data as they stand in the evidence.")
@SCOPE_OPTION
@HOME_OPTION
def investigate(
    paths: tuple[str, ...],
    alert: tuple[str, ...],
    graph: tuple[str, ...],
    form: str | None,
    json_: bool,
    output: Path | None,
    jobs: int | None,
    no_redact: bool,
    home: str,
    **wished: Any,
) -> None:
    """Find the root cause in files, folders or archives of evidence; - is standard input.

    Logs, stack traces, Kubernetes objects, kubectl output, metrics, alerts and support bundles may be mixed freely.
    Files are read where they are and never changed. Ctrl-C keeps what was found so far.
    """
    given = (*paths, *alert, *graph)
    chosen = "json" if json_ else form or form_of(output) or "text"
    wish = Wish(paths=given, redact=not no_redact, ignored=tuple(ignored(home)), form=chosen, **wished)
    _check(wish)
    stdin = intake.spooled_stdin() if intake.STDIN in given else None
    begun: list[str] = []
    try:
        texts, problems = session(home, lambda fm: _run(fm, wish, begun, stdin), processes=jobs)
    except KeyboardInterrupt:
        if begun:
            again = shlex.join(["fm", "investigate", "--case", begun[0], *(["--home", home] if home else [])])
            click.echo(f"\nThe case {begun[0]} is kept. Go on with: {again}", err=True)
        raise
    _print(texts, problems, wish, _more(wish.case_id, home), output)


def _more(case_id: str, home: str) -> str:
    """The command that shows the rest; a new case is the newest, which `fm report` takes by itself."""
    return shlex.join(["fm", "report", *([case_id] if case_id else []), *(["--home", home] if home else [])])


def _check(wish: Wish) -> None:
    from faultmaven_core.shared.errors import InvalidInputError

    if not wish.paths and not wish.case_id:
        raise click.UsageError("Name the files or folders to look at, or - for standard input.")
    if absent := intake.missing((*wish.paths, *wish.baseline)):
        raise InvalidInputError(f"{absent} does not exist; check the path.")


async def _run(
    fm: FaultMaven, wish: Wish, begun: list[str], stdin: IO[bytes] | None
) -> tuple[dict[str, str], list[str]]:
    """The record as JSON and in the form asked for, and sentences about what could not be read."""
    from faultmaven_core.cases.commands import OpenCase
    from faultmaven_core.investigation.commands import Investigate

    case_id = wish.case_id or (await fm.cases.open(OpenCase(wish.question), fm.caller)).case_id
    begun.append(case_id)
    added = await intake.give(fm, case_id, wish.paths, copy=wish.copy, stdin=stdin)
    usual = await intake.give(fm, case_id, wish.baseline, role="baseline", copy=wish.copy)
    with Progress() as progress:
        command = Investigate(
            case_id,
            wish.question,
            _epoch(wish.since),
            _epoch(wish.until),
            _epoch(wish.around),
            fast=wish.fast,
            ignored=wish.ignored,
        )
        done = await fm.investigation.investigate(command, fm.caller, progress)
    problems = [*added.problems, *usual.problems]
    problems += [problem for source in done.record.coverage for problem in source.problems]
    reports = [
        await rendered(fm, case_id, form, redact=wish.redact, scopes=wish.scopes)
        for form in sorted({"json", wish.form} - {"text"})
    ]
    problems = [*reports[0].guidance.notes, *problems]
    return {one.form: whole(one) for one in reports}, list(dict.fromkeys(problems))


def _epoch(when: datetime | None) -> float | None:
    return when.timestamp() if when else None


def _print(texts: dict[str, str], problems: list[str], wish: Wish, more: str, output: Path | None) -> None:
    from faultmaven_cli.screen import first_screen

    screen = ""
    if wish.form == "text" or output is not None:
        screen = first_screen(json.loads(texts["json"]), more=more)
    chosen = screen if wish.form == "text" else texts[wish.form]
    if output is not None:
        write_whole(output, chosen if chosen.endswith("\n") else chosen + "\n")
    click.echo(screen or chosen, nl=not (screen or chosen).endswith("\n"))
    if output is not None:
        click.echo(f"wrote {output}", err=True)
    for problem in problems[:NOTES] if screen else ():
        click.echo(f"note: {printable(problem)}", err=True)
    if screen and len(problems) > NOTES:
        click.echo(f"note: {len(problems) - NOTES} more in the report", err=True)
    sys.stdout.flush()
