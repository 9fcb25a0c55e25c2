"""The newest revision of the schema. It stands here by itself so that a start can compare without importing alembic."""

HEAD = "0008"
