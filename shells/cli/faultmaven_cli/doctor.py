"""`fm doctor`: tries every dependency for real."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from faultmaven_cli.output import as_json, colours, json_option, printable
from faultmaven_cli.session import HOME_OPTION, settings_of

if TYPE_CHECKING:
    from faultmaven.doctor import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "left out": "bright_black"}


@click.command()
@HOME_OPTION
@json_option
def doctor(home: str, json_: bool) -> None:
    """Try what the settings name: write, read, delete, latency, version, clock; say what is wrong and how to mend it.

    Everything is tried under names of its own (organization `fm-doctor`) and removed again. Ends with 0 where all works,
    with the code of the first failure otherwise; warnings do not count.
    """
    from faultmaven_cli.failures import exit_code_of

    settings = settings_of(home)

    from faultmaven.doctor import examine

    shown: list[Finding] = []

    def tell(finding: Finding) -> None:
        if not json_:
            _print(finding, begins=not shown or shown[-1].dependency != finding.dependency)
        shown.append(finding)

    found = asyncio.run(examine(settings, tell))
    failed = [finding for finding in found if finding.outcome == "failed"]
    if json_:
        as_json(
            {
                "ok": not failed,
                "findings": [
                    {
                        "dependency": finding.dependency,
                        "step": finding.step,
                        "outcome": str(finding.outcome),
                        "detail": finding.detail,
                        "milliseconds": None if finding.milliseconds is None else round(finding.milliseconds, 1),
                        "error": finding.code,
                    }
                    for finding in found
                ],
            }
        )
    else:
        warnings = sum(finding.outcome == "warning" for finding in found)
        click.echo(f"\n{'Everything works' if not failed else f'{len(failed)} failed'}, {warnings} warnings.")
    if failed:
        sys.exit(exit_code_of(failed[0].code))


def _print(finding: Finding, *, begins: bool) -> None:
    if begins:
        click.echo(finding.dependency)
    mark = f"{finding.outcome:<9}"
    if colours():
        mark = click.style(mark, fg=_COLOURS[finding.outcome])
    took = "" if finding.milliseconds is None else f"{finding.milliseconds:6.0f} ms"
    detail = printable(finding.detail)
    click.echo(f"  {mark} {took:>9}  {finding.step}{f': {detail}' if detail else ''}")
