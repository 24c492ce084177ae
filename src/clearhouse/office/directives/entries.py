"""Which obligations stand in one entry of a list: those of a package of a system, or of a place.

One update of one package on one system often mends many flaws: for whose they are, these are one
entry.  Who issued the directive never sees what is installed: for it, an entry is what an
organisation has to do on one system, and where it does not see the systems, for the organisation.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Case, Exists, F, OuterRef, QuerySet, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce

from clearhouse.errors import NotFound
from clearhouse.office.authorisation import ObligationPart, parts_of_obligation
from clearhouse.office.directives.models import Evidence, ObligationRow
from clearhouse.office.directives.sight import MISSING
from clearhouse.office.viewer import Viewer
from clearhouse.protocol.directives.directive import Directive, Force, Way

#: What an entry is told by, for whose it is.
PACKAGE: Final = ("system", "ecosystem", "package")
#: The same for who issued the directive.
PLACE: Final = ("organisation", "place")
_UNSEEN: Final = Value("", output_field=TextField())
_EXAMINED: Final = tuple(one.value for one in Way if not one.is_decided_by_rule)


def with_packages(found: QuerySet[ObligationRow]) -> QuerySet[ObligationRow]:
    """With the package that each is about: the one that the exposure names first."""
    first = KeyTransform(0, "exposure__found")
    return found.annotate(
        ecosystem=Coalesce(KeyTextTransform("ecosystem", first), _UNSEEN),
        package=Coalesce(KeyTextTransform("package", first), _UNSEEN),
    )


def with_places(
    found: QuerySet[ObligationRow], viewer: Viewer, directive: Directive
) -> QuerySet[ObligationRow]:
    """With what their owner calls the system, where the viewer sees that; else with nothing.

    Two systems of one name are one place: more than the name is not seen.
    """
    is_binding = directive.force is Force.BINDING

    def title(*, is_owner: bool, has_evidence: bool) -> F | Value:
        parts = parts_of_obligation(
            is_owner=is_owner, is_issuer=True, is_binding=is_binding, has_evidence=has_evidence
        )
        return F("system__title") if ObligationPart.WHERE in parts else _UNSEEN

    examined = Evidence.objects.filter(obligation=OuterRef("pk"), way__in=_EXAMINED)
    return found.annotate(
        place=Case(
            When(
                organisation=viewer.organisation, then=title(is_owner=True, has_evidence=False)
            ),
            When(Exists(examined), then=title(is_owner=False, has_evidence=True)),
            default=title(is_owner=False, has_evidence=False),
            output_field=TextField(),
        )
    )  # fmt: skip


def beside(
    found: QuerySet[ObligationRow], name: str, keys: tuple[str, ...]
) -> QuerySet[ObligationRow]:
    """Those that stand in one entry with the obligation of this name.  Raises :class:`NotFound`."""
    there = found.filter(name=name).values(*keys).first()
    if there is None:
        raise NotFound(MISSING)
    return found.filter(**there)
