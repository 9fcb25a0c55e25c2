"""docs/identity.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import faultmaven_core.identity
from faultmaven_adapters.passwords.common import CommonPasswords
from faultmaven_core.identity.permissions import BUILT_IN
from faultmaven_core.identity.policy import SignInLimits

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "identity.md").read_text()
CORE = Path(str(faultmaven_core.identity.__file__)).parent


def words(row: str) -> set[str]:
    """What stands in code marks in the last column of a row of a table."""
    line = next(line for line in TEXT.splitlines() if line.startswith(f"| {row} |"))
    return set(re.findall(r"`([^`]+)`", line.split("|")[2]))


def test_each_role_has_the_permissions_that_stand_there() -> None:
    """No more and no fewer."""
    held: set[str] = set()
    for name in ("viewer", "member", "admin", "owner"):
        held |= words(f"`{name}`")
        assert held == BUILT_IN[name], name


def test_every_event_that_is_written_stands_there() -> None:
    """And no event that is not."""
    rows = ("users", "passwords", "sessions and tokens", "keys", "invitations", "organizations", "teams")
    told = {event for row in rows for event in words(row)}
    kind = r"\"((?:user|password|session|refresh_token|oauth|api_key|signing_key|invitation|organization|role|team)\.[a-z_]+)\""
    written = {event for file in CORE.glob("*.py") for event in re.findall(kind, file.read_text())}
    # These two are made of the state that an invitation goes into.
    assert told == written | {"invitation.declined", "invitation.revoked"}


def test_the_limits_and_the_number_of_common_passwords_are_those_of_the_code() -> None:
    """Numbers get stale first."""
    limits = SignInLimits()
    shown = re.findall(r"^\|[^|]+\| ([\d,]+) \|", TEXT, re.MULTILINE)
    each = (limits.account, limits.device, limits.address, limits.network, limits.everybody)
    assert [int(number.replace(",", "")) for number in shown] == [limit.rate for limit in each]
    assert "password1" in CommonPasswords()
    assert "the 11,611 most frequent ones" in TEXT
