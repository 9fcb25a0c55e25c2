"""`fm checks`: what is looked for in every investigation, and what is accepted here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from faultmaven_cli.output import as_json, json_option, write_whole
from faultmaven_cli.session import HOME_OPTION, settings_of
from faultmaven_cli.views import table

if TYPE_CHECKING:
    from faultmaven_core.analysis.checks.registry import Check

IGNORED = "ignored-checks.json"


@click.group()
def checks() -> None:
    """Invariants that are checked in every investigation; a broken one is a candidate for a cause."""


@checks.command(name="list")
@HOME_OPTION
@json_option
def list_(home: str, json_: bool) -> None:
    """List all checks, and the rules by which some are ignored here."""
    rules = ignored(home)
    known = [_told(check) for _, check in sorted(_registry().items())]
    if json_:
        as_json({"checks": known, "ignored": rules})
        return
    table([[check["id"], check["category"], check["title"]] for check in known], ("id", "category", "title"))
    for rule in rules:
        click.echo(f"ignored: {rule}", err=True)


@checks.command()
@click.argument("check_id", metavar="CHECK")
@json_option
def show(check_id: str, json_: bool) -> None:
    """Show what CHECK looks for, why it matters and what mends it."""
    told = _told(_registry()[_existing(check_id)])
    if json_:
        as_json(told)
    else:
        for name, value in told.items():
            click.echo(f"{name}: {value}")


@checks.command()
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@click.option("--remove", is_flag=True, help="Take the rules off the list again.")
@HOME_OPTION
@json_option
def ignore(rules: tuple[str, ...], remove: bool, home: str, json_: bool) -> None:
    """Ignore what is known and harmless in your place; without RULE, list what is ignored.

    A RULE is a check's id, or "CHECK KIND NAMESPACE/NAME" for one object; * stands for anything. Example:
    fm checks ignore "kubernetes.probe_port_not_exposed pod kube-system/*"
    """
    from faultmaven_core.analysis.checks.ignore import checked_rule
    from faultmaven_core.shared.errors import NotFoundError

    kept = ignored(home)
    for rule in map(checked_rule, rules):
        if "*" not in rule.split()[0]:
            _existing(rule.split()[0])
        if remove and rule not in kept:
            raise NotFoundError(f"'{rule}' is not ignored; `fm checks ignore` lists what is.")
        kept = [one for one in kept if one != rule] + ([] if remove else [rule])
    if rules:
        path = _place(home)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(sorted(kept), indent=2) + "\n")
    if json_:
        as_json(sorted(kept))
    else:
        for rule in sorted(kept):
            click.echo(rule)


def ignored(home: str) -> list[str]:
    """The rules in force, sorted. Raises CorruptDataError where the file is not what we wrote."""
    from faultmaven_core.analysis.checks.ignore import checked_rule
    from faultmaven_core.codec import restore
    from faultmaven_core.shared.errors import CorruptDataError, InvalidInputError

    path = _place(home)
    if not path.exists():
        return []
    try:
        return sorted(checked_rule(rule) for rule in restore(list[str], path.read_bytes()))
    except (CorruptDataError, InvalidInputError) as wrong:
        raise CorruptDataError(f"{path} is no JSON list of rules; mend or remove it.") from wrong


def _place(home: str) -> Path:
    return settings_of(home).home / IGNORED


def _registry() -> Mapping[str, Check]:
    from importlib import import_module

    from faultmaven_core.analysis.checks.registry import REGISTRY

    import_module("faultmaven_core.analysis.checks.run")  # whose imports register every check
    return REGISTRY


def _existing(check_id: str) -> str:
    from difflib import get_close_matches

    from faultmaven_core.shared.errors import NotFoundError

    if check_id not in _registry():
        near = get_close_matches(check_id, _registry(), 1)
        raise NotFoundError(
            f"There is no check '{check_id}'; " + (f"did you mean {near[0]}?" if near else "`fm checks list` has all.")
        )
    return check_id


def _told(check: Check) -> dict[str, str]:
    return {
        "id": check.id,
        "title": check.title,
        "category": str(check.category),
        "why": check.why,
        "remedy": check.remedy,
    }
