"""`fm case`: commands generated from the operation table, and cases as archives."""

from __future__ import annotations

import sys
from contextlib import aclosing
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from faultmaven_cli.generated import add_commands
from faultmaven_cli.intake import STDIN, blocks, spooled_stdin
from faultmaven_cli.output import as_json, json_option, printable, write_pieces
from faultmaven_cli.session import HOME_OPTION, session

if TYPE_CHECKING:
    from faultmaven import FaultMaven
    from faultmaven_core.archives.commands import ImportedCase


@click.group()
def case() -> None:
    """Cases: each holds evidence, its record, and what a person made of it."""


add_commands(case, "case")


@case.command("export")
@click.argument("case_id", metavar="CASE")
@click.option(
    "--output",
    "-o",
    default="",
    metavar="FILE",
    help="Where to write it; default is CASE.zip here, - is standard output.",
)
@HOME_OPTION
@json_option
def export_case(case_id: str, output: str, home: str, json_: bool) -> None:
    """Write CASE as one archive: conversation, journal, record, report, and all files of its evidence as they were.

    The archive is a zip with JSON in it; its manifest has the digest of each part. Secrets in it are not masked. What it is
    made of can be left out by nobody: `fm case import` takes it whole or not at all, here or elsewhere.
    """
    if json_ and output == STDIN:
        raise click.UsageError("Standard output has the archive, so it cannot have JSON too: name a file.")

    async def work(fm: FaultMaven) -> str:
        from faultmaven_core.archives.commands import ExportCase

        archive = await fm.application.archives.export(ExportCase(case_id), fm.caller)
        async with aclosing(archive.chunks()) as chunks:
            if output == STDIN:
                async for chunk in chunks:
                    sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
                return ""
            path = Path(output or archive.name)
            await write_pieces(path, chunks)
            return str(path)

    written = session(home, work)
    if json_:
        as_json({"case_id": case_id, "file": written})
    elif written:
        click.echo(f"written to {printable(written)}", err=True)


@case.command("import")
@click.argument("file", metavar="FILE")
@HOME_OPTION
@json_option
def import_case(file: str, home: str, json_: bool) -> None:
    """Make a case of FILE, an archive that `fm case export` wrote here or elsewhere; - is standard input.

    The case and all that belongs to it get new ids, and its journal says where it came from.
    """

    async def work(fm: FaultMaven) -> ImportedCase:
        from faultmaven_core.archives.commands import ImportCase

        with _opened(file) as opened:
            return await fm.application.archives.take(ImportCase(), blocks(opened), fm.caller)

    found = session(home, work)
    if json_:
        from faultmaven_core.codec import to_builtins

        as_json(to_builtins(found))
        return
    click.echo(found.case.case_id)
    click.echo(f"from {printable(found.from_case)} of {printable(found.from_organization)}", err=True)
    for name in found.missing:
        click.echo(f"note: {printable(name)} was not in the archive", err=True)


def _opened(file: str) -> IO[bytes]:
    from faultmaven_core.shared.errors import NotFoundError

    if file == STDIN:
        return spooled_stdin()
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise NotFoundError(f"{file} cannot be opened ({(error.strerror or 'unknown reason').lower()}).") from error
