"""Rows of identity for an installation to be moved, by table."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from faultmaven_adapters.sql import identity_credential_rows as credentials
from faultmaven_adapters.sql import identity_rows as people
from faultmaven_contract_tests import identity_samples as samples
from faultmaven_contract_tests.samples import START, key
from faultmaven_core.identity.audit_chain import GENESIS, AuditEvent
from faultmaven_core.identity.credentials import digest
from faultmaven_core.shared.ids import OrganizationId

Maker = Callable[[OrganizationId, int, random.Random], Mapping[str, Any]]


def _event(organization: OrganizationId, number: int) -> AuditEvent:
    own = digest(f"{organization} {number}")
    return AuditEvent(organization, number, key(number), START, samples.happening(), GENESIS, own)


def _entry(organization: OrganizationId, number: int, _chance: random.Random) -> Mapping[str, Any]:
    one = samples.user(number, organization)
    entry = {"kind": "username", "digest": digest(one.username), "subject": one.id}
    return {"organization_id": organization, **entry}


PEOPLE: Mapping[str, Maker] = {
    "identity_organization": lambda org, _, __: people.organization_row(samples.organization(org)),
    "identity_user": lambda org, number, _: people.user_row(samples.user(number, org)),
    "identity_role": lambda org, number, _: people.role_row(samples.role(f"role {number}", org)),
    "identity_team": lambda org, number, _: people.team_row(samples.team(number, org)),
    "identity_membership": lambda org, number, _: people.membership_row(samples.membership(number, number, org)),
    "identity_invitation": lambda org, number, _: credentials.invitation_row(samples.invitation(number, org)),
    "identity_refresh_token": lambda org, number, _: credentials.refresh_token_row(samples.token(number, org, number)),
    "identity_api_key": lambda org, number, _: credentials.api_key_row(samples.api_key(number, org, number)),
    "identity_grant": lambda org, number, _: credentials.grant_row(samples.grant(number, org, of=number)),
    "identity_audit": lambda org, number, _: credentials.audit_row(_event(org, number)),
    "identity_audit_head": lambda org, _, __: {"organization_id": org, "sequence": 9, "digest": digest("9")},
    "identity_directory": _entry,
}
"""Of an organization itself there is one row; whoever makes more of it makes it again."""
