"""`fm admin` and `fm audit`: who works at the machine makes the first owner, and sees whether the log was tampered with."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Fm = Callable[..., subprocess.CompletedProcess[str]]
PASSWORD = "seven wild geese over Turku"


@pytest.fixture
def told(fm: Fm) -> Callable[..., Any]:
    """Run `fm` and read its JSON; it must succeed."""

    def run(*arguments: str, stdin: str = "") -> Any:
        done = fm(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_the_first_owner_and_then_others(fm: Fm, told: Callable[..., Any], tmp_path: Path) -> None:
    """A password comes from a file or standard input and is told nowhere; a second first owner there is not."""
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    owner = told("admin", "init", "Root", "--email", "Root@example.org", "--password-file", str(secret))
    assert (owner["username"], owner["organization_id"], owner["is_dev_user"]) == ("root", "local", False)
    assert {"owner", "admin"} <= set(owner["roles"])
    again = fm("admin", "init", "other", "--password-file", "-", stdin=PASSWORD)
    assert (again.returncode, again.stdout) == (5, "")
    unasked = fm("admin", "init", "other")
    assert unasked.returncode == 2
    assert "--password-file" in unasked.stderr
    made = told(
        "admin", "user", "create", "ann", "--role", "viewer", "--role", "member", "--password-file", "-", stdin=PASSWORD
    )
    assert made["roles"] == ["viewer", "member"]
    last = fm("admin", "user", "roles", owner["user_id"], "member")
    assert (last.returncode, last.stdout) == (5, "")
    table = fm("admin", "user", "list").stdout
    assert [line.split("\t")[1] for line in table.splitlines()] == ["root", "ann"]
    database = (tmp_path / "home" / "faultmaven.db").read_bytes()
    assert PASSWORD.encode() not in database + table.encode()


def test_an_organization_of_its_own(fm: Fm, told: Callable[..., Any]) -> None:
    """With roles and teams; whoever names another organization's user finds nobody; a suspended one is resumed."""
    owner = told("admin", "org", "create", "Shop", "shopkeeper")
    shop = owner["organization_id"]
    assert [one["organization_id"] for one in told("admin", "org", "list")["organizations"]] == [shop]
    within = ("--organization", shop)
    told("admin", "role", "save", "on-call", "case:read", "case:write", *within)
    assert fm("admin", "role", "save", "god", "case:everything", *within).returncode == 2
    assert "on-call" in [role["name"] for role in told("admin", "role", "list", *within)["roles"]]
    team = told("admin", "team", "create", "night-shift", *within)["team_id"]
    assert told("admin", "team", "add", team, owner["user_id"], *within)["members"] == [owner["user_id"]]
    assert fm("admin", "user", "show", owner["user_id"]).returncode == 4
    assert told("admin", "org", "suspend", *within)["state"] == "suspended"
    assert told("admin", "org", "resume", *within)["state"] == "active"
    refused = fm("admin", "user", "delete", owner["user_id"], *within)
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)


def test_keys_are_made_at_first_use_and_rotated(fm: Fm, told: Callable[..., Any], tmp_path: Path) -> None:
    """Nobody but the owner of the files can read them; none is in the database."""
    before = told("admin", "key", "list")["keys"]
    assert sorted(key["state"] for key in before) == ["active", "next"]
    folder = tmp_path / "home" / "keys"
    private = [path for path in folder.iterdir() if path.suffix == ".pem"]
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    soon = fm("admin", "key", "rotate")
    assert soon.returncode == 5, soon.stderr
    after = told("admin", "key", "rotate", "--compromised")["keys"]
    assert {key["kid"] for key in before if key["state"] == "active"}.isdisjoint(key["kid"] for key in after)


def test_a_log_that_was_tampered_with_shows(fm: Fm, told: Callable[..., Any], tmp_path: Path) -> None:
    """An edit, a lost end, and a log that was written anew from its beginning."""
    for name in ("ann", "bob", "eve"):
        told("admin", "org", "create", name, name)
    shops = [one["organization_id"] for one in told("admin", "org", "list")["organizations"]]
    logs = told("audit", "verify", "--all")["logs"]
    assert [(log["organization"], log["intact"]) for log in logs] == [(shop, True) for shop in shops]
    assert [event["action"] for event in told("audit", "list", "--organization", shops[0])["events"]] == [
        "organization.created",
        "user.created",
    ]
    exported = [json.loads(line) for line in fm("audit", "export", "--organization", shops[0]).stdout.splitlines()]
    assert [event["previous"] for event in exported] == ["0" * 64, exported[0]["digest"]]
    path = tmp_path / "home" / "faultmaven.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE identity_audit SET actor = 'x' WHERE organization_id = ? AND sequence = 2", [shops[0]])
        database.execute("DELETE FROM identity_audit WHERE organization_id = ? AND sequence = 2", [shops[1]])
    done = fm("audit", "verify", "--all", "--json")
    assert done.returncode == 70
    found = json.loads(done.stdout)["logs"]
    assert [(log["intact"], log["broken_at"]) for log in found] == [(False, 2), (False, 2), (True, 0)]
    assert f"{shops[0]} at event 2" in done.stderr
    within = ("--organization", shops[2])
    assert fm("audit", "verify", *within, "--head", logs[2]["head"]).returncode == 0
    assert fm("audit", "verify", *within, "--head", logs[0]["head"]).returncode == 70
