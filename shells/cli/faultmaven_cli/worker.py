"""`fm worker`: checks what it was given, then becomes the worker."""

from __future__ import annotations

import os
import sys

import click

from faultmaven_cli.session import HOME_OPTION

MOST_PROCESSES = 512

EPILOG = """\b
Examples:
  fm worker --concurrency 4 --beat
  fm worker --autoscale 1,8 --queues reports,default
  FM_JOBS_URL=embedded: fm worker      # no broker: jobs are taken from their rows

SIGTERM stops it: what runs may finish within FM_WORKER_GRACE, then it is handed back to other workers. See docs/scaling.md.
"""


class Bounds(click.ParamType[tuple[int, int]]):
    """Two whole numbers, MIN,MAX."""

    name = "MIN,MAX"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The numbers. Raises BadParameter where they are none, or in the wrong order."""
        fewest, _, most = value.partition(",")
        if not (fewest.strip().isdecimal() and most.strip().isdecimal()):
            self.fail(f"{value!r} is not two whole numbers such as 1,8.", param, ctx)
        bounds = int(fewest), int(most)
        if not 1 <= bounds[0] <= bounds[1] <= MOST_PROCESSES:
            self.fail(f"{value!r} must go up, from at least 1 to at most {MOST_PROCESSES}.", param, ctx)
        return bounds


@click.command(epilog=EPILOG)
@click.option(
    "--concurrency",
    type=click.IntRange(1, MOST_PROCESSES),
    metavar="N",
    help="Processes; default is one per processor.",
)
@click.option("--autoscale", type=Bounds(), help="Between so many processes, by the work there is; instead of N.")
@click.option("--queues", metavar="A,B", help="Queues to take jobs from; default is FM_WORKER_QUEUES.")
@click.option("--beat", is_flag=True, help="Also start what is scheduled and what was lost; one worker must.")
@HOME_OPTION
def worker(
    concurrency: int | None, autoscale: tuple[int, int] | None, queues: str | None, beat: bool, home: str
) -> None:
    """Run jobs: what operations left to be done after their commits.

    Options stand above the FM_WORKER_* variables of the same meaning. Needs no broker where FM_JOBS_URL is `embedded:`.
    """
    from faultmaven import load_settings
    from faultmaven_cli.environment import replaced

    if concurrency and autoscale:
        raise click.UsageError("--concurrency and --autoscale exclude each other: give one.")
    given = _variables(concurrency, autoscale, queues, beat=beat)
    if home:
        given["FM_HOME"] = home
    environ = replaced(os.environ, given)
    load_settings(environ)  # what is wrong is said here, in the words of every command
    sys.stderr.flush()
    # Instead of a child: process 1 of a container is then the worker itself, and gets the signals.
    os.execve(sys.executable, [sys.executable, "-m", "faultmaven_worker"], environ)  # noqa: S606 - our own module


def _variables(
    concurrency: int | None, autoscale: tuple[int, int] | None, queues: str | None, *, beat: bool
) -> dict[str, str]:
    given: dict[str, str] = {}
    if concurrency:
        given |= {"FM_WORKER_CONCURRENCY": str(concurrency), **dict.fromkeys(_AUTOSCALE, "")}
    if autoscale:
        given |= dict(zip(_AUTOSCALE, map(str, autoscale), strict=True)) | {"FM_WORKER_CONCURRENCY": ""}
    if queues is not None:
        given["FM_WORKER_QUEUES"] = queues
    if beat:
        given["FM_WORKER_BEAT"] = "true"
    return given


_AUTOSCALE = ("FM_WORKER_AUTOSCALE_MIN", "FM_WORKER_AUTOSCALE_MAX")
