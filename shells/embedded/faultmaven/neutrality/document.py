"""Writes docs/neutrality.md: `python -m faultmaven.neutrality.document > docs/neutrality.md`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from faultmaven.neutrality.model import Proven, Standing, Verdict
from faultmaven.neutrality.verdicts import recorded, verdicts

_HEAD = """# Deployment neutrality, measured

A public audit of the original in December 2025 scored how far each service could leave one machine. Each row of that audit
stands here beside the test runs that answer it: a port's contract is one suite, and it runs unchanged on every backend, against
real servers that the tests start. `make test` fails where this page says anything else than what has just run.

*proven*: everything that the row names ran and passed. *emulated*: it ran against an emulator, because the service cannot be
had. *partly*: what it stands on is proven, and the part itself is not built yet. *not built*: there is nothing to run. Only
*proven* counts as done. `fm neutrality` prints this table.

"""


def document() -> str:
    """The whole page."""
    found = verdicts()
    text = _HEAD + f"{counted(found)}\n\n| service | dimension | audited | now | proof |\n|---|---|---|---|---|\n"
    for verdict in found:
        row = verdict.row
        audited = "-" if row.audited is None else f"{row.audited} %"
        text += f"| {row.service} | {row.dimension}: {row.wanted} | {audited} | **{verdict.standing}** | {_proofs(verdict)} |\n"
    return text + _matrix(recorded()["contracts"])


def counted(found: Sequence[Verdict]) -> str:
    """How many rows stand how, in a sentence."""
    count = Counter(verdict.standing for verdict in found)
    parts = [f"{count[standing]} {standing}" for standing in Standing if count[standing]]
    return f"Of {len(found)} rows: {', '.join(parts)}."


def one_line(proof: Proven) -> str:
    """A proof in a few words."""
    gaps = f", {proof.known_gaps} known gaps" if proof.known_gaps else ""
    return f"{proof.what} on {proof.on}: {proof.passed} passed{gaps}"


def _proofs(verdict: Verdict) -> str:
    lines = [one_line(proof) for proof in verdict.proofs]
    lines += [f"not built: {verdict.row.missing}"] if verdict.row.missing else []
    return "; ".join(lines)


def _matrix(contracts: Mapping[str, Any]) -> str:
    text = "\n## Contracts by backend\n\nClauses that held; in brackets those that the backend does not offer and refuses as it should.\n\n"
    text += "| port | backend | server | clauses | known gaps |\n|---|---|---|---|---|\n"
    for port, backends in sorted(contracts.items()):
        for name, ran in sorted(backends.items()):
            inverted = f" ({ran['inverted']})" if ran["inverted"] else ""
            text += f"| {port} | {name} | {ran['server'] or '-'} | {ran['clauses']}{inverted} | {ran['known_gaps'] or '-'} |\n"
    return text


if __name__ == "__main__":
    sys.stdout.write(document())
