"""The record as a public contract: its schema is published, and old records keep loading."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from faultmaven_core.analysis.analyse import analyse
from faultmaven_core.analysis.diagnose.conclude import Request
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.analysis.schema.record_schema import _schema_of, record_schema
from faultmaven_core.codec import encode, restore, to_builtins

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))

POD = """Name:         shop-5d4f8c7b9-abcde
Namespace:    store
Node:         node-1/10.0.0.1
Status:       Running
Containers:
  shop:
    Image:         shop:1.2
    State:         Waiting
      Reason:      CrashLoopBackOff
    Last State:    Terminated
      Reason:      OOMKilled
      Exit Code:   137
    Ready:         False
    Restart Count: 7
    Limits:
      memory:  64Mi
Events:
  Type     Reason   Age   From     Message
  ----     ------   ----  ----     -------
  Warning  BackOff  2m (x9 over 5m)  kubelet  Back-off restarting failed container shop in pod shop-5d4f8c7b9-abcde
"""


def published() -> dict[str, Any]:
    """The schema file that is shipped."""
    text = (resources.files("faultmaven_core.analysis.schema") / "rca-record-1.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def test_the_published_schema_is_the_one_of_the_classes() -> None:
    """After a change of record.py: `python tools/record_schema.py` writes the file anew."""
    assert published() == record_schema()


def test_the_schema_is_a_schema() -> None:
    """Checked by another implementation's meta-schema."""
    jsonschema.Draft202012Validator.check_schema(published())


@pytest.mark.parametrize("sources", [{}, {"pod.txt": POD.encode()}, {"app.log": b"INFO all is well\n" * 20}])
def test_what_the_analysis_gives_is_valid(sources: dict[str, bytes], tools: Tools) -> None:
    """With a cause, without one, and with no evidence at all."""
    record = analyse(sources, Request("case_1", "Why does shop restart?", "0.1.0"), tools)
    jsonschema.validate(json.loads(encode(record)), published(), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("verdict",), "certain"),
        (("root_cause",), {}),
        (("schema",), "rca-record/2"),
        (("claims", 0, "status"), "true"),
        (("claims", 0, "citations", 0, "bytes"), [1, 2, 3]),
        (("claims", 0, "citations", 0, "sha256"), "abc"),
        (("produced_by",), None),
    ],
)
def test_what_is_no_record_is_not_valid(path: tuple[str | int, ...], wrong: object) -> None:
    """A schema that lets everything through would be no contract."""
    value = json.loads(GOLDEN[0].read_text(encoding="utf-8"))
    part = value
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, published(), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_record_of_an_older_version_is_valid_and_loads_unchanged(path: Path) -> None:
    """Nobody's archive becomes unreadable: fields may come, none may go or change."""
    old = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(old, published(), cls=jsonschema.Draft202012Validator)
    assert _within(old, to_builtins(restore(RcaRecord, path.read_bytes())))


def test_there_is_a_record_of_an_older_version_to_load() -> None:
    """The test above must not pass for lack of files."""
    assert GOLDEN


def test_a_type_that_json_has_no_word_for_is_refused() -> None:
    """Whoever adds such a field learns it here, not from a user."""
    with pytest.raises(TypeError, match="no place in a record"):
        _schema_of(bytes, {})


def _within(old: object, new: object) -> bool:
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and _within(value, new[key]) for key, value in old.items())
    if isinstance(old, list):
        return isinstance(new, list | tuple) and len(old) == len(new) and all(map(_within, old, new))
    return old == new
