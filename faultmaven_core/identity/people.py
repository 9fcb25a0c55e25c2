"""Users and organizations as others see them."""

from __future__ import annotations

from faultmaven_core.identity import views as v
from faultmaven_core.identity.model import Organization, User, UserState


def user_view(user: User, organization: Organization, permissions: frozenset[str]) -> v.UserView:
    """A user, as he himself and those who administer see him."""
    return v.UserView(
        user.id,
        user.username,
        user.email,
        user.display_name,
        user.roles,
        "user:write" in permissions,
        not user.password,
        user.state is UserState.ACTIVE,
        user.created_at,
        user.last_login_at,
        organization.id,
        organization.name,
        str(user.state),
        user.version,
    )


def organization_view(organization: Organization) -> v.OrganizationView:
    """An organization, as its users see it."""
    settings = organization.settings
    return v.OrganizationView(
        organization.id,
        organization.name,
        str(organization.state),
        organization.created_at,
        settings.session_idle_seconds,
        settings.session_absolute_seconds,
        settings.most_sessions,
        organization.version,
    )
