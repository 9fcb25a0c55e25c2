"""`fm jobs`: commands generated from the operation table."""

from __future__ import annotations

import click

from faultmaven_cli.generated import add_commands


@click.group()
def jobs() -> None:
    """Background jobs: what was left to do after a change was saved, and how it went."""


add_commands(jobs, "job")
