"""Ways to break the product, each of them a line that somebody could write; each makes the clause fail that names it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.child_pytest import FAILURES, run_changed
from tests.pytest_nursery import ROOT


@dataclass(frozen=True, slots=True)
class Sabotage:
    """In `module` the text `good`, which stands there once, becomes `bad`; `clause` (of `tests`, on `backend`) notices."""

    what: str
    module: str
    good: str
    bad: str
    tests: str
    backend: str
    clause: str


SABOTAGES = (
    Sabotage(
        "a create that is not atomic",
        "faultmaven_adapters.blobs.blob_file",
        "os.link(self._part, self._target)",
        "os.replace(self._part, self._target)",
        "contract_tests/test_blobs.py",
        "filesystem",
        "test_of_two_creates_at_once_one_wins",
    ),
    Sabotage(
        "a temporary file that stays",
        "faultmaven_adapters.blobs.filesystem",
        "            await self._discarded(part)\n",
        "            pass\n",
        "contract_tests/test_blobs.py",
        "filesystem",
        "test_a_source_that_fails_leaves_nothing",
    ),
    Sabotage(
        "a source's error that is swallowed",
        "faultmaven_adapters.blobs.memory",
        "        async for chunk in chunks:\n            intake.take(chunk)\n            parts.append(bytes(chunk))\n",
        "        try:\n            async for chunk in chunks:\n                intake.take(chunk)\n                parts.append(bytes(chunk))\n"
        "        except OSError:\n            pass\n",
        "contract_tests/test_blobs.py",
        "memory",
        "test_a_source_that_fails_leaves_nothing",
    ),
    Sabotage(
        "a lost await",
        "faultmaven_adapters.sql.unit",
        "            await connection.commit()\n",
        "            connection.commit()\n",
        "contract_tests/test_repositories.py",
        "sqlite",
        "test_nothing_is_visible_before_commit_and_all_after",
    ),
    Sabotage(
        "a missing tenant predicate",
        "faultmaven_adapters.sql.cases",
        '_IS = and_(_OWN, CASE.c.id == bindparam("named"))',
        '_IS = CASE.c.id == bindparam("named")',
        "contract_tests/test_repositories.py",
        "sqlite",
        "test_absent_and_foreign_cases_look_the_same",
    ),
    Sabotage(
        "messages of every organization",
        "faultmaven_adapters.sql.cases",
        '        MESSAGE.c.organization_id == bindparam("own"),\n        MESSAGE.c.case_id',
        "        MESSAGE.c.case_id",
        "contract_tests/test_repositories.py",
        "sqlite",
        "test_a_method_neither_shows_nor_changes_another_organizations_rows",
    ),
    Sabotage(
        "a deleted case that is still found",
        "faultmaven_adapters.sql.cases",
        "_GET, _GET_DELETED = select(CASE).where(_IS, _THERE)",
        "_GET, _GET_DELETED = select(CASE).where(_IS)",
        "contract_tests/test_repositories.py",
        "sqlite",
        "test_a_deleted_case_is_found_by_nothing_but_by_asking_for_it",
    ),
    Sabotage(
        "a turn that is kept upon any other",
        "faultmaven_core.cases.conversation",
        "overtaken = (case.turns + 1, str(case.status)) != (command.turn, command.status)",
        "overtaken = case.turns + 1 > command.turn",
        "tests/unit/cases/test_conversation.py",
        "",
        "test_a_turn_upon_another_state_or_another_turn_is_refused_whole",
    ),
    Sabotage(
        "a fact that is told without its place",
        "faultmaven_core.investigation.answers.cause",
        "yield bullets(cited(text, known.citations(names)) for text, names in",
        "yield bullets(plain(text) for text, names in",
        "tests/unit/investigation/test_answers.py",
        "",
        "test_every_sentence_of_fact_has_its_place",
    ),
    Sabotage(
        "people of every organization",
        "faultmaven_adapters.sql.identity_entities",
        'table.c.organization_id == bindparam("own")',
        'table.c.organization_id != ""',
        "contract_tests/test_identity_repositories.py",
        "sqlite",
        "test_roles_are_named_once_within_an_organization",
    ),
    Sabotage(
        "a refresh token that two may use",
        "faultmaven_adapters.sql.identity_entities",
        '[*(column.name for column in table.primary_key), "version"]',
        "[column.name for column in table.primary_key]",
        "contract_tests/test_identity_repositories.py",
        "sqlite",
        "test_it_comes_back_with_every_field_and_changes_once_per_version",
    ),
    Sabotage(
        "a sign-out that reaches another organization's tokens",
        "faultmaven_adapters.sql.identity_credentials",
        'where(table.c.organization_id == bindparam("own"), table.c.revoked_at.is_(None))',
        "where(table.c.revoked_at.is_(None))",
        "contract_tests/test_identity_repositories.py",
        "sqlite",
        "test_revoking_takes_exactly_what_it_names",
    ),
    Sabotage(
        "a name that still signs in after it was given up",
        "faultmaven_adapters.sql.identity_directory",
        "        await leave(run, kind, [old])\n",
        "        pass\n",
        "contract_tests/test_identity_repositories.py",
        "sqlite",
        "test_a_user_is_found_by_name_and_address_after_the_commit",
    ),
    Sabotage(
        "a version that is not checked",
        "faultmaven_adapters.sql.cases",
        'CASE.c.version == bindparam("at")',
        'CASE.c.version >= bindparam("at")',
        "contract_tests/test_repositories.py",
        "sqlite",
        "test_a_lost_race_is_stale",
    ),
    Sabotage(
        "a retry of a call that is not idempotent",
        "faultmaven_adapters.resilience.tries",
        "harmless = policy.idempotent or isinstance(",
        "harmless = not policy.idempotent or policy.idempotent or isinstance(",
        "tests/unit/resilience/test_retries.py",
        "",
        "test_a_call_that_is_not_idempotent_is_never_repeated_after_it_may_have_happened",
    ),
    Sabotage(
        "a lifetime that replacing drops",
        "faultmaven_adapters.cache.memory",
        "        stored[key] = checked_value(value), now + lifetime\n",
        "        stored[key] = checked_value(value), stored[key][1] if key in stored else now + lifetime\n",
        "contract_tests/test_cache.py",
        "memory",
        "test_set_replaces_the_value_and_its_lifetime",
    ),
    Sabotage(
        "a session that is overwritten whatever its version",
        "faultmaven_adapters.sessions.memory",
        "if entry.session.version != session.version:",
        "if entry.session.version < session.version:",
        "contract_tests/test_sessions.py",
        "memory",
        "test_an_update_with_an_old_version_is_refused",
    ),
    Sabotage(
        "a lease that anybody may release",
        "faultmaven_adapters.leases.memory",
        "if self._held.get(lease.name, (None, now))[0] == lease:",
        "if lease.name in self._held:",
        "contract_tests/test_leases.py",
        "memory",
        "test_a_late_release_by_the_old_owner_is_harmless",
    ),
    Sabotage(
        "a result that is taken from a runner who lost the job",
        "faultmaven_adapters.sql.job_store",
        "JOB.c.id == job.id, JOB.c.token == job.token",
        "JOB.c.id == job.id",
        "contract_tests/test_jobs.py",
        "sqlite",
        "test_a_runner_that_never_comes_back_loses_its_job",
    ),
    Sabotage(
        "a transport that is told of a job before the commit",
        "faultmaven_adapters.sql.unit",
        "        await self.transaction.commit()\n        if self.outbox.asked:\n            self._notify(self.outbox.asked)\n",
        "        if self.outbox.asked:\n            self._notify(self.outbox.asked)\n        await self.transaction.commit()\n",
        "contract_tests/test_jobs.py",
        "embedded",
        "test_the_transport_is_told_after_the_commit_and_of_nothing_that_was_rolled_back",
    ),
    Sabotage(
        "words that weigh in every scope of an organization",
        "faultmaven_adapters.sql.knowledge_rows",
        'f"{organization}\\n{scope}".encode()',
        "organization.encode()",
        "contract_tests/test_repositories.py",
        "sqlite",
        "test_a_search_looks_in_its_scopes_alone",
    ),
    Sabotage(
        "a removed document whose words stay in the index",
        "faultmaven_adapters.sql.knowledge",
        "for now in (True, False):",
        "for now in (True,):",
        "contract_tests/test_repositories.py",
        "sqlite",
        "test_only_documents_that_a_search_may_find_are_found",
    ),
    Sabotage(
        "vectors without their organization",
        "faultmaven_adapters.vectors.sqlite.file",
        'WHERE collection = ? AND organization = ?", (name, organization)',
        'WHERE collection = ?", (name,)',
        "contract_tests/test_vectors.py",
        "sqlite",
        "test_everybody_finds_all_of_their_own_and_nothing_else",
    ),
    Sabotage(
        "an upsert that merges",
        "faultmaven_adapters.vectors.memory",
        "self._records(spec, organization).update((record.id, record) for record in records)",
        "there = self._records(spec, organization)\n"
        "        for new in records:\n"
        "            old = there.get(new.id, new).fields\n"
        "            there[new.id] = VectorRecord(new.id, new.vector, {**old, **new.fields})",
        "contract_tests/test_vectors.py",
        "memory",
        "test_writing_again_replaces_the_whole_record",
    ),
    Sabotage(
        "a filter with three truth values",
        "faultmaven_adapters.vectors.sqlite.filters",
        """            return f"(key {absent}IN ({keys}))", [scope, where.field, *parameters]""",
        """            there = "key IN (SELECT key FROM field_values WHERE scope = ? AND field = ?)"
            return f"({there} AND key {absent}IN ({keys}))", [scope, where.field, scope, where.field, *parameters]""",
        "contract_tests/test_vectors.py",
        "sqlite",
        "test_each_leaf_and_its_complement",
    ),
    Sabotage(
        "vectors of every organization, in Milvus",
        "faultmaven_adapters.vectors.milvus.messages",
        '    own = f"{ORGANIZATION} == {literal(organization)}"\n',
        "    own = f'{ORGANIZATION} != \"\"'\n",
        "contract_tests/test_vectors.py",
        "milvus_lite",
        "test_everybody_finds_all_of_their_own_and_nothing_else",
    ),
    Sabotage(
        "a complement without what lacks the field, in Milvus",
        "faultmaven_adapters.vectors.milvus.expressions",
        'f"not (exists {_path(leaf.field)}) or not (',
        'f"not (',
        "contract_tests/test_vectors.py",
        "milvus_lite",
        "test_each_leaf_and_its_complement",
    ),
    Sabotage(
        "a read that does not wait for the write, in Pinecone",
        "faultmaven_adapters.vectors.pinecone.store",
        "if position <= (reached or 0):",
        "if position >= 0:",
        "contract_tests/test_vectors.py",
        "pinecone_emulated",
        "test_what_was_written_is_found",
    ),
    Sabotage(
        "a complement without what lacks the field, in Pinecone",
        "faultmaven_adapters.vectors.pinecone.documents",
        'return {"$or": [{field: {"$exists": False}}, {field: {operator: operand}}]}',
        "return {field: {operator: operand}}",
        "contract_tests/test_vectors.py",
        "pinecone_emulated",
        "test_each_leaf_and_its_complement",
    ),
    Sabotage(
        "vectors that stay in memory when another process removes them",
        "faultmaven_adapters.vectors.sqlite.store",
        "if held.removals != known.removals:",
        "if held.removals > known.removals:",
        "contract_tests/test_vectors.py",
        "sqlite",
        "test_another_process_finds_what_this_one_writes",
    ),
    Sabotage(
        "a collection of another model that is taken for ours",
        "faultmaven_core.ports.checked_vectors",
        "if found != spec:",
        "if found.dimension != spec.dimension:",
        "contract_tests/test_vectors.py",
        "memory",
        "test_ensuring_what_is_there_in_another_form",
    ),
    Sabotage(
        "an id that is given twice and stored once",
        "faultmaven_core.ports.checked_vectors",
        "if checked_id(record.id) in checked:",
        "if not checked_id(record.id):",
        "contract_tests/test_vectors.py",
        "memory",
        "test_a_bad_record_stores_nothing_of_its_call",
    ),
)


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=[sabotage.what for sabotage in SABOTAGES])
def test_a_clause_that_names_it_notices(sabotage: Sabotage, tmp_path: Path) -> None:
    """On a copy of the module; a text that is gone is a sabotage to be written anew, not one that passes."""
    file = next(path for path in _files(sabotage.module) if path.is_file())
    source = file.read_text()
    assert source.count(sabotage.good) == 1, f"{file} no longer has this once: {sabotage.good}"
    changed = source.replace(sabotage.good, sabotage.bad)
    backends = ["--backends", sabotage.backend] if sabotage.backend else []
    arguments = [sabotage.tests, "-k", sabotage.clause, *backends]
    outcome = run_changed(sabotage.module, changed, arguments, tmp_path, timeout=120)
    assert outcome.code == FAILURES, outcome.output
    assert outcome.failed == {sabotage.clause}, outcome.output


def test_nothing_is_noticed_where_nothing_is_changed(tmp_path: Path) -> None:
    """The way of running them is not what fails."""
    module = "faultmaven_adapters.blobs.memory"
    file = next(path for path in _files(module) if path.is_file())
    arguments = ["contract_tests/test_blobs.py", "-k", "leaves_nothing", "--backends", "memory"]
    outcome = run_changed(module, file.read_text(), arguments, tmp_path, timeout=120)
    assert outcome.code == 0, outcome.output


def _files(module: str) -> list[Path]:
    """Where a module may stand."""
    path = f"{module.replace('.', '/')}.py"
    return [ROOT / path, ROOT / "adapters" / path]
