"""Mechanisms from TOML: every key is known, every pattern compiles, or the file is refused with the reason."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from faultmaven_core.analysis.catalogs import catalog, check_keys
from faultmaven_core.analysis.mechanisms.mechanism import Check, Clause, Mechanism, Prediction
from faultmaven_core.analysis.model import Category
from faultmaven_core.shared.errors import InvalidInputError

_CLAUSE = {"attribute", "signature", "violation", "anomaly", "event", "scope", "equals", "above", "below", "matches"}
_PREDICTION = _CLAUSE | {"text", "weight", "absent"}
_MECHANISM = {
    "id",
    "category",
    "subjects",
    "triggers",
    "statement",
    "mechanism",
    "chain",
    "predictions",
    "strength",
    "confirm",
    "refute",
    "remedies",
    "needs",
    "places",
    "yields_to",
    "resolved_by",
}


@cache
def mechanisms() -> tuple[Mechanism, ...]:
    """Those that come with the product, by id."""
    found = [mechanism for name, text in catalog("mechanisms") for mechanism in load(text, name)]
    return tuple(sorted(found, key=lambda mechanism: mechanism.id))


def load(text: str, name: str) -> list[Mechanism]:
    """Mechanisms of a TOML file. Raises InvalidInputError that names the file and the entry."""
    found = []
    for entry in tomllib.loads(text).get("mechanism", []):
        try:
            found.append(_mechanism(entry))
        except (KeyError, ValueError, TypeError, re.error) as error:
            raise InvalidInputError(f"{name}: mechanism {entry.get('id', '?')}: {error!r}.") from error
    return found


def _mechanism(entry: Mapping[str, Any]) -> Mechanism:
    check_keys(entry, _MECHANISM)
    return Mechanism(
        id=entry["id"],
        category=Category(entry["category"]),
        subjects=tuple(entry["subjects"]),
        triggers=tuple(_clause(part) for part in entry["triggers"]),
        statement=_texts(entry["statement"]),
        mechanism=_texts(entry["mechanism"]),
        chain=_texts(entry.get("chain", ())),
        predictions=tuple(_prediction(part) for part in entry.get("predictions", ())),
        strength=float(entry.get("strength", 1.0)),
        confirm=_check(entry["confirm"]),
        refute=_check(entry["refute"]),
        remedies=tuple(entry.get("remedies", ())),
        needs=tuple(entry.get("needs", ())),
        places=tuple(entry.get("places", ())),
        yields_to=tuple(entry.get("yields_to", ())),
        resolved_by=tuple(_clause(part) for part in entry.get("resolved_by", ())),
    )


def _prediction(entry: Mapping[str, Any]) -> Prediction:
    check_keys(entry, _PREDICTION)
    clause = _clause({key: value for key, value in entry.items() if key in _CLAUSE})
    return Prediction(entry["text"], clause, float(entry.get("weight", 0.5)), bool(entry.get("absent", False)))


def _clause(entry: Mapping[str, Any]) -> Clause:
    check_keys(entry, _CLAUSE)
    named = [f"{kind}.{entry[kind]}" for kind in ("signature", "violation", "anomaly", "event") if kind in entry]
    attributes = named + ([entry["attribute"]] if "attribute" in entry else [])
    if len(attributes) != 1:
        raise ValueError("a clause names exactly one of attribute, signature, violation, anomaly, event")
    if entry.get("scope", "subject") not in ("subject", "near", "any"):
        raise ValueError(f"scope {entry['scope']!r} is none of subject, near, any")
    equals = entry.get("equals", [])
    return Clause(
        attributes[0],
        entry.get("scope", "subject"),
        tuple(equals if isinstance(equals, list) else [equals]),
        entry.get("above"),
        entry.get("below"),
        re.compile(entry["matches"]) if "matches" in entry else None,
    )


def _check(entry: Mapping[str, Any]) -> Check:
    check_keys(entry, {"command", "expect"})
    return Check(_texts(entry.get("command", ())), entry.get("expect", ""))


def _texts(value: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
