"""`fm case`: commands generated from the operation table."""

from __future__ import annotations

import click

from faultmaven_cli.generated import add_commands


@click.group()
def case() -> None:
    """Cases: each holds evidence, its record, and what a person made of it."""


add_commands(case, "case")
