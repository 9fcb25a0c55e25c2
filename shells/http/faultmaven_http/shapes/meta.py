"""What an installation says of itself to clients that have not signed in yet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Features:
    """Which parts of their screens clients show."""

    extensionKB: bool  # noqa: N815 - clients read it so
    adminKB: bool  # noqa: N815 - as above
    teamSharing: bool  # noqa: N815 - as above
    caseHistory: bool  # noqa: N815 - as above
    sso: bool
    managementConsole: bool  # noqa: N815 - as above


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be uploaded."""

    maxFileBytes: int  # noqa: N815 - clients read it so
    allowedExtensions: tuple[str, ...]  # noqa: N815 - as above


@dataclass(frozen=True, slots=True)
class Branding:
    """How the installation calls itself."""

    name: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`deploymentMode` is self-hosted or cloud."""

    deploymentMode: str  # noqa: N815 - clients read it so
    dashboardUrl: str  # noqa: N815 - as above
    kbManagement: str  # noqa: N815 - as above
    features: Features
    limits: Limits
    branding: Branding
