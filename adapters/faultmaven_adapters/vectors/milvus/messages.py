"""What is said to Milvus and what it answers, as its own messages.

A collection is one of Milvus', with four columns: a key of organization and id, the organization, the vector, and the
fields as one JSON object. Nullable columns would be the newer way; the older servers have none.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pymilvus.grpc_gen import common_pb2 as common
from pymilvus.grpc_gen import milvus_pb2 as milvus
from pymilvus.grpc_gen import schema_pb2 as schema

from faultmaven_adapters.vectors.milvus.expressions import compiled, listed, literal
from faultmaven_core.ports.vector_fields import FieldValue, restored
from faultmaven_core.ports.vector_filters import Filter
from faultmaven_core.ports.vectors import (
    CollectionName,
    CollectionSpec,
    Embedding,
    Match,
    Metric,
    VectorId,
    VectorRecord,
    WriteToken,
)
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId

KEY, ORGANIZATION, VECTOR, FIELDS = "key", "organization", "vector", "fields"
COUNT = "count(*)"
SPECIFICATION = "faultmaven"
"""The property under which Lite keeps the specification: it forgets descriptions."""
MOST_KEY, MOST_ORGANIZATION = 400, 128
"""Bytes."""
LINKS, BUILDING, SEARCHING = 16, 200, 128
"""Of the index, for recall over .99: neighbours of each vector, candidates while it is built and while it is searched."""
LATEST = WriteToken("latest")
"""For a write whose time Milvus does not tell."""
_METRICS: Mapping[Metric, str] = {Metric.COSINE: "COSINE", Metric.DOT: "IP"}


def pairs(values: Mapping[str, object]) -> list[Any]:
    """Milvus' way to have options."""
    return [common.KeyValuePair(key=name, value=str(value)) for name, value in values.items()]


def making(spec: CollectionSpec, *, lite: bool) -> Any:
    """Make a collection."""
    told = spec.to_text()
    columns = [
        schema.FieldSchema(
            name=KEY, data_type=schema.VarChar, is_primary_key=True, type_params=pairs({"max_length": MOST_KEY})
        ),
        schema.FieldSchema(
            name=ORGANIZATION, data_type=schema.VarChar, type_params=pairs({"max_length": MOST_ORGANIZATION})
        ),
        schema.FieldSchema(name=VECTOR, data_type=schema.FloatVector, type_params=pairs({"dim": spec.dimension})),
        schema.FieldSchema(name=FIELDS, data_type=schema.JSON),
    ]
    whole = schema.CollectionSchema(name=spec.name, description=told, fields=columns)
    return milvus.CreateCollectionRequest(
        collection_name=spec.name,
        schema=whole.SerializeToString(),
        shards_num=1,
        consistency_level=common.Session,
        properties=pairs({SPECIFICATION: told}) if lite else (),
    )


def indexing(spec: CollectionSpec, *, lite: bool) -> Any:
    """Make the index of a collection's vectors; Lite compares with all of them."""
    graph = json.dumps({"M": LINKS, "efConstruction": BUILDING})
    kind = {"index_type": "FLAT"} if lite else {"index_type": "HNSW", "params": graph}
    return milvus.CreateIndexRequest(
        collection_name=spec.name,
        field_name=VECTOR,
        index_name=VECTOR,
        extra_params=pairs({"metric_type": _METRICS[spec.metric], **kind}),
    )


def specification(name: CollectionName, found: Any) -> CollectionSpec:
    """What a collection is. Raises CorruptDataError where it is none of ours."""
    kept = {pair.key: pair.value for pair in found.properties}
    return CollectionSpec.from_text(name, kept.get(SPECIFICATION) or found.schema.description)


def writing(spec: CollectionSpec, organization: OrganizationId, records: Sequence[VectorRecord]) -> Any:
    """Store records in place of those with their ids."""
    numbers: array[float] = array("f")
    for record in records:
        numbers.extend(record.vector.values)
    told = [json.dumps(record.fields, ensure_ascii=False).encode() for record in records]
    vectors = schema.VectorField(dim=spec.dimension, float_vector=schema.FloatArray(data=numbers))
    return milvus.UpsertRequest(
        collection_name=spec.name,
        num_rows=len(records),
        fields_data=[
            _texts(KEY, [_key(organization, record.id) for record in records]),
            _texts(ORGANIZATION, [organization] * len(records)),
            schema.FieldData(type=schema.FloatVector, field_name=VECTOR, vectors=vectors),
            schema.FieldData(
                type=schema.JSON, field_name=FIELDS, scalars=schema.ScalarField(json_data=schema.JSONArray(data=told))
            ),
        ],
    )


def deleting(spec: CollectionSpec, expression: str) -> Any:
    """Remove what meets the expression, also what was written a moment ago."""
    return milvus.DeleteRequest(collection_name=spec.name, expr=expression, consistency_level=common.Strong)


