"""`fm report`: a case's record as text, Markdown, HTML or JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from faultmaven_cli.output import printable, write_whole
from faultmaven_cli.session import HOME_OPTION, session

if TYPE_CHECKING:
    from faultmaven import FaultMaven
    from faultmaven_core.investigation.commands import RenderedReport

FORMATS = click.Choice(["text", "json", "md", "html"])
SCOPE_OPTION = click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="SCOPE",
    help="Knowledge to look in beside global, personal and the case's own: team:NAME; may be repeated.",
)


@click.command()
@click.argument("case_id", required=False, metavar="[CASE]")
@click.option("--format", "form", type=FORMATS, help="Default: by --output's ending, else md.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--json", "json_", is_flag=True, help="The same as --format json.")
@click.option("--no-redact", is_flag=True, help="Keep secrets and personal data as they stand in the evidence.")
@SCOPE_OPTION
@HOME_OPTION
def report(
    case_id: str | None,
    form: str | None,
    output: Path | None,
    json_: bool,
    no_redact: bool,
    scopes: tuple[str, ...],
    home: str,
) -> None:
    """Write the report of CASE, or of the newest case, with what is known about it now.

    The text form is the first screen again; Markdown and HTML hold everything. JSON is the record itself; passages of your
    knowledge and similar confirmed cases stand beside it, under `guidance`.
    """
    chosen_form = "json" if json_ else form or form_of(output) or "md"

    async def work(fm: FaultMaven) -> tuple[str, RenderedReport]:
        chosen = case_id or await newest(fm)
        wanted = "json" if chosen_form == "text" else chosen_form
        return chosen, await rendered(fm, chosen, wanted, redact=not no_redact, scopes=scopes)

    chosen, written = session(home, work)
    text = whole(written)
    if chosen_form == "text":
        from faultmaven_cli.screen import first_screen

        text = first_screen(json.loads(text), more=f"fm report {chosen}")
    deliver(text, output)
    for note in written.guidance.notes:
        click.echo(f"note: {printable(note)}", err=True)


def form_of(output: Path | None) -> str:
    """The format that a file's ending asks for; empty where it asks for none."""
    endings = {".html": "html", ".htm": "html", ".md": "md", ".json": "json", ".txt": "text"}
    return endings.get(output.suffix.lower(), "") if output else ""


async def newest(fm: FaultMaven) -> str:
    """The case opened last. Raises NotFoundError where there is none."""
    from faultmaven_core.cases.commands import ListCases
    from faultmaven_core.shared.errors import NotFoundError

    page = await fm.cases.list(ListCases(limit=1), fm.caller)
    if not page.items:
        raise NotFoundError("There is no case yet; `fm investigate PATH` makes one.")
    return page.items[0].case_id


async def rendered(
    fm: FaultMaven, case_id: str, form: str, *, redact: bool, scopes: tuple[str, ...] = ()
) -> RenderedReport:
    """A report."""
    from faultmaven_core.investigation.commands import RenderReport

    return await fm.investigation.render(RenderReport(case_id, form, redact, scopes), fm.caller)


def whole(report: RenderedReport) -> str:
    """The report as it is written out: in JSON, the guidance stands beside the record's own fields, whose bytes stay."""
    from faultmaven_core.codec import encode

    if report.form != "json":
        return report.text
    return f'{report.text[:-1]},"guidance":{encode(report.guidance).decode()}}}'


def deliver(text: str, output: Path | None) -> None:
    """Write to the file, or to standard output."""
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
    else:
        write_whole(output, text if text.endswith("\n") else text + "\n")
        click.echo(f"wrote {output}", err=True)
