"""The data plane of one document index: namespaces, and the operations on their documents with the limits of the service."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from faultmaven_contract_tests.servers.pinecone_emulator.filters import MetadataFilter
from faultmaven_contract_tests.servers.pinecone_emulator.namespace import Document, Documents, Namespace, Reader, View
from faultmaven_contract_tests.servers.pinecone_emulator.refusals import RefusalError, require
from faultmaven_contract_tests.servers.pinecone_emulator.wire import Request, Response

MOST_DOCUMENTS = MOST_IDS = 1000
MOST_REQUEST = 2_000_000
"""Bytes of an upsert: the service says 2 MB, and this is the smaller reading."""
MOST_ANSWER = 4_000_000
MOST_METADATA = 40_000
MOST_TOP_K = MOST_FETCHED = 10_000
USUAL_FETCHED = MOST_LISTED = 100
LEAST_MAGNITUDE = 1e-8
"""Vectors whose numbers are all smaller count as zero."""
_ID = re.compile(r"[\x01-\x7f]{1,512}")


class Index:
    """One index with its schema: one field of dense vectors. `settings` are those of its project, read at each call."""

    def __init__(self, description: dict[str, Any], settings: Mapping[str, Any]) -> None:
        self.description = description
        self.remaining_looks = settings["looks_until_ready"]
        """So often it is described as being made, or removed, before it is."""
        self.namespaces: dict[str, Namespace] = {}
        self._settings = settings
        [(self._field, declared)] = description["schema"]["fields"].items()
        self._dimension, self._metric = declared["dimension"], declared["metric"]

    def answer(self, request: Request, path: Sequence[str]) -> Response:
        """What the index says to a request below its host."""
        match (request.method, *path):
            case ("POST", "namespaces", namespace, "documents", operation):
                require(_ID.fullmatch(namespace), "The namespace must be 1-512 ASCII characters.")
                return self._document_operation(operation, namespace, request)
            case ("POST", "describe_index_stats"):
                return self._stats(request)
            case ("GET", "namespaces", namespace):
                return self._describe_namespace(namespace)
            case ("GET", "namespaces"):
                return self._list_namespaces(request)
        raise RefusalError(404, "NOT_FOUND", "No such operation.")

    def _document_operation(self, name: str, namespace: str, request: Request) -> Response:
        operations: dict[str, Callable[[str, Request], Response]] = {
            "upsert": self._upsert,
            "search": self._search,
            "fetch": self._fetch,
            "delete": self._delete,
            "list": self._list,
        }
        if name not in operations:
            raise RefusalError(404, "NOT_FOUND", "No such operation.")
        return operations[name](namespace, request)

    def _upsert(self, namespace: str, request: Request) -> Response:
        if len(request.body) > MOST_REQUEST:
            raise RefusalError(413, "PAYLOAD_TOO_LARGE", f"The request has more than {MOST_REQUEST} bytes.")
        raw = _known(request.json(), "documents")["documents"]
        require(isinstance(raw, list) and 1 <= len(raw) <= MOST_DOCUMENTS, f"1 to {MOST_DOCUMENTS} documents.")
        documents = dict(self._document(one) for one in raw)
        require(len(documents) == len(raw), "Document IDs must be unique within a request.")
        found = self.namespaces.setdefault(namespace, Namespace())
        return self._written(found, lambda view: view.update(documents), {"upserted_count": len(raw)})

    def _search(self, namespace: str, request: Request) -> Response:
        asked = _known(request.json(), "score_by", "top_k", "include_fields", "filter")
        top_k = asked.get("top_k")
        require(isinstance(top_k, int) and 1 <= top_k <= MOST_TOP_K, f"top_k must be 1 to {MOST_TOP_K}.")
        direction = self._direction(asked.get("score_by"))
        fields = _names(asked.get("include_fields") or [])
        where = self._filter(asked["filter"]) if "filter" in asked else None
        view = self._read(namespace, Reader.SEARCH)
        ids = [key for key, one in view.documents.items() if where is None or where.meets(one.metadata)]
        scores = self._scores(direction, [view.documents[key] for key in ids])
        # Equal ones come in any order; this is the one that a client would expect least.
        best = sorted(zip(scores, ids, strict=True), reverse=True)[:top_k]
        matches = [{"_id": key, "_score": score, **self._told(view.documents[key], fields)} for score, key in best]
        content = {"matches": matches, "namespace": namespace, "usage": {"read_units": 1}}
        require(len(msgspec.json.encode(content)) <= MOST_ANSWER, f"The result has more than {MOST_ANSWER} bytes.")
        return Response(200, content, (("x-pinecone-max-indexed-lsn", str(view.applied)),))

    def _fetch(self, namespace: str, request: Request) -> Response:
        asked = _known(request.json(), "ids", "filter", "include_fields", "pagination_token", "limit")
        require(
            bool(asked.get("ids")) is not ("filter" in asked), "Exactly one of 'ids' and 'filter' must be specified."
        )
        limit = asked.get("limit", USUAL_FETCHED)
        require(isinstance(limit, int) and 1 <= limit <= MOST_FETCHED, f"limit must be 1 to {MOST_FETCHED}.")
        fields = _names(asked.get("include_fields") or ["*"])
        require("filter" in asked or "pagination_token" not in asked, "A token is only valid together with 'filter'.")
        documents = self._read(namespace, Reader.FETCH).documents
        content: dict[str, Any] = {"namespace": namespace, "usage": {"read_units": 1}}
        if "filter" in asked:
            where = self._filter(asked["filter"])
            ids = sorted(key for key, one in documents.items() if where.meets(one.metadata))
            ids = _page(ids, asked.get("pagination_token"), limit, content)
        else:
            ids = [key for key in _ids(asked["ids"]) if key in documents]
        content["documents"] = {key: {"_id": key, **self._told(documents[key], fields)} for key in ids}
        return Response(200, content)

    def _delete(self, namespace: str, request: Request) -> Response:
        asked = _known(request.json(), "ids", "filter", "delete_all")
        chosen = [bool(asked.get("ids")), "filter" in asked, bool(asked.get("delete_all"))]
        require(sum(chosen) == 1, "Exactly one of 'ids', 'filter' and 'delete_all' must be specified.")
        where = self._filter(asked["filter"]) if "filter" in asked else None
        ids = _ids(asked.get("ids") or [])
        found = self.namespaces.get(namespace)
        if found is None:
            raise RefusalError(404, "NOT_FOUND", f"Namespace {namespace} not found.")

        def change(view: Documents) -> None:
            gone = [key for key, one in view.items() if where.meets(one.metadata)] if where else ids or list(view)
            for key in gone:
                view.pop(key, None)

        return self._written(found, change, {} if where is None else {"matched_records": 0})

    def _list(self, namespace: str, request: Request) -> Response:
        asked = _known(request.json(), "prefix", "limit", "pagination_token")
        limit, prefix = asked.get("limit", MOST_LISTED), asked.get("prefix", "")
        require(isinstance(limit, int) and 1 <= limit <= MOST_LISTED, f"limit must be 1 to {MOST_LISTED}.")
        require(isinstance(prefix, str) and prefix.isascii(), "prefix must be ASCII.")
        content: dict[str, Any] = {"namespace": namespace, "usage": {"read_units": 1}}
        ids = sorted(key for key in self._read(namespace, Reader.LIST).documents if key.startswith(prefix))
        page = _page(ids, asked.get("pagination_token"), limit, content)
        content["documents"] = [{"_id": key} for key in page]
        return Response(200, content)

    def _stats(self, request: Request) -> Response:
        require(not request.json().get("filter"), "Stats take no filter.")
        counts = {name: len(self._read(name, Reader.STATS).documents) for name in self.namespaces}
        content = {
            "namespaces": {name: {"vectorCount": count} for name, count in counts.items()},
            "dimension": self._dimension,
            "indexFullness": 0.0,
            "totalVectorCount": sum(counts.values()),
        }
        return Response(200, content)

    def _describe_namespace(self, name: str) -> Response:
        if name not in self.namespaces:
            raise RefusalError(404, "NOT_FOUND", f"Namespace {name} not found.")
        return Response(200, self._namespace(name))

    def _list_namespaces(self, request: Request) -> Response:
        names = sorted(name for name in self.namespaces if name.startswith(request.query.get("prefix", "")))
        content: dict[str, Any] = {"total_count": len(names)}
        page = _page(names, request.query.get("paginationToken"), int(request.query.get("limit", MOST_LISTED)), content)
        return Response(200, {**content, "namespaces": [self._namespace(name) for name in page]})

    def _namespace(self, name: str) -> dict[str, Any]:
        # A count is a string, as it is there.
        return {"name": name, "record_count": str(len(self._read(name, Reader.STATS).documents))}

    def _read(self, namespace: str, reader: Reader) -> View:
        """A namespace that nobody has written to is empty, and no error."""
        found = self.namespaces.get(namespace)
        return View() if found is None else found.read(reader)

    def _written(self, namespace: Namespace, change: Callable[[Documents], None], content: object) -> Response:
        position = namespace.write(change, lag=self._settings["lag"])
        return Response(202, content, (("x-pinecone-request-lsn", str(position)),))

    def _filter(self, raw: object) -> MetadataFilter:
        return MetadataFilter(raw, frozenset({self._field}), missing_is_unequal=self._settings["missing_is_unequal"])

    def _direction(self, raw: object) -> NDArray[np.float32]:
        require(isinstance(raw, list) and len(raw) == 1, "A dense_vector clause must appear on its own.")
        assert isinstance(raw, list)
        clause = _known(raw[0], "type", "field", "fields", "values")
        require(clause.get("type") == "dense_vector", "The index has no field for this type of score.")
        require("field" not in clause or "fields" not in clause, "The clause takes 'field' or 'fields', not both.")
        named = clause.get("fields", [clause.get("field")])
        require(named == [self._field], "The clause names exactly one field of dense vectors.")
        return self._vector(clause.get("values"))

    def _vector(self, raw: object) -> NDArray[np.float32]:
        numbers = isinstance(raw, list) and all(
            isinstance(one, int | float) and not isinstance(one, bool) for one in raw
        )
        require(numbers, "A vector must be a list of numbers.")
        assert isinstance(raw, list)
        require(len(raw) == self._dimension, f"Vector dimension {len(raw)} does not match {self._dimension}.")
        require(all(map(math.isfinite, raw)), "A vector must be finite.")
        require(any(abs(one) >= LEAST_MAGNITUDE for one in raw), "A vector must contain at least one non-zero value.")
        return np.array(raw, dtype=np.float32)

    def _scores(self, direction: NDArray[np.float32], documents: Sequence[Document]) -> list[float]:
        if not documents:
            return []
        vectors = np.stack([one.vector for one in documents])
        products = vectors @ direction
        if self._metric == "cosine":
            products = products / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(direction))
        scores: list[float] = products.astype(np.float32).tolist()
        return scores

    def _document(self, raw: object) -> tuple[str, Document]:
        require(isinstance(raw, dict), "A document must be an object.")
        assert isinstance(raw, dict)
        key = raw.get("_id")
        [checked] = _ids([key])
        require(self._field in raw, f"Document {checked} lacks the required field {self._field}.")
        metadata = {name: value for name, value in raw.items() if name not in {"_id", self._field}}
        for name, value in metadata.items():
            require(name and not name.startswith(("_", "$")), f"The field name {name!r} is reserved.")
            text_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
            require(isinstance(value, str | int | float | bool) or text_list, f"The value of {name} is no metadata.")
        size = sum(len(name.encode()) + len(msgspec.json.encode(value)) for name, value in metadata.items())
        require(size <= MOST_METADATA, f"The metadata of {checked} has more than {MOST_METADATA} bytes.")
        return checked, Document(
            {name: _as_stored(value) for name, value in metadata.items()}, self._vector(raw[self._field])
        )

    def _told(self, document: Document, fields: Sequence[str]) -> dict[str, Any]:
        everything = {**document.metadata, self._field: document.vector.tolist()}
        return everything if "*" in fields else {name: everything[name] for name in fields if name in everything}


def _as_stored(value: Any) -> Any:
    """All numbers are 64-bit floats there."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _known(raw: object, *names: str) -> dict[str, Any]:
    require(isinstance(raw, dict), "An object is wanted.")
    assert isinstance(raw, dict)
    require(not raw.keys() - set(names), f"Unknown keys: {sorted(raw.keys() - set(names))}.")
    return raw


def _names(raw: object) -> list[str]:
    require(isinstance(raw, list) and all(isinstance(one, str) for one in raw), "include_fields is a list of names.")
    assert isinstance(raw, list)
    return raw


def _ids(raw: object) -> list[str]:
    require(isinstance(raw, list) and len(raw) <= MOST_IDS, f"At most {MOST_IDS} ids.")
    assert isinstance(raw, list)
    for one in raw:
        require(isinstance(one, str) and _ID.fullmatch(one), "An id must be 1-512 ASCII characters.")
    return raw


def _page(names: Iterable[str], token: object, limit: int, content: dict[str, Any]) -> list[str]:
    """One page, and the token of the next one in the answer where there is one."""
    after = ""
    if token is not None:
        require(isinstance(token, str), "The pagination token is malformed.")
        after = base64.b64decode(str(token)).decode()
    rest = [name for name in names if name > after]
    if len(rest) > limit:
        content["pagination"] = {"next": base64.b64encode(rest[limit - 1].encode()).decode()}
    return rest[:limit]
