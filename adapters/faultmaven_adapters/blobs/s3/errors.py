"""What the S3 driver and the servers that it talks to raise, as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore import exceptions as driver

from faultmaven_adapters._support.translate import (
    NETWORK,
    Row,
    Table,
    broken,
    by_code,
    failing,
    late,
    overloaded,
    says,
    translated,
    untrusted,
)
from faultmaven_core.ports.blobs import (
    AccessDeniedError,
    BlobExistsError,
    BlobNotFoundError,
    BlobTooLargeError,
    BucketMissingError,
    DigestMismatchError,
    StorageFullError,
)
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    FaultMavenError,
    InvalidInputError,
    NotFoundError,
    UnsupportedError,
)

_absent = says(BlobNotFoundError, "{place} has nothing under that key.")
_exists = says(BlobExistsError, "{place} has something under that key already.")
_no_bucket = says(BucketMissingError, "{place} does not exist: make it, or look at the name in FM_BLOBS_URL.")
_denied = says(
    AccessDeniedError,
    "{place} does not let us do this: its policy must allow GetObject, PutObject, DeleteObject, AbortMultipartUpload, "
    "ListBucket and ListBucketMultipartUploads, and the key of its encryption must be usable.",
)
_rejected = says(
    AuthenticationError,
    "{place} refuses our credentials: look at the access key, the secret key, the session token, and at this machine's clock.",
)
_busy = says(BackendRefusedError, "{place} says that somebody else is changing the same key at this moment.")
_unreached = says(BackendRefusedError, "{place} cannot be reached: look at its endpoint and at the network.")
_damaged = says(DigestMismatchError, "{place} got something else than what was sent: it was changed on the way.")
_no_credentials = says(
    AuthenticationError,
    "{place} needs credentials and none were found: set the access key and the secret key, or give this machine a role.",
)


def _unoffered(_error: object, _place: str) -> UnsupportedError:
    return UnsupportedError("a header or a call of S3 that this needs")


_CODES: dict[str, Row] = {
    "NoSuchKey": _absent,
    "404": _absent,
    "NoSuchBucket": _no_bucket,
    "NoSuchUpload": says(NotFoundError, "{place} knows nothing of that upload: it has ended."),
    "NoSuchLifecycleConfiguration": says(NotFoundError, "{place} has no lifecycle rules."),
    "PreconditionFailed": _exists,
    "412": _exists,
    "ConditionalRequestConflict": _busy,
    "OperationAborted": _busy,
    "AccessDenied": _denied,
    "AllAccessDisabled": _denied,
    "AccountProblem": _denied,
    "403": _denied,
    "KMS.": _denied,
    "InvalidAccessKeyId": _rejected,
    "SignatureDoesNotMatch": _rejected,
    "AuthorizationHeaderMalformed": _rejected,
    "ExpiredToken": _rejected,
    "InvalidToken": _rejected,
    "TokenRefreshRequired": _rejected,
    "RequestTimeTooSkewed": _rejected,
    "InvalidIdentityToken": _rejected,
    "InvalidClientTokenId": _rejected,
    "BadDigest": _damaged,
    "InvalidDigest": _damaged,
    "XAmzContent": _damaged,
    "InvalidRange": says(InvalidInputError, "{place} has fewer bytes under that key than were skipped."),
    "EntityTooLarge": says(BlobTooLargeError, "{place} takes nothing as large as that."),
    "QuotaExceeded": says(StorageFullError, "{place} is full: raise its quota, or delete what is not needed."),
    "XMinioStorageFull": says(StorageFullError, "{place} is full: give it more disk."),
    "InsufficientStorage": says(StorageFullError, "{place} is full: give it more disk."),
    "InsufficientCapacity": overloaded,
    "NotImplemented": _unoffered,
    "SlowDown": overloaded,
    "ServiceUnavailable": overloaded,
    "InternalError": failing,
    "RequestTimeout": failing,
    "TooManyRequests": overloaded,
    "429": overloaded,
    "507": says(StorageFullError, "{place} is full: give it more disk."),
    "503": overloaded,
    "5": failing,
}


_no_role = says(
    AuthenticationError,
    "{place} is opened by a role that was not given to us: look at the role's name and trust policy, and at the token's file.",
)


def _code(error: driver.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: driver.ClientError) -> str:
    return str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))


# An unknown code says at least by its HTTP status whose fault it is.
_by_status = by_code(_status, {"503": overloaded, "5": failing})
_of_s3 = by_code(_code, _CODES, _by_status)
_of_sts = by_code(_status, {"503": overloaded, "5": failing}, _no_role)


def _answered(error: driver.ClientError, place: str) -> FaultMavenError:
    # Temporary credentials are fetched in the middle of other calls.
    row = _of_sts if error.operation_name.startswith("AssumeRole") else _of_s3
    return row(error, place)


S3_ERRORS: Table = {
    **NETWORK,
    driver.ClientError: _answered,
    driver.NoCredentialsError: _no_credentials,
    driver.PartialCredentialsError: _no_credentials,
    driver.CredentialRetrievalError: _no_credentials,
    driver.ProfileNotFound: _no_credentials,
    driver.TokenRetrievalError: _no_credentials,
    driver.EndpointConnectionError: _unreached,
    driver.ProxyConnectionError: _unreached,
    driver.HTTPClientError: broken,
    driver.SSLError: untrusted,
    driver.ConnectTimeoutError: _unreached,
    driver.ReadTimeoutError: late,
    driver.ConnectionClosedError: broken,
    driver.ResponseStreamingError: broken,
    driver.IncompleteReadError: broken,
    driver.ParamValidationError: says(
        InvalidInputError, "{place} cannot be asked for that; look at its name and region."
    ),
    driver.InvalidRegionError: says(BackendError, "{place} is said to be in a region that has no valid name."),
}


def unanswered(error: BackendError) -> bool:
    """Whether the request went out and nobody knows what became of it."""
    return isinstance(error.__cause__, driver.HTTPClientError)


def status_of(error: BaseException) -> int:
    """The HTTP status that made this error of ours; 0 where none did."""
    cause = error.__cause__
    return int(_status(cause) or 0) if isinstance(cause, driver.ClientError) else 0


def raise_first(answer: Mapping[str, Any], place: str) -> None:
    """Raise what the first of several keys met in a request about many; absence is not an error."""
    for error in answer.get("Errors", ()):
        if error["Code"] != "NoSuchKey":
            raise translated(driver.ClientError({"Error": error}, "DeleteObjects"), S3_ERRORS, place)
