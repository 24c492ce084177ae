"""The addresses of notices, and who may there: the deployer's own, and the office's counts."""

from __future__ import annotations

from typing import Any, Final

from clearhouse.protocol.roles import Scope
from tests.office.security.rules import (
    Allowed,
    by_hand,
    has_notices,
    manages,
    member,
    nobody,
    office,
    person,
)

_OWN: Final = by_hand(has_notices)
_MANAGER: Final = manages(person)
_PAGE: Final = "notices/<str:notice>/"
_CHANNEL: Final = "notices/channels/<str:channel>/"
_FEED: Final = {"kind": "feed", "address": ""}

#: Pages: method, place, who may, what is sent.
PAGES: Final[tuple[tuple[str, str, Allowed, dict[str, Any]], ...]] = (
    ("GET", "notices/", person, {}),
    ("GET", "notices/bundle/", person, {}),
    ("GET", "notices/delivery/", office, {}),
    ("GET", "notices/channels/", person, {}),
    ("POST", "notices/channels/", _MANAGER, _FEED),
    ("POST", "notices/channels/hour/", _MANAGER, {"hour": "5"}),
    # An address that is nobody's feed; tests of the room have real ones.
    ("GET", "notices/feed/<str:address>/", nobody, {}),
    ("GET", _PAGE, has_notices, {}),
    ("POST", f"{_PAGE}acknowledge/", has_notices, {}),
    *(
        ("POST", f"{_CHANNEL}{deed}/", _OWN, {"code": "1"})
        for deed in (
            "confirm", "test", "pause", "resume", "rotate", "agree", "disagree", "remove",
        )
    ),
)  # fmt: skip
_R, _W = Scope.NOTICES_READ, Scope.NOTICES_WRITE
_API: Final = "api/notices"
_ONE: Final = f"{_API}/channels/{{channel}}"
#: Operations: method, place, who may, what is sent, what a machine's key must have.
OPERATIONS: Final[tuple[tuple[str, str, Allowed, Any, tuple[Scope, ...]], ...]] = (
    ("GET", _API, member, None, (_R,)),
    ("GET", f"{_API}/bundle", member, None, (_R,)),
    ("GET", f"{_API}/delivery", office, None, (_R,)),
    ("GET", f"{_API}/channels", member, None, (_R,)),
    ("POST", f"{_API}/channels", _MANAGER, _FEED, ()),
    ("PUT", f"{_API}/channels/hour", _MANAGER, {"hour": 5}, ()),
    ("GET", f"{_API}/{{name}}", has_notices, None, (_R,)),
    ("POST", f"{_API}/{{name}}/acknowledge", has_notices, {}, (_W,)),
    *(
        ("POST", f"{_ONE}/{deed}", _OWN, {"code": "1"}, ())
        for deed in ("confirm", "test", "pause", "resume", "rotate")
    ),
    ("PUT", f"{_ONE}/agreement", _OWN, {"agreement": "amber"}, ()),
    ("DELETE", _ONE, _OWN, {}, ()),
)
