"""Everything that can go wrong, as one tree; programs act on the class, its `code` and `retryable`, never on text."""


class FaultMavenError(Exception):
    """Root of every error that FaultMaven raises on purpose.

    The message is a sentence for a person: it names the thing that is wrong and what to do. It never holds a secret.
    """

    code = "fault"
    retryable = False


class InvalidInputError(FaultMavenError):
    """The caller's input cannot be used as it is. `fields` maps a field's name to what is wrong with it."""

    code = "invalid_input"

    def __init__(self, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}


class UnsupportedTypeError(FaultMavenError):
    """The content is of a type that this operation does not take."""

    code = "unsupported_type"


class QuotaExceededError(FaultMavenError):
    """An organization's or a user's allowance is used up."""

    code = "quota_exceeded"


class UnauthenticatedError(FaultMavenError):
    """Nobody has proven who is calling."""

    code = "unauthenticated"


class PermissionDeniedError(FaultMavenError):
    """The caller is known and may not do this."""

    code = "permission_denied"


class NotFoundError(FaultMavenError):
    """No such thing within the caller's organization; a foreign id looks exactly the same."""

    code = "not_found"


class ConflictError(FaultMavenError):
    """The change contradicts what is stored."""

    code = "conflict"


class AlreadyExistsError(ConflictError):
    """Something with this identity is there already."""

    code = "already_exists"


class StaleVersionError(ConflictError):
    """Somebody else changed it first: read it again, then repeat."""

    code = "stale_version"


class PreconditionFailedError(FaultMavenError):
    """The state that the thing is in forbids this."""

    code = "precondition_failed"


class TooLargeError(FaultMavenError):
    """The content is over a stated limit."""

    code = "too_large"


class RateLimitedError(FaultMavenError):
    """Too many calls; `retry_after` says in how many seconds the next one may come."""

    code = "rate_limited"
    retryable = True

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnsupportedError(FaultMavenError):
    """The chosen backend does not offer a capability."""

    code = "unsupported"

    def __init__(self, capability: str) -> None:
        super().__init__(f"This backend does not offer {capability}.")
        self.capability = capability


class BackendError(FaultMavenError):
    """A backend failed in a way that we do not know; its own words are in the log."""

    code = "backend"


class BackendUnavailableError(BackendError):
    """A backend cannot be reached now."""

    code = "unavailable"
    retryable = True


class BackendRefusedError(BackendUnavailableError):
    """A backend did not take the call: nothing of it has happened, so even what is not idempotent may be tried again."""


class DeadlineExceededError(BackendError):
    """A backend did not answer in time."""

    code = "deadline_exceeded"
    retryable = True


class AmbiguousError(BackendError):
    """The connection broke while a change was on its way: it may or may not have happened."""

    code = "ambiguous"


class MisconfiguredError(FaultMavenError):
    """A setting is wrong; found at start, never later."""

    code = "misconfigured"


class CorruptDataError(FaultMavenError):
    """Stored data is not what was stored."""

    code = "corrupt_data"
