"""`fm verify`: are the claims of a record true of the evidence? Anybody's record, whoever or whatever wrote it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from faultmaven_cli.json_lines import json_lines
from faultmaven_cli.output import printable
from faultmaven_core.analysis.claims.citations import Evidence
from faultmaven_core.analysis.claims.verify import Judgement, Status, verify
from faultmaven_core.analysis.record import Citation
from faultmaven_core.codec import convert
from faultmaven_core.shared.errors import InvalidInputError

Row = Mapping[str, Any]


@click.command(name="verify")
@click.argument("claims", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--evidence",
    "folders",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="A file or folder of the evidence; may be given several times.",
)
@click.option("--json", "json_", is_flag=True, help="Print a JSON line per claim.")
def verify_command(claims: Path, folders: tuple[Path, ...], json_: bool) -> None:
    """Check every claim of CLAIMS against the evidence, whatever status it states.

    CLAIMS is a record (JSON), or JSON lines with a claim each. Ends with exit code 1 if a claim that calls itself
    verified is not.
    """
    from faultmaven_cli.evidence_files import opened_evidence

    false = 0
    with ExitStack() as stack:
        evidence = opened_evidence(folders, stack)
        for row in claims_of(claims):
            claim = row.get("claim", row)
            judgement = judged(claim, evidence)
            false += claim.get("status") == Status.VERIFIED and judgement.status is not Status.VERIFIED
            if json_:
                line = {"id": row.get("id", ""), "status": str(judgement.status), "reason": judgement.reason}
                click.echo(json.dumps(line, ensure_ascii=False))
            else:
                click.echo(
                    f"{judgement.status:12}  {printable(str(row.get('id', '')))}  "
                    f"{printable(str(claim.get('text', '')))}\n{'':14}{printable(judgement.reason)}"
                )
    if false:
        raise click.exceptions.Exit(1)


def claims_of(path: Path) -> Iterator[Row]:
    """The claims of a record or of JSON lines. Raises InvalidInputError that names the file and the line."""
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    if isinstance(whole, dict) and isinstance(whole.get("claims"), list):
        yield from (row for row in whole["claims"] if isinstance(row, dict))
        return
    for number, row in json_lines(text):
        if row is None or not isinstance(row.get("claim", row), dict):
            raise InvalidInputError(
                f"{path}: line {number} is no claim; give a record, or JSON lines with a claim each."
            )
        yield row


def judged(claim: Row, evidence: Evidence) -> Judgement:
    """One claim's judgement; what is not even formed like a claim is unverified."""
    text, cited, kind = claim.get("text"), claim.get("citations"), claim.get("kind", "")
    if not isinstance(text, str) or not isinstance(cited, list) or not isinstance(kind, str):
        return Judgement(Status.UNVERIFIED, "it has no text or no list of citations")
    try:
        citations = [convert(Citation, one) for one in cited]
    except InvalidInputError as error:
        return Judgement(Status.UNVERIFIED, f"a citation is malformed: {error}")
    return verify(text, citations, evidence, kind)
