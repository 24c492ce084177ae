"""What can be done with organisations, the people in them and the keys of their machines.

Whoever may not do a thing hears :class:`NotFound` where the answer would say that an organisation
exists, and :class:`Refused` otherwise.  Each action announces what it did (:mod:`..events`).
"""

from clearhouse.office.orgs.actions.keys import MadeKey, make_api_key, revoke_api_key
from clearhouse.office.orgs.actions.organisations import (
    Policy,
    add_package,
    change_profile,
    change_roles,
    confirm_package,
    create_organisation,
    remove_package,
    set_policy,
)
from clearhouse.office.orgs.actions.people import (
    Invited,
    accept_invitation,
    add_member,
    change_member,
    create_first_coordinator,
    invite,
    remove_member,
    rename_person,
    reset_sign_in,
    withdraw_invitation,
)

__all__ = [
    "Invited",
    "MadeKey",
    "Policy",
    "accept_invitation",
    "add_member",
    "add_package",
    "change_member",
    "change_profile",
    "change_roles",
    "confirm_package",
    "create_first_coordinator",
    "create_organisation",
    "invite",
    "make_api_key",
    "remove_member",
    "remove_package",
    "rename_person",
    "reset_sign_in",
    "revoke_api_key",
    "set_policy",
    "withdraw_invitation",
]
