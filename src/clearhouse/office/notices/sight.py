"""Who sees what of the room: notices and channels are one organisation's.

The office sees how delivery stands, without what it is about (:func:`..queries.overview`).
"""

from __future__ import annotations

from clearhouse.errors import NotFound
from clearhouse.office.ledgerbook.sight import may_see_by
from clearhouse.office.navigation import also_for
from clearhouse.office.notices.models import Channel, Message, Notice
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.roles import Scope


def own_notice(viewer: Viewer, name: str) -> Notice:
    """A notice of the organisation that the viewer acts for.  Raises :class:`NotFound`."""
    found = Notice.objects.filter(name=name, organisation=viewer.acting_for()).first()
    if found is None:
        raise NotFound("there is no such notice here")
    return found


def own_channel(viewer: Viewer, name: str) -> Channel:
    """A channel of the organisation that the viewer acts for.  Raises :class:`NotFound`."""
    viewer.needs(Scope.NOTICES_READ)
    found = Channel.objects.filter(
        name=name, organisation=viewer.acting_for(), removed_at=None
    ).first()
    if found is None:
        raise NotFound("there is no such channel here")
    return found


@may_see_by
def may_see(viewer: Viewer, subject: str) -> bool:
    """Entries are read by whose they are, and by the office: they hold nothing of what was told."""
    if viewer.organisation is None:
        return False
    if subject.startswith("NC-"):
        owner = Channel.objects.filter(name=subject).values_list("organisation").first()
    elif subject.startswith("NM-"):
        owner = Message.objects.filter(name=subject).values_list("channel__organisation").first()
    elif subject.startswith("N-"):
        owner = Notice.objects.filter(name=subject).values_list("organisation").first()
    else:
        return False
    return owner is not None and (viewer.coordinates or owner[0] == viewer.organisation)


@also_for("/notices/")
def has_notices(viewer: Viewer) -> bool:
    """Whoever was told something finds the way to it."""
    mine = viewer.organisation
    return mine is not None and Notice.objects.filter(organisation=mine).exists()
