"""The contracts of repositories and units of work on our storages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_contract_tests.case_repositories import CaseRepositoryContract
from faultmaven_contract_tests.conversations import ConversationContract
from faultmaven_contract_tests.evidence_repositories import EvidenceRepositoryContract
from faultmaven_contract_tests.knowledge_repositories import KnowledgeRepositoryContract
from faultmaven_contract_tests.knowledge_words import KnowledgeWordsContract
from faultmaven_contract_tests.request_keys import RequestKeyContract
from faultmaven_contract_tests.samples import Storage
from faultmaven_contract_tests.tenancy import TenancyContract
from faultmaven_contract_tests.transactions import UnitOfWorkContract
from faultmaven_contract_tests.upload_repositories import UploadRepositoryContract
from storages import OPENERS, postgres_tls

WITH_TLS = {**OPENERS, "postgres_tls": postgres_tls}


@pytest.fixture
async def subject(backend: str, tmp_path: Path) -> AsyncIterator[Storage]:
    """A fresh storage."""
    async with WITH_TLS[backend](tmp_path) as storage:
        yield storage


class TestCases(CaseRepositoryContract):
    """Cases, records, journals."""

    port = "cases"
    openers = WITH_TLS


class TestConversations(ConversationContract):
    """Turns."""

    port = "cases"
    openers = OPENERS


class TestEvidence(EvidenceRepositoryContract):
    """Evidence."""

    port = "evidence"
    openers = OPENERS


class TestUploads(UploadRepositoryContract):
    """Uploads, and what is kept free for them."""

    port = "evidence"
    openers = OPENERS


class TestKnowledge(KnowledgeRepositoryContract):
    """Documents and chunks."""

    port = "knowledge"
    openers = OPENERS


class TestKnowledgeWords(KnowledgeWordsContract):
    """What is found by words and names."""

    port = "knowledge"
    openers = OPENERS


class TestUnits(UnitOfWorkContract):
    """Units of work."""

    port = "transactions"
    openers = WITH_TLS


class TestRequestKeys(RequestKeyContract):
    """Commands that are repeated, and races that are lost."""

    port = "transactions"
    openers = OPENERS


class TestTenancy(TenancyContract):
    """Rows of other organizations."""

    port = "transactions"
    openers = OPENERS
