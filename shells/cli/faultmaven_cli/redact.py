"""`fm redact`: a text without its secrets, before it is pasted into a ticket or a chat."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from faultmaven_cli.json_lines import json_lines
from faultmaven_core.shared.errors import InvalidInputError


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--addresses", is_flag=True, help="Mask IP addresses too.")
@click.option("--field", default="", help="FILE is JSON lines: redact this field of each.")
@click.option(
    "--spans", is_flag=True, help="With --field: print what would be masked (start, end, kind), not the text."
)
def redact(file: Path, addresses: bool, field: str, spans: bool) -> None:
    """Print FILE (or - for stdin) with secrets and personal data replaced by placeholders.

    The same secret gets the same placeholder everywhere. Names of people and postal addresses are not recognised.
    """
    from faultmaven_core.analysis.redaction.redactor import Redactor

    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    text = data.decode("utf-8", "replace")
    redactor = Redactor(addresses=addresses)
    if not field:
        click.echo(redactor.mask(text), nl=False)
        return
    for number, row in json_lines(text):
        if row is None:
            raise InvalidInputError(f"{file}: line {number} is no JSON object; leave out --field for plain text.")
        value = row.get(field)
        if not isinstance(value, str):
            raise InvalidInputError(f"{file}: line {number} has no text in {field!r}; name another --field.")
        if spans:
            # each line stands for itself: positions must not depend on what other lines hold
            found = Redactor(addresses=addresses).redact(value).spans
            kept = {key: part for key, part in row.items() if key != field}
            click.echo(json.dumps({**kept, "masked": [[one.start, one.end, one.kind] for one in found]}))
        else:
            click.echo(json.dumps({**row, field: redactor.mask(value)}, ensure_ascii=False))
