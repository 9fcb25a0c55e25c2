"""What of the organization's knowledge a caller may see and change: nothing without a scope."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven_core.knowledge.model import Document, DocumentState, KnowledgeScope, Tier, scope_of
from faultmaven_core.knowledge.ports import CaseDirectory, KnowledgeUnitOfWork
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError
from faultmaven_core.shared.ids import DocumentId


class Access:
    """Turns what callers name into scopes and documents that are theirs to use."""

    def __init__(self, cases: CaseDirectory) -> None:
        self._cases = cases

    async def scope(self, text: str, caller: Caller) -> KnowledgeScope:
        """The scope. Raises InvalidInputError where it is none, NotFoundError where its case is not there."""
        scope = scope_of(text, caller.user)
        if scope.tier is Tier.CASE:
            await self._cases.require(scope.owner, caller)
        return scope

    async def scopes(self, texts: Sequence[str], caller: Caller) -> Sequence[KnowledgeScope]:
        """The scopes, each once. Raises as `scope`, and InvalidInputError where there is none: nothing means everything."""
        if not texts:
            raise InvalidInputError(
                "No scope was given: name global, team:NAME, personal or case:CASE_ID.", fields={"scopes": "empty"}
            )
        return tuple(dict.fromkeys([await self.scope(text, caller) for text in texts]))

    async def require_case(self, document: Document, caller: Caller) -> None:
        """Raises NotFoundError, as for a document that is not there, where it belongs to a case that is not."""
        if document.scope.tier is not Tier.CASE:
            return
        try:
            await self._cases.require(document.scope.owner, caller)
        except NotFoundError as error:
            raise _missing(document.id) from error

    async def is_gone(self, scope: KnowledgeScope, caller: Caller) -> bool:
        """Whether a scope is that of a case that is gone for good: a deleted one may come back, with what it knew."""
        return scope.tier is Tier.CASE and await self._cases.is_gone(scope.owner, caller)

    async def document(self, unit: KnowledgeUnitOfWork, document_id: str, caller: Caller) -> Document:
        """A document. Raises NotFoundError, for a deleted one and another user's personal one too; see also `require_case`."""
        document = await unit.knowledge.get(DocumentId(document_id))
        foreign = document.scope.tier is Tier.PERSONAL and document.scope.owner != caller.user
        if foreign or document.state is DocumentState.REMOVED:
            raise _missing(document_id)
        return document


def _missing(document_id: str) -> NotFoundError:
    return NotFoundError(f"There is no document {document_id}.")
