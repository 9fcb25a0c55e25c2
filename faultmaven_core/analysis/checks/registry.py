"""The register of checks: what each looks for, why it matters, and what mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from faultmaven_core.analysis.graph.kubernetes_objects import Cluster, KubernetesObject
from faultmaven_core.analysis.model import Category, Fact, Violation

Find = Callable[[Cluster], Iterable[Violation]]


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant. `find` yields a violation for every object that breaks it; its docstring is the title."""

    id: str
    title: str
    why: str
    remedy: str
    category: Category
    find: Find


REGISTRY: dict[str, Check] = {}
"""All checks by id, filled when the modules that hold them are imported."""


def check(name: str, *, why: str, remedy: str, category: Category) -> Callable[[Find], Find]:
    """Register a function as a check. Raises ValueError where the id is taken."""

    def register(find: Find) -> Find:
        if name in REGISTRY:
            raise ValueError(f"two checks are called {name}")
        REGISTRY[name] = Check(name, (find.__doc__ or name).partition("\n")[0].rstrip("."), why, remedy, category, find)
        return find

    return register


def broken(
    subject: KubernetesObject,
    premises: Iterable[Fact | None],
    actual: str,
    *,
    expected: str,
    otherwise: str = "",
    certain: bool = True,
    **bindings: object,
) -> Violation:
    """A violation; its check's id is filled in by the register. Premises that are None and empty bindings drop out."""
    return Violation(
        "",
        subject.entity,
        tuple(fact for fact in premises if fact is not None),
        expected,
        actual,
        otherwise,
        certain,
        tuple(sorted((key, str(value)) for key, value in bindings.items() if value not in ("", None))),
    )


def violations(cluster: Cluster, checks: Iterable[Check]) -> list[Violation]:
    """What these checks find, by check and subject, without repetition."""
    found = [
        replace(each, check=one.id)
        for one in sorted(checks, key=lambda c: c.id)
        for each in one.find(cluster)
        if each.premises
    ]
    return list(dict.fromkeys(sorted(found, key=lambda v: (v.check, v.subject, v.actual))))
