"""Bodies of the probes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something that the service needs: up or down, the code of what is wrong, and how long it took to answer."""

    name: str
    status: str
    problem: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Health:
    """`status` is healthy | unhealthy | starting | stopping."""

    status: str
    dependencies: tuple[Dependency, ...]


@dataclass(frozen=True, slots=True)
class Alive:
    """The process answers."""

    status: str
