"""`fm transfer`: moves an installation to other backends."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from faultmaven_cli.output import as_json, colours, json_option
from faultmaven_cli.session import HOME_OPTION

if TYPE_CHECKING:
    from faultmaven_core.transfer.model import Outcome, Progress, Report

EXAMPLES = """\b
Examples:
  fm transfer --to "$NEW_DATABASE_URL" --dry-run         how much there is, from what the settings name
  fm transfer --from file:blobs --to "$NEW_BLOBS_URL"
  fm transfer --from vectors=sqlite:vectors.db --to "$NEW_VECTORS_URL"
  fm transfer --from database=sqlite:fm.db --to "$NEW_DATABASE_URL" --from file:blobs --to "$NEW_BLOBS_URL"
"""


@click.command(epilog=EXAMPLES)
@click.option("--from", "sources", multiple=True, metavar="URL", help="Where from; default is what the settings name.")
@click.option("--to", "targets", multiple=True, metavar="URL", help="Where to; default is what the settings name.")
@click.option(
    "--organization", "organizations", multiple=True, metavar="NAME", help="Only what is this one's; default is all."
)
@click.option("--dry-run", is_flag=True, help="Connect to both sides and say what would be copied.")
@click.option("--verify-only", is_flag=True, help="Copy nothing, compare both sides.")
@click.option("--no-verify", is_flag=True, help="Do not compare at the end.")
@click.option("--restart", is_flag=True, help="Forget what an earlier run has copied; the target must be empty.")
@click.option(
    "--journal", type=click.Path(dir_okay=False, path_type=Path), help="Where to keep what is copied already."
)
@HOME_OPTION
@json_option
def transfer(
    sources: tuple[str, ...],
    targets: tuple[str, ...],
    organizations: tuple[str, ...],
    dry_run: bool,
    verify_only: bool,
    no_verify: bool,
    restart: bool,
    journal: Path | None,
    home: str,
    json_: bool,
) -> None:
    """Copy a database, blobs or vectors to another backend, and compare both sides by counts and digests.

    Stop FaultMaven's services first. Killed at any moment, the same command goes on where it was. The target must be empty,
    and a PostgreSQL migrated (`fm migrate`). Options may be repeated to move the whole installation: the first --from
    belongs to the first --to. Where a URL may be of two kinds, write database=, blobs= or vectors= in front of it. Settings
    of one side alone are given as FM_FROM_... and FM_TO_..., as FM_TO_S3_SECRET_KEY. Nothing is removed from the source.
    """
    if (dry_run + verify_only + no_verify) > 1:
        raise click.UsageError("--dry-run, --verify-only and --no-verify exclude each other.")
    from faultmaven.composition.transfer import TransferRequest

    request = TransferRequest(sources, targets, organizations, journal, restart, look=dry_run or verify_only)
    environ = {**os.environ, **({"FM_HOME": home} if home else {})}
    mode = "plan" if dry_run else "verify" if verify_only else "copy" if no_verify else "run"
    report = asyncio.run(_transferred(request, environ, mode))
    if json_:
        as_json(dataclasses.asdict(report))
    else:
        _tell(report, mode)


async def _transferred(request: Any, environ: dict[str, str], mode: str) -> Report:
    from faultmaven.composition.transfer import open_transfer

    with _Bar() as bar:
        async with open_transfer(request, environ=environ, report=bar) as moving:
            match mode:
                case "plan":
                    return await moving.plan()
                case "verify":
                    return await moving.verify()
                case _:
                    return await moving.run(verify=mode == "run")


def _tell(report: Report, mode: str) -> None:
    for kind, (source, target) in report.places.items():
        click.echo(f"{kind}: {source} -> {target}")
    for outcome in report.outcomes:
        if outcome.part.items or outcome.copied:
            click.echo(f"  {_line(outcome)}")
    copied = sum(outcome.copied for outcome in report.outcomes)
    total = sum(outcome.part.items for outcome in report.outcomes)
    gone_on = "Went on with an earlier run: " if report.resumed else ""
    match mode:
        case "plan":
            click.echo(f"{gone_on}{total:,} items would be copied, but for those that are already. Nothing was copied.")
        case "verify":
            click.echo(f"{total:,} items are the same on both sides.")
        case "copy":
            click.echo(f"{gone_on}{copied:,} items copied, not compared.")
        case _:
            click.echo(f"{gone_on}{copied:,} items copied; {total:,} are the same on both sides.")


def _line(outcome: Outcome) -> str:
    size = f", {outcome.part.size / 1e6:,.1f} MB" if outcome.part.size else ""
    digest = f"  sha256 {outcome.source.sha256[:16]}" if outcome.source else ""
    return f"{outcome.part}: {outcome.part.items:,}{size}{digest}"


class _Bar:
    """How far it is, on stderr where that is a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                console=Console(stderr=True, no_color=not colours(sys.stderr)),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("connecting", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Take a step of the transfer."""
        if self._bar is not None:
            self._bar.update(
                self._task,
                description=f"{progress.stage} {progress.part}",
                completed=progress.items,
                total=max(progress.part.items, progress.items),
            )
