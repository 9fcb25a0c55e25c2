"""`fm evidence`: generated from the operation table, but for adding and for mining templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from faultmaven_cli.generated import add_commands
from faultmaven_cli.intake import give
from faultmaven_cli.output import as_json, json_option, printable
from faultmaven_cli.session import HOME_OPTION, session
from faultmaven_cli.views import rows, table

if TYPE_CHECKING:
    from faultmaven import FaultMaven
    from faultmaven_core.evidence.commands import EvidenceAdded


@click.group()
def evidence() -> None:
    """Evidence of a case: files that stay where they are, or copies."""


add_commands(evidence, "evidence")


@evidence.command()
@click.argument("case_id", metavar="CASE")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--baseline", is_flag=True, help="It shows how things look when all is well.")
@click.option("--copy", is_flag=True, help="Keep a copy instead of reading the file where it is.")
@HOME_OPTION
@json_option
def add(case_id: str, paths: tuple[str, ...], baseline: bool, copy: bool, home: str, json_: bool) -> None:
    """Add files, folders or archives to CASE; - is standard input."""

    async def work(fm: FaultMaven) -> EvidenceAdded:
        return await give(fm, case_id, paths, role="baseline" if baseline else "incident", copy=copy)

    added = session(home, work)
    if json_:
        from faultmaven_core.codec import to_builtins

        as_json(to_builtins(added))
        return
    rows(added.items, "evidence added")
    for problem in added.problems:
        click.echo(f"note: {printable(problem)}", err=True)


@evidence.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--lines", is_flag=True, help='One JSON object a line: {"line", "template_id", "template"}.')
@json_option
def templates(file: Path, lines: bool, json_: bool) -> None:
    """Mine the message templates of a log file. Needs no case and stores nothing."""
    if lines:
        from faultmaven_core.analysis.extract.template_lines import template_of_lines

        with file.open("rb") as stream:
            for number, template_id, template in template_of_lines(stream):
                found = {"line": number, "template_id": template_id, "template": template}
                click.echo(json.dumps(found, ensure_ascii=False))
        return
    from faultmaven.composition.compute import tools
    from faultmaven_core.analysis.extract.log import finish_log
    from faultmaven_core.analysis.extract.log_pass import read_log_segment
    from faultmaven_core.analysis.model import Entity
    from faultmaven_core.codec import to_builtins

    kit = tools()
    with file.open("rb") as stream:
        summary = read_log_segment(stream, 0, file.stat().st_size, kit)
    mined = finish_log(summary, Entity("source", file.name), "", kit).templates
    if json_:
        as_json(to_builtins(mined))
    else:
        table([[str(t.count), t.severity, t.text] for t in mined], ("count", "severity", "template"))
