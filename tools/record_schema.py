"""Writes the published JSON Schema of the record anew: `python tools/record_schema.py`, after a change of record.py."""

from __future__ import annotations

import json
from pathlib import Path

from faultmaven_core.analysis.schema.record_schema import record_schema

PUBLISHED = Path(__file__).resolve().parent.parent / "faultmaven_core" / "analysis" / "schema" / "rca-record-1.json"


def main() -> None:
    """The file as one document, indented for people who read it."""
    PUBLISHED.write_text(json.dumps(record_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
