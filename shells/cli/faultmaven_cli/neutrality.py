"""`fm neutrality`: the audit's findings beside the test runs that answer them."""

from __future__ import annotations

import dataclasses

import click

from faultmaven_cli.output import as_json, json_option


@click.command()
@json_option
def neutrality(json_: bool) -> None:
    """Show how far this version runs anywhere: each finding of the public audit, and the runs that prove its answer.

    What is printed was recorded when this version was tested; nothing is measured now, and no server is needed.
    """
    from faultmaven.neutrality import verdicts
    from faultmaven.neutrality.document import counted, one_line

    found = verdicts()
    if json_:
        as_json([dataclasses.asdict(verdict) for verdict in found])
        return
    for verdict in found:
        row = verdict.row
        audited = "" if row.audited is None else f" (audited {row.audited} %)"
        click.echo(f"{verdict.standing:<9}  {row.service} · {row.dimension}{audited}: {row.wanted}")
        for proof in verdict.proofs:
            click.echo(f"             {one_line(proof)}")
        if row.missing:
            click.echo(f"             not built: {row.missing}")
    click.echo(f"\n{counted(found)}")
