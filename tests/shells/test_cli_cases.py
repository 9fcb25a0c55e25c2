"""Commands made from the operation table, and those beside it: cases, evidence, checks, settings."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import click

from faultmaven_cli.generated import GROUPS, IRREVERSIBLE, NOT_OFFERED
from faultmaven_cli.main import fm as command_line
from faultmaven_core.operations import OPERATIONS

Fm = Callable[..., subprocess.CompletedProcess[str]]


def _investigated(fm: Fm, evidence: Path) -> str:
    done = fm("investigate", evidence, "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["case_id"])


def test_every_operation_is_a_command_or_listed_as_not_offered() -> None:
    """A new operation reaches people, or somebody says why not."""
    context = click.Context(command_line)
    for name, operation in OPERATIONS.items():
        area, _, verb = name.partition(".")
        group = command_line.get_command(context, GROUPS.get(area, area))
        offered = isinstance(group, click.Group) and verb in group.commands and name not in NOT_OFFERED
        assert offered or name in NOT_OFFERED or operation.background, name
    assert set(NOT_OFFERED) <= set(OPERATIONS)
    assert set(IRREVERSIBLE) <= set(OPERATIONS)


def test_life_of_a_case(fm: Fm, evidence: Path) -> None:
    """Listed, shown, confirmed, closed, deleted; a terminal case refuses, a deleted one is not found."""
    case = _investigated(fm, evidence)
    assert fm("case", "list").stdout.startswith(case + "\t")
    assert json.loads(fm("case", "show", case, "--json").stdout)["status"] == "investigating"
    confirmed = json.loads(fm("case", "confirm", case, "--note", "seen in the dump", "--json").stdout)
    assert (confirmed["verdict"], confirmed["judgement"]) == ("confirmed", "confirmed")
    assert fm("report", "--format", "text").stdout.startswith("CONFIRMED ")
    assert json.loads(fm("case", "close", case, "--reason", "resolved", "--json").stdout)["status"] == "resolved"
    assert fm("case", "close", case).returncode == 5
    assert fm("case", "delete", case, "--yes").returncode == 0
    assert fm("case", "show", case).returncode == 4


def test_cause_can_be_rejected_with_what_it_really_was(fm: Fm, evidence: Path) -> None:
    """The one label that a product may learn from."""
    case = _investigated(fm, evidence)
    rejected = json.loads(fm("case", "reject", case, "--cause", "A leak in release 2.14.", "--json").stdout)
    assert rejected["judgement"] == "rejected"
    assert rejected["actual_cause"] == "A leak in release 2.14."


def test_nothing_is_destroyed_where_nobody_can_be_asked(fm: Fm, evidence: Path) -> None:
    """A script has to say `--yes`; without it the case stays."""
    case = _investigated(fm, evidence)
    refused = fm("case", "delete", case)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert fm("case", "show", case).returncode == 0
    planned = json.loads(fm("case", "prune", "--older-than", "0d", "--dry-run", "--json").stdout)
    assert planned == {"case_ids": []}


def test_evidence_is_added_listed_shown_searched_classified_and_removed(fm: Fm, evidence: Path, tmp_path: Path) -> None:
    """The words of a log line lead to the line; what a person says of a file is kept."""
    case = _investigated(fm, evidence)
    more = tmp_path / "notes.txt"
    more.write_text("deployed 2.14 at 14:00\n")
    added = json.loads(fm("evidence", "add", case, more, "--copy", "--json").stdout)["items"][0]
    assert (added["custody"], added["state"]) == ("copy", "available")
    listed = json.loads(fm("evidence", "list", case, "--json").stdout)["items"]
    log = next(item for item in listed if item["name"].endswith("web-0.log"))
    hits = json.loads(fm("evidence", "search", case, "outofmemoryerror heap", "--json").stdout)["hits"]
    assert [hit["line"] for hit in hits] == [301]
    shown = json.loads(
        fm("evidence", "show", case, log["evidence_id"], "--first-line", "300", "--lines", "1", "--json").stdout
    )
    assert shown["text"] == [{"line": 300, "text": "2026-03-02T14:04:59Z INFO served request 299"}]
    assert json.loads(fm("evidence", "classify", case, log["evidence_id"], "log", "--json").stdout)["kind"] == "log"
    assert fm("evidence", "delete", case, added["evidence_id"], "--yes").returncode == 0
    assert added["evidence_id"] not in fm("evidence", "list", case).stdout


def test_templates_are_mined_without_a_case(fm: Fm, evidence: Path) -> None:
    """A table for people, one JSON object a line for programs, and no database is made for it."""
    lines = [
        json.loads(line) for line in fm("evidence", "templates", evidence / "web-0.log", "--lines").stdout.splitlines()
    ]
    assert [line["line"] for line in lines] == list(range(1, 302))
    assert set(lines[0]) == {"line", "template_id", "template"}
    assert len({line["template_id"] for line in lines[:300]}) == 1
    mined = fm("evidence", "templates", evidence / "web-0.log")
    assert mined.returncode == 0, mined.stderr
    assert mined.stdout.splitlines()[0].startswith("300\t")
    assert fm("case", "list").stdout == "no items\n"


def test_checks_explain_themselves_and_can_be_ignored(fm: Fm) -> None:
    """A rule is kept until it is taken off; a mistyped one is refused with what was meant."""
    known = json.loads(fm("checks", "list", "--json").stdout)["checks"]
    assert len(known) >= 30
    assert all(check["title"] and check["why"] and check["remedy"] for check in known)
    name = known[0]["id"]
    assert fm("checks", "show", name).stdout.startswith(f"id: {name}\n")
    assert fm("checks", "ignore", f"{name} pod kube-system/*").stdout == f"{name} pod kube-system/*\n"
    assert json.loads(fm("checks", "list", "--json").stdout)["ignored"] == [f"{name} pod kube-system/*"]
    assert fm("checks", "ignore", "--remove", f"{name} pod kube-system/*").stdout == ""
    wrong = fm("checks", "ignore", name[:-1])
    assert wrong.returncode == 4
    assert f"did you mean {name}?" in wrong.stderr


def test_damaged_ignore_list_is_a_sentence(fm: Fm, environ: dict[str, str]) -> None:
    """It names the file; nothing is ignored by accident."""
    place = Path(environ["FM_HOME"]) / "ignored-checks.json"
    place.parent.mkdir()
    place.write_text('{"not": "a list", "of": 1}')
    done = fm("checks", "ignore")
    assert done.returncode == 70
    assert str(place) in done.stderr


def test_settings_are_shown_with_their_origin_and_checked(fm: Fm, environ: dict[str, str]) -> None:
    """What is in force, where it comes from, and whether it opens."""
    shown = {row["name"]: row for row in json.loads(fm("config", "show", "--json").stdout)}
    assert shown["FM_HOME"] == {"name": "FM_HOME", "value": environ["FM_HOME"], "origin": "environment"}
    assert fm("config", "check").returncode == 0
    broken = fm("config", "check", FM_DATABASE_URL="oracle:x")
    assert broken.returncode == 78
    assert "FM_DATABASE_URL" in broken.stderr


def test_ignored_checks_are_no_findings(fm: Fm, tmp_path: Path) -> None:
    """What is accepted in this place is not told again; what is not, is."""
    service = tmp_path / "service.yaml"
    service.write_text(
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: Service, metadata: {name: cart, namespace: shop}, spec: {selector: {app: cart}}}\n"
        "- {apiVersion: v1, kind: Pod, metadata: {name: cart-0, namespace: shop, labels: {app: basket}},\n"
        "   spec: {containers: [{name: app, image: cart}]}, status: {phase: Running}}\n"
    )

    def told() -> str:
        record = json.loads(fm("investigate", service, "--question", "Is service cart well?", "--json").stdout)
        return json.dumps([record["findings"], record["hypotheses"], record["root_cause"]])

    assert "selector" in told()
    assert fm("checks", "ignore", "kubernetes.service_* service shop/cart").returncode == 0
    assert "selector" not in told()
