"""The published JSON Schemas: `rca-record-1.json` is what other programs may rely on."""
