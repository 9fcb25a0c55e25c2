"""Views of identity in the words of clients."""

from __future__ import annotations

from faultmaven_core.identity import views as v
from faultmaven_core.identity.model import Principal
from faultmaven_http.shapes import auth as s


def roles_of(view: v.UserView) -> tuple[str, ...]:
    """The roles, with the two names that clients look for."""
    known = ["user", *view.roles, *(["admin"] if view.is_admin else [])]
    return tuple(dict.fromkeys(known))


def user_of(view: v.UserView) -> s.User:
    """A user."""
    return s.User(
        view.user_id,
        view.username,
        view.email,
        view.display_name,
        roles_of(view),
        view.is_admin,
        view.is_dev_user,
        view.is_active,
        view.created_at,
    )


def tokens_of(pair: v.TokenPair) -> s.Tokens:
    """What signing in gives."""
    user = user_of(pair.user)
    return s.Tokens(
        pair.access_token,
        "bearer",
        pair.expires_in,
        round(pair.expires_at.timestamp() * 1000),
        pair.refresh_token,
        pair.refresh_expires_in,
        pair.session_id,
        pair.scope,
        user,
        user.user_id,
        user.username,
        user.email,
        user.display_name,
        user.roles,
    )


def me_of(view: v.UserView, principal: Principal) -> s.Me:
    """Who asks."""
    return s.Me(
        view.user_id,
        view.username,
        view.email,
        view.display_name,
        roles_of(view),
        view.is_admin,
        view.is_dev_user,
        view.is_active,
        view.created_at,
        view.last_login,
        s.OwnOrganization(view.organization_id, view.organization_name),
        tuple(sorted(principal.permissions)),
    )


def consent_of(view: v.ConsentView | v.CodeGranted) -> s.Consent | s.Code:
    """What the user is asked, or the code where nobody needs to be asked."""
    if isinstance(view, v.CodeGranted):
        return s.Code(view.code, view.state, view.iss)
    user = view.user
    return s.Consent(
        view.client_id,
        view.redirect_uri,
        view.scope,
        view.state,
        view.code_challenge,
        view.code_challenge_method,
        s.ConsentUser(user.user_id, user.username, user.email, user.display_name),
    )


def token_state_of(view: v.TokenState | None) -> s.TokenState:
    """What is told of a token."""
    if view is None:
        return s.TokenState(active=False)
    return s.TokenState(
        active=True,
        sub=view.user_id,
        organization_id=view.organization_id,
        username=view.username,
        client_id=view.client_id,
        scope=view.scope,
        iss=view.issuer,
        token_type=view.token_type,
        exp=int(view.expires_at.timestamp()) if view.expires_at else 0,
    )
