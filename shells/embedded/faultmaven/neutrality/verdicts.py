"""Judges each row by the recorded run and by nothing else: a proof that did not run does not count."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from faultmaven.neutrality.model import Contract, File, Proven, Row, Standing, Verdict
from faultmaven.neutrality.rows import ROWS

EMULATOR = "emulator"
"""The word in the name of a server that only stands for one."""


def recorded() -> Mapping[str, Any]:
    """The run that this version was released with: what passed, by port and backend, and by test file."""
    found: Mapping[str, Any] = json.loads(files(__package__).joinpath("proof.json").read_text(encoding="utf-8"))
    return found


def verdicts(proof: Mapping[str, Any] | None = None, rows: Sequence[Row] = ROWS) -> tuple[Verdict, ...]:
    """Every row with how it stands, by the recorded run unless another one is given."""
    known = recorded() if proof is None else proof
    return tuple(_verdict(row, known) for row in rows)


def _verdict(row: Row, proof: Mapping[str, Any]) -> Verdict:
    found = [_proven(wanted, proof) for wanted in row.proofs]
    proofs = tuple(one for group in found for one in group)
    complete = bool(row.proofs) and all(
        len(group) == (len(wanted.backends) if isinstance(wanted, Contract) else 1)
        for wanted, group in zip(row.proofs, found, strict=True)
    )
    if not proofs:
        standing = Standing.NOT_BUILT
    elif row.missing or not complete:
        standing = Standing.PARTLY
    elif any(EMULATOR in one.on for one in proofs):
        standing = Standing.EMULATED
    else:
        standing = Standing.PROVEN
    return Verdict(row, standing, proofs)


def _proven(wanted: Contract | File, proof: Mapping[str, Any]) -> list[Proven]:
    if isinstance(wanted, File):
        count = proof["tests"].get(wanted.file, 0)
        return [Proven(wanted.what, count, wanted.file)] if count else []
    ran = proof["contracts"].get(wanted.port, {})
    return [
        Proven(wanted.port, ran[name]["clauses"], ran[name]["server"] or name, ran[name]["known_gaps"])
        for name in wanted.backends
        if name in ran and ran[name]["clauses"]
    ]
