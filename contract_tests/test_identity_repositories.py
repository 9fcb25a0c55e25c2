"""The contracts of identity's repositories on our storages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_contract_tests.identity_audit import AuditContract
from faultmaven_contract_tests.identity_credentials import CredentialsContract
from faultmaven_contract_tests.identity_repositories import PeopleContract
from faultmaven_contract_tests.identity_tenancy import IdentityTenancyContract
from faultmaven_contract_tests.samples import Storage
from storages import OPENERS

WITHOUT_POOLER = {name: opener for name, opener in OPENERS.items() if name != "pgbouncer"}


@pytest.fixture
async def subject(backend: str, tmp_path: Path) -> AsyncIterator[Storage]:
    """A fresh storage."""
    async with OPENERS[backend](tmp_path) as storage:
        yield storage


class TestPeople(PeopleContract):
    """Organizations, users, roles, teams."""

    port = "identity"
    openers = OPENERS


class TestCredentials(CredentialsContract):
    """Invitations, refresh tokens, API keys, grants."""

    port = "identity"
    openers = OPENERS


class TestAudit(AuditContract):
    """The audit log."""

    port = "identity"
    openers = OPENERS


class TestTenancy(IdentityTenancyContract):
    """People and credentials of other organizations; a pooler changes nothing of whose rows are seen."""

    port = "identity"
    openers = WITHOUT_POOLER
