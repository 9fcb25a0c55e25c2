"""Knowledge: documents, their chunks, exact names and words, and the lexical index that follows the words by triggers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_TABLES = ("knowledge_document", "knowledge_chunk", "knowledge_name", "knowledge_vocabulary")
_OWN = "organization_id = current_setting('app.organization', true)"

_SQLITE = (
    """
    CREATE TABLE knowledge_index_document (
        serial INTEGER PRIMARY KEY, organization_id VARCHAR(128) NOT NULL, document CHAR(32) NOT NULL,
        UNIQUE (organization_id, document)
    )
    """,
    """
    CREATE VIRTUAL TABLE knowledge_index
    USING fts5(terms, content='', detail=none, columnsize=0, tokenize="ascii tokenchars '_'")
    """,
    "CREATE VIRTUAL TABLE knowledge_index_terms USING fts5vocab(knowledge_index, instance)",
    """
    CREATE VIEW knowledge_posting AS
    SELECT d.organization_id, t.term, d.document
    FROM knowledge_index_terms AS t JOIN knowledge_index_document AS d ON d.serial = t.doc
    """,
)
"""An FTS5 index, whose rows are known by a number, so that a table says which document has which.

Its tokenizer parts words at spaces alone: they have no ASCII characters but small letters, digits and underscores, and all
other characters belong to words.
"""

_ENTERS = """
    CREATE TRIGGER knowledge_vocabulary_enters_at_{event} AFTER {event} ON knowledge_vocabulary WHEN new.searchable BEGIN
        INSERT INTO knowledge_index_document (organization_id, document) VALUES (new.organization_id, new.document);
        INSERT INTO knowledge_index (rowid, terms)
        SELECT serial, new.terms FROM knowledge_index_document
        WHERE organization_id = new.organization_id AND document = new.document;
    END
"""
_LEAVES = """
    CREATE TRIGGER knowledge_vocabulary_leaves_at_{event} BEFORE {event} ON knowledge_vocabulary WHEN old.searchable BEGIN
        INSERT INTO knowledge_index (knowledge_index, rowid, terms)
        SELECT 'delete', serial, old.terms FROM knowledge_index_document
        WHERE organization_id = old.organization_id AND document = old.document;
        DELETE FROM knowledge_index_document WHERE organization_id = old.organization_id AND document = old.document;
    END
"""
_SQLITE_TRIGGERS = ((_ENTERS, "INSERT"), (_LEAVES, "UPDATE"), (_ENTERS, "UPDATE"), (_LEAVES, "DELETE"))

_POSTGRESQL = (
    """
    CREATE FUNCTION knowledge_index() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' AND OLD.searchable THEN
            DELETE FROM knowledge_posting
            WHERE organization_id = OLD.organization_id AND term = ANY (string_to_array(OLD.terms, ' '))
            AND document = OLD.document;
        END IF;
        IF TG_OP <> 'DELETE' AND NEW.searchable THEN
            INSERT INTO knowledge_posting (organization_id, term, document)
            SELECT NEW.organization_id, term, NEW.document FROM unnest(string_to_array(NEW.terms, ' ')) AS term;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER knowledge_vocabulary_index AFTER INSERT OR UPDATE OR DELETE ON knowledge_vocabulary
    FOR EACH ROW EXECUTE FUNCTION knowledge_index()
    """,
)
"""A table and no GIN index: GIN's operators are not leakproof, so that none is used where row-level security holds."""