def written(answer: Any) -> WriteToken:
    """The token of a write: its time on the server's clock, where it tells it."""
    return WriteToken(str(answer.timestamp)) if answer.timestamp else LATEST


def searching(spec: CollectionSpec, query: Embedding, limit: int, expression: str, after: WriteToken | None) -> Any:
    """Find the vectors most like one."""
    sought = common.PlaceholderValue(tag="$0", type=common.FloatVector, values=[query.values.tobytes()])
    level, time = _seen(after)
    return milvus.SearchRequest(
        collection_name=spec.name,
        dsl=expression,
        dsl_type=common.BoolExprV1,
        placeholder_group=common.PlaceholderGroup(placeholders=[sought]).SerializeToString(),
        nq=1,
        output_fields=[FIELDS],
        search_params=pairs(
            {
                "anns_field": VECTOR,
                "topk": limit,
                "metric_type": _METRICS[spec.metric],
                "params": json.dumps({"ef": max(SEARCHING, 2 * limit)}),
                "round_decimal": -1,
            }
        ),
        consistency_level=level,
        guarantee_timestamp=time,
    )


def found(spec: CollectionSpec, answer: Any) -> Iterator[Match]:
    """What a search has found."""
    results = answer.results
    fields = _column(results.fields_data, FIELDS)
    told = fields.scalars.json_data.data if fields else ()
    for key, score, text in zip(results.ids.str_id.data, results.scores, told, strict=True):
        yield Match(_id(key), score, _fields(spec, text))


def asking(
    spec: CollectionSpec,
    expression: str,
    columns: Sequence[str],
    after: WriteToken | None = None,
    options: Mapping[str, object] | None = None,
) -> Any:
    """Columns of what meets an expression."""
    level, time = _seen(after)
    return milvus.QueryRequest(
        collection_name=spec.name,
        expr=expression,
        output_fields=columns,
        query_params=pairs(options or {}),
        consistency_level=level,
        guarantee_timestamp=time,
    )


def records(spec: CollectionSpec, answer: Any) -> Iterator[VectorRecord]:
    """Whole records."""
    vectors, fields = _column(answer.fields_data, VECTOR), _column(answer.fields_data, FIELDS)
    if vectors is None or fields is None:
        return
    numbers, size = vectors.vectors.float_vector.data, spec.dimension
    for place, (vector_id, text) in enumerate(zip(ids(answer), fields.scalars.json_data.data, strict=True)):
        values = array("f", numbers[place * size : (place + 1) * size])
        yield VectorRecord(vector_id, Embedding.of(values), _fields(spec, text))


def ids(answer: Any) -> list[VectorId]:
    """The ids alone."""
    keys = _column(answer.fields_data, KEY)
    return [_id(key) for key in keys.scalars.string_data.data] if keys else []


def count(answer: Any) -> int:
    """The one number of an answer."""
    return int(answer.fields_data[0].scalars.long_data.data[0])


def within(organization: OrganizationId, where: Filter | None, *, json_in: bool) -> str:
    """The expression for what an organization has, or what of it meets the filter."""
    own = f"{ORGANIZATION} == {literal(organization)}"
    return own if where is None else f"{own} and ({compiled(where, json_in=json_in)})"


def among(organization: OrganizationId, wanted: Iterable[VectorId]) -> str:
    """The expression for ids of an organization."""
    return f"{KEY} in {listed(_key(organization, vector_id) for vector_id in wanted)}"


def beyond(organization: OrganizationId, last: VectorId | None) -> str:
    """The expression for all ids of an organization, or those after one."""
    own = within(organization, None, json_in=False)
    return own if last is None else f"{own} and {KEY} > {literal(_key(organization, last))}"


def _seen(after: WriteToken | None) -> tuple[Any, int]:
    """How fresh a read is: without a token whatever is there, or as of that write, or of everything."""
    if after is None:
        return common.Eventually, 1
    if after == LATEST:
        return common.Strong, 0
    if not after.isdecimal():
        raise InvalidInputError("The token is of another vector store.", fields={"after": "not of this store"})
    return common.Customized, int(after)


def _key(organization: OrganizationId, vector_id: VectorId) -> str:
    return f"{organization}/{vector_id}"


def _id(key: str) -> VectorId:
    return VectorId(key.partition("/")[2])


def _texts(name: str, data: Sequence[str]) -> Any:
    return schema.FieldData(
        type=schema.VarChar, field_name=name, scalars=schema.ScalarField(string_data=schema.StringArray(data=data))
    )


def _column(columns: Iterable[Any], name: str) -> Any:
    return next((column for column in columns if column.field_name == name), None)


def _fields(spec: CollectionSpec, text: bytes) -> dict[str, FieldValue]:
    return restored(spec.fields, json.loads(text))
