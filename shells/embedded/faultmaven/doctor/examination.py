"""The examination: every dependency by itself, so that one that is down hides no other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from faultmaven.doctor import machine, probes
from faultmaven.doctor.findings import Finding, Outcome, Step
from faultmaven.tree import Settings
from faultmaven_core.shared.errors import DeadlineExceededError, FaultMavenError, MisconfiguredError

PATIENCE = 30.0
"""Seconds for one step. A step that is not over by then has hung."""


async def examine(settings: Settings, report: Callable[[Finding], None] = lambda _finding: None) -> Sequence[Finding]:
    """All findings; `report` gets each as soon as it is known. Raises nothing for what it finds."""
    found: list[Finding] = []

    def tell(finding: Finding) -> None:
        found.append(finding)
        report(finding)

    for sentence in machine.problems(settings):
        tell(Finding("machine", "resources", Outcome.WARNING, sentence))
    # What is down now is told now; waiting for it is for starts.
    impatient = replace(settings, startup_wait=0.0)
    try:
        from faultmaven.composition.backends import open_backends

        async with open_backends(impatient) as backends:
            for dependency, steps in probes.plan(impatient, backends):
                await _examine(dependency, steps, tell)
    except MisconfiguredError as error:
        tell(Finding("drivers", "installed", Outcome.FAILED, str(error), code=error.code))
    return found


async def _examine(dependency: str, steps: Sequence[Step], tell: Callable[[Finding], None]) -> None:
    broken = ""
    for step in steps:
        if broken:
            tell(Finding(dependency, step.name, Outcome.LEFT_OUT, f"not tried, because `{broken}` failed"))
            continue
        begin = time.perf_counter()
        notes, failure = await _tried(step)
        took = (time.perf_counter() - begin) * 1000
        if failure is not None:
            tell(Finding(dependency, step.name, Outcome.FAILED, str(failure), took, failure.code))
            broken = step.name if step.needed else ""
            continue
        said, *warnings = notes or ("",)
        tell(Finding(dependency, step.name, Outcome.OK, said, took))
        for sentence in warnings:
            tell(Finding(dependency, step.name, Outcome.WARNING, sentence))


async def _tried(step: Step) -> tuple[Sequence[str], FaultMavenError | None]:
    try:
        return await asyncio.wait_for(step.work(), PATIENCE), None
    except TimeoutError:
        return (), DeadlineExceededError(
            f"No answer within {PATIENCE:.0f} s: something on the way swallows what is sent."
        )
    except FaultMavenError as error:
        return (), error