def upgrade() -> None:
    """Make the tables, then the index."""
    _documents()
    _of_documents()
    if op.get_bind().dialect.name != "postgresql":
        for statement in (*_SQLITE, *(text.format(event=event) for text, event in _SQLITE_TRIGGERS)):
            op.execute(statement)
        return
    op.create_table(
        "knowledge_posting",
        _text("organization_id", 128),
        _text("term"),
        sa.Column("document", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "term", "document", name="pk_knowledge_posting"),
    )
    for statement in _POSTGRESQL:
        op.execute(statement)
    for table in (*_TABLES, "knowledge_posting"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY organization ON {table} USING ({_OWN}) WITH CHECK ({_OWN})")


def downgrade() -> None:
    """Remove everything."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if not postgresql:
        op.execute("DROP VIEW knowledge_posting")
    for table in reversed(_TABLES):
        op.drop_table(table)
    if postgresql:
        op.drop_table("knowledge_posting")
        op.execute("DROP FUNCTION knowledge_index()")
        return
    for table in ("knowledge_index_terms", "knowledge_index", "knowledge_index_document"):
        op.drop_table(table)


def _documents() -> None:
    op.create_table(
        "knowledge_document",
        _text("organization_id", 128),
        sa.Column("key", sa.Uuid(), nullable=False),
        _text("id", 32),
        _text("scope", 256),
        _text("title"),
        _text("name"),
        _text("source"),
        _text("media_type", 128),
        _text("blob", 512),
        _text("sha256", 64),
        _number("size"),
        _number("modified_ns"),
        _text("state", 16),
        _text("problem"),
        sa.Column("tags", _JSON, nullable=False),
        _text("status", 16),
        sa.Column("searchable", sa.Boolean(), nullable=False),
        sa.Column("reviewed_on", sa.Date(), nullable=True),
        _number("stale_after_days"),
        _number("chunks"),
        _number("characters"),
        _number("words"),
        _text("embedded", 256),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        _text("added_by", 128),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        _number("version"),
        sa.CheckConstraint(
            "state IN ('pending', 'ready', 'failed', 'removed')", name=op.f("ck_knowledge_document_state")
        ),
        sa.PrimaryKeyConstraint("organization_id", "key", name="pk_knowledge_document"),
        sa.UniqueConstraint("organization_id", "id", name="uq_knowledge_document_organization_id_id"),
    )
    for columns in (("scope", "sha256"), ("state", "key")):
        name = f"ix_knowledge_document_organization_id_{'_'.join(columns)}"
        op.create_index(name, "knowledge_document", ["organization_id", *columns])
    kept = "state <> 'removed'"
    _partial("uq_knowledge_document_name", ["name"], kept, kept, unique=True)
    _partial("ix_knowledge_document_searchable", ["words", "chunks"], "searchable = 1", "searchable", unique=False)


def _of_documents() -> None:
    op.create_table(
        "knowledge_chunk",
        *_within_document("knowledge_chunk", "number"),
        sa.Column("headings", _JSON, nullable=False),
        _text("text"),
        _number("start"),
        _number("end"),
        _text("terms"),
        _text("labels"),
        sa.Column("names", _JSON, nullable=False),
    )
    op.create_table("knowledge_name", _text("name", 512), *_within_document("knowledge_name", "number", first="name"))
    op.create_index("ix_knowledge_name_organization_id_document", "knowledge_name", ["organization_id", "document"])
    op.create_table(
        "knowledge_vocabulary",
        *_within_document("knowledge_vocabulary"),
        sa.Column("searchable", sa.Boolean(), nullable=False),
        _text("terms"),
    )


def _within_document(table: str, number: str = "", first: str = "") -> list[Any]:
    key = [name for name in ("organization_id", first, "document", number) if name]
    numbers = [sa.Column(number, sa.BigInteger(), autoincrement=False, nullable=False)] if number else []
    return [
        _text("organization_id", 128),
        sa.Column("document", sa.Uuid(), nullable=False),
        *numbers,
        sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["organization_id", "document"],
            ["knowledge_document.organization_id", "knowledge_document.key"],
            name=f"fk_{table}_knowledge_document",
            ondelete="CASCADE",
        ),
    ]


def _partial(name: str, columns: list[str], sqlite: str, postgresql: str, *, unique: bool) -> None:
    op.create_index(
        name,
        "knowledge_document",
        ["organization_id", "scope", *columns],
        unique=unique,
        sqlite_where=sa.text(sqlite),
        postgresql_where=sa.text(postgresql),
    )


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    kind = sa.String if length else sa.Text
    column = kind(length).with_variant(kind(length, collation="C"), "postgresql")
    return sa.Column(name, column, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)
