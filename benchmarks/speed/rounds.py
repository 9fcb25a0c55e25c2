"""Rounds of all programs in turn, medians of the ratios within a round, and whether a goal is met.

CPU time decides, since it moves least with what else runs. A round in which others took more than half a core is
repeated (three times at most); if it stays so the run is noisy, which is said, and goals are held loosely.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeAlias

from benchmarks.speed.goals import Goal
from benchmarks.speed.measure import run

NOISE = 0.5
"""Cores that others may keep busy in a round that counts."""

LOOSE = 1.5
"""Factor by which a goal is held loosely in a noisy run."""

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run was asked for: a folder for its files, the test data, sizes in MiB."""

    folder: Path
    data: Path
    mb: int
    large_mb: int


@dataclass(frozen=True, slots=True)
class Program:
    """A process to run. `units` is how much work it does, where it does not print `measure.timed`'s line itself."""

    command: Sequence[str]
    units: float | None = None


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of a part in the order of a round, what their units are, and the servers that they talk to."""

    by_name: Mapping[str, Program]
    unit: str
    servers: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the benchmark. `programs` prepares (data, servers) and cleans up; `afterwards` has what needs no rounds."""

    programs: Callable[[Setting], AbstractContextManager[Programs]]
    afterwards: Callable[[Setting], Sequence[bool]] = lambda _setting: ()


@dataclass(frozen=True, slots=True)
class Sample:
    """What one unit of work cost in one round; the peak is of the whole program."""

    cpu: float
    wall: float
    peak: float


Samples: TypeAlias = dict[str, list[Sample]]


def sampled(programs: Programs, rounds: int) -> tuple[Samples, bool]:
    """Samples of each program, one per round, and whether the run was noisy."""
    samples: Samples = {name: [] for name in programs.by_name}
    noisy = False
    for _ in range(rounds):
        for attempt in range(4):
            found, foreign = _round(programs)
            if foreign <= NOISE:
                break
            noisy = noisy or attempt == 3
        print(f"  round: others took up to {foreign:.2f} cores")
        for name, sample in found.items():
            samples[name].append(sample)
    return samples, noisy


def _round(programs: Programs) -> tuple[dict[str, Sample], float]:
    found, foreign = {}, 0.0
    for name, program in programs.by_name.items():
        cost = run(program.command, programs.servers)
        if program.units is not None:
            found[name] = Sample(cost.cpu / program.units, cost.wall / program.units, cost.peak)
        elif cost.output:
            told = json.loads(cost.output)
            found[name] = Sample(told["cpu"] / told["units"], told["wall"] / told["units"], told.get("peak", cost.peak))
        else:
            raise SystemExit(f"{name} did not end its work: {' '.join(program.command)}")
        foreign = max(foreign, cost.foreign)
    return found, foreign


def show(samples: Samples, unit: str) -> None:
    """Print what each program did."""
    width = max(map(len, samples))
    for name, found in samples.items():
        rates = [1 / sample.cpu for sample in found]
        wall, peak = median(1 / sample.wall for sample in found), median(sample.peak for sample in found)
        print(
            f"{name:{width}} {median(rates):10.5g} {unit} per CPU-second [{min(rates):.5g}-{max(rates):.5g}], "
            f"{wall:.5g} per second, {peak / MEBIBYTE:.0f} MiB"
        )


def met(goal: Goal, samples: Samples, slack: float) -> bool:
    """Whether a goal is met, which is printed."""
    costs = [
        getattr(own, goal.by) / getattr(peer, goal.by)
        for own, peer in zip(samples[goal.own], samples[goal.peer], strict=True)
    ]
    if goal.least is not None:
        return judged(goal.name, [1 / cost for cost in costs], least=goal.least / slack)
    return judged(goal.name, costs, most=None if goal.most is None else goal.most * slack)


def judged(name: str, values: Sequence[float], *, least: float | None = None, most: float | None = None) -> bool:
    """Whether the median is within the bound, which is printed. Without a bound it is only shown."""
    value = median(values)
    good = (least is None or value >= least) and (most is None or value <= most)
    bound = f"goal >= {least:.2f}" if least is not None else f"goal <= {most:.2f}" if most is not None else "no goal"
    print(f"{'ok  ' if good else 'MISS'} {name}: {value:.2f} [{min(values):.2f}-{max(values):.2f}], {bound}")
    return good
