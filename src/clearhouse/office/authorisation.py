"""Who may see and do what: the one place where it is decided.

Queries and actions ask here and nowhere else.  A case is looked at part by part: what a participant
sees follows from its role in the case and from whether the embargo binds it.  The tables are the
rules; tests walk through every row of them on every surface.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from clearhouse.office.viewer import Viewer
from clearhouse.protocol.embargo import Consent
from clearhouse.protocol.partners import ChoiceState
from clearhouse.protocol.review import ReviewState, is_seen_by_others
from clearhouse.protocol.roles import Role
from clearhouse.protocol.tlp import Tlp


class Part(StrEnum):
    """A part of a case that is shown or not shown as a whole."""

    INVITATION = "invitation"  # that there is something, for which package, under which terms
    SUMMARY = "summary"  # title, weakness, state
    CLOCK = "clock"  # embargo, deadline
    REPORT = "report"  # what finders wrote
    PROOF = "proof"  # bundles, verdicts
    VERSIONS = "versions"
    SEVERITY = "severity"
    PATCHES = "patches"  # every candidate with its verdict
    REMEDY = "remedy"  # the patch that was chosen and distributed
    DISCUSSION = "discussion"
    TASKS = "tasks"
    PARTICIPANTS = "participants"
    TIMELINE = "timeline"
    TRIAGE = "triage"  # suggestions, other findings, notes of the office


_EVERYTHING: Final = frozenset(Part)
_SUPPLIER: Final = _EVERYTHING - {Part.TRIAGE}

#: What each role sees of a case that it takes part in and is bound by.
SEEN_BY: Final[Mapping[Role, frozenset[Part]]] = {
    Role.COORDINATOR: _EVERYTHING,
    Role.SUPPLIER: _SUPPLIER,
    # What other finders handed in is theirs; its own it sees as its findings.
    Role.FINDER: _SUPPLIER - {Part.REPORT, Part.PROOF},
    # What touches its own machines, and what it is asked to do.
    Role.DEPLOYER: frozenset(
        {
            Part.INVITATION,
            Part.SUMMARY,
            Part.CLOCK,
            Part.VERSIONS,
            Part.SEVERITY,
            Part.REMEDY,
            Part.TASKS,
        }
    ),
    # How it is handled, not what it is made of: lines that name somebody are of other parts.
    Role.OBSERVER: frozenset({Part.INVITATION, Part.SUMMARY, Part.CLOCK, Part.TIMELINE}),
    Role.AUTHORITY: frozenset(
        {Part.INVITATION, Part.SUMMARY, Part.CLOCK, Part.VERSIONS, Part.SEVERITY, Part.TIMELINE}
    ),
    Role.ASSESSOR: frozenset(),
    Role.DEVELOPER: frozenset(),
    Role.TRUSTED_PARTNER: frozenset(),
}

#: Of the others in a case, those that a participant meets: in the list of who takes part, and as
#: authors of what it reads.  Everything else is signed with a role.  A finder needs those who mend,
#: not the other finders, whose names are theirs to give; a deployer's name says who is vulnerable,
#: and an onlooker's who looks on, so that both are the office's to know.  One's own is always seen.
MEETS: Final[Mapping[Role, frozenset[Role]]] = {
    Role.COORDINATOR: frozenset(Role),
    Role.SUPPLIER: frozenset({Role.SUPPLIER, Role.FINDER}),
    Role.FINDER: frozenset({Role.SUPPLIER}),
    Role.DEPLOYER: frozenset(),
    Role.OBSERVER: frozenset(),
    Role.AUTHORITY: frozenset(),
    Role.ASSESSOR: frozenset(),
    Role.DEVELOPER: frozenset(),
    Role.TRUSTED_PARTNER: frozenset(),
}

#: Before it has accepted the embargo, a participant sees what it would agree to, and no more.
INVITED: Final = frozenset({Part.INVITATION, Part.CLOCK})

#: Consent that opens the case to a participant.
_BOUND: Final = frozenset({Consent.SIGNATORY})


class Deed(StrEnum):
    """Something that is done to a case."""

    ANSWER_INVITATION = "answer-invitation"
    RUN = "run"  # invite, tell, assign, publish, close: the coordinator's own
    REPORT_STATE = "report-state"  # say where oneself stands with the report
    EMBARGO = "embargo"  # propose another end
    WRITE = "write"  # messages, files
    ASSESS = "assess"  # severity
    PATCH = "patch"  # propose one
    DO_TASK = "do-task"


_ALL_DEEDS: Final = frozenset(Deed)
#: What each role may do in a case that it takes part in and is bound by.
DONE_BY: Final[Mapping[Role, frozenset[Deed]]] = {
    Role.COORDINATOR: _ALL_DEEDS,
    Role.SUPPLIER: _ALL_DEEDS - {Deed.RUN},
    Role.FINDER: frozenset({Deed.EMBARGO, Deed.WRITE, Deed.ASSESS, Deed.PATCH, Deed.DO_TASK}),
    Role.DEPLOYER: frozenset({Deed.ANSWER_INVITATION, Deed.REPORT_STATE, Deed.DO_TASK}),
    Role.OBSERVER: frozenset({Deed.ANSWER_INVITATION}),
    Role.AUTHORITY: frozenset({Deed.ANSWER_INVITATION}),
    Role.ASSESSOR: frozenset(),
    Role.DEVELOPER: frozenset(),
    Role.TRUSTED_PARTNER: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What an organisation is in a case: its role there and its consent to the embargo.

    ``is_embargoed`` is whether an embargo is proposed or in force.
    """

    role: Role
    consent: Consent
    is_embargoed: bool

    @property
    def is_bound(self) -> bool:
        """Whether the case is open to it.

        Declining closes it even when nothing binds the others any more: what is public by then is
        seen in the advisory.
        """
        if self.consent in (Consent.DECLINED, Consent.INVITED, Consent.LAPSED):
            return not self.is_embargoed and self.consent is not Consent.DECLINED
        return self.consent in _BOUND or not self.is_embargoed


def parts_seen(viewer: Viewer, standing: Standing | None) -> frozenset[Part]:
    """The parts of a case that the viewer sees; none means that it does not exist for it.

    1. Who runs the office sees all.  2. Who does not take part sees nothing.  3. Who takes part
    and is not bound sees the invitation, unless it declined.  4. The rest follows from the role.
    """
    if viewer.coordinates:  # 1
        return _EVERYTHING
    if viewer.is_public or standing is None:  # 2
        return frozenset()
    if not standing.is_bound:  # 3
        return frozenset() if standing.consent is Consent.DECLINED else INVITED
    return SEEN_BY[standing.role]  # 4


def may(viewer: Viewer, deed: Deed, standing: Standing | None) -> bool:
    """Whether the viewer may do that in a case."""
    if viewer.coordinates:
        return True
    if viewer.is_public or standing is None:
        return False
    if deed is Deed.ANSWER_INVITATION:
        return standing.role is not Role.COORDINATOR and standing.consent in (
            Consent.INVITED,
            Consent.LAPSED,
        )
    return standing.is_bound and deed in DONE_BY[standing.role]


def meets(viewer: Viewer, standing: Standing | None, other: Role) -> bool:
    """Whether the viewer learns by name who else takes part in that role."""
    if viewer.coordinates:
        return True
    if standing is None or Part.PARTICIPANTS not in parts_seen(viewer, standing):
        return False
    return other in MEETS[standing.role]


def part_about(role: Role) -> Part:
    """What somebody has to see to read a line of the timeline that names a participant.

    Suppliers are named to those who work on the case; all others to the office alone.
    """
    return Part.PARTICIPANTS if role is Role.SUPPLIER else Part.TRIAGE


def may_read(
    viewer: Viewer,
    label: Tlp,
    *,
    author: int | None,
    addressed: frozenset[int],
    is_participant: bool,
) -> bool:
    """Whether something shared under a TLP label reaches the viewer (TLP 2.0, FIRST 2022).

    RED goes to those it is addressed to, AMBER and AMBER+STRICT to the participants of the case,
    GREEN to everybody who has signed in, CLEAR to all.  Its author and the office see it always.
    """
    if viewer.coordinates or label is Tlp.CLEAR:
        return True
    mine = viewer.organisation
    if mine is None:
        return False
    if mine == author or mine in addressed:
        return True
    if label is Tlp.GREEN:
        return True
    return label is not Tlp.RED and is_participant and not addressed


def sees_finding(viewer: Viewer, *, finder: int, standing: Standing | None) -> bool:
    """Whether the viewer sees what a finder handed in.

    The finder does, the office, and a participant of its case that sees reports there.
    """
    if viewer.coordinates or (viewer.organisation is not None and viewer.organisation == finder):
        return True
    return Part.REPORT in parts_seen(viewer, standing)


class ReviewPart(StrEnum):
    """A part of a voluntary review that is shown or not shown as a whole."""

    INVITATION = "invitation"  # that one is asked to join, as what, under which terms
    SUMMARY = "summary"  # model, purpose, planned release, state
    CLOCK = "clock"  # the window
    TERMS = "terms"
    CONTACTS = "contacts"
    PARTIES = "parties"  # who was proposed, why, who has access
    LOANS = "loans"  # everything that was lent
    OWN_LOANS = "own-loans"  # what was lent to oneself
    GRANTS = "grants"  # every grant: whose, how it stands, what was unusual
    OWN_GRANTS = "own-grants"  # one's own, with what was done with it
    SEALED = "sealed"  # who asked to open what is sealed
    PROGRESS = "progress"  # how far a measurement is, what it cost, and what came of it
    ATTEMPTS = "attempts"  # each of them by item, and the estimate while it moves
    TIMELINE = "timeline"


_WHOLE_REVIEW: Final = frozenset(ReviewPart)
_THIRD_PARTY: Final = frozenset(
    {
        ReviewPart.INVITATION,
        ReviewPart.SUMMARY,
        ReviewPart.CLOCK,
        ReviewPart.TERMS,
        ReviewPart.OWN_LOANS,
        ReviewPart.OWN_GRANTS,
    }
)

#: What each role sees of a review that it takes part in and is bound by.
SEEN_IN_REVIEW: Final[Mapping[Role, frozenset[ReviewPart]]] = {
    # Its own, but for what is sealed from it: the items.
    Role.DEVELOPER: _WHOLE_REVIEW - {ReviewPart.ATTEMPTS},
    Role.COORDINATOR: _WHOLE_REVIEW,
    # Measures it: whom to ask stands beside it.
    Role.ASSESSOR: _THIRD_PARTY | {ReviewPart.CONTACTS, ReviewPart.PROGRESS, ReviewPart.ATTEMPTS},
    Role.TRUSTED_PARTNER: _THIRD_PARTY,
    # They read the public figures: one review says nothing about the office's conduct.
    Role.AUTHORITY: frozenset(),
    Role.OBSERVER: frozenset(),
    Role.FINDER: frozenset(),
    Role.SUPPLIER: frozenset(),
    Role.DEPLOYER: frozenset(),
}


class ReviewDeed(StrEnum):
    """Something that is done to a review."""

    OWN = "own"  # edit, submit, start, lend, withdraw: the developer's alone
    GIVE = "give"  # grants on its endpoint: the developer's managers alone
    AGREE = "agree"  # terms, window, third parties: what takes both sides
    RUN = "run"  # decline, open what is sealed: the office's alone
    JOIN = "join"  # a third party that is asked agrees to the terms
    TAKE_PART = "take-part"  # a third party declares a conflict, or leaves
    GIVE_BACK = "give-back"  # return what was lent to oneself, and attest
    ASSESS = "assess"  # measure the model, and hand in the evidence


#: What each role may do in a review that it takes part in and is bound by.
DONE_IN_REVIEW: Final[Mapping[Role, frozenset[ReviewDeed]]] = {
    Role.DEVELOPER: frozenset({ReviewDeed.OWN, ReviewDeed.GIVE, ReviewDeed.AGREE}),
    Role.COORDINATOR: frozenset(
        {ReviewDeed.AGREE, ReviewDeed.RUN, ReviewDeed.GIVE_BACK, ReviewDeed.ASSESS}
    ),
    Role.ASSESSOR: frozenset({ReviewDeed.TAKE_PART, ReviewDeed.GIVE_BACK, ReviewDeed.ASSESS}),
    Role.TRUSTED_PARTNER: frozenset({ReviewDeed.TAKE_PART, ReviewDeed.GIVE_BACK}),
    Role.AUTHORITY: frozenset(),
    Role.OBSERVER: frozenset(),
    Role.FINDER: frozenset(),
    Role.SUPPLIER: frozenset(),
    Role.DEPLOYER: frozenset(),
}


@dataclass(frozen=True, slots=True)
class ReviewStanding:
    """What somebody is in a review.

    ``choice`` is a third party's; the two sides have none.  ``holds`` is whether something lent to
    it is not yet returned and attested.
    """

    role: Role
    state: ReviewState
    choice: ChoiceState | None = None
    holds: bool = False

    @property
    def is_in(self) -> bool:
        """Whether the review is there for it: one of the two sides, or a party that has joined."""
        if self.role is Role.DEVELOPER:
            return True
        if not is_seen_by_others(self.state):
            return False
        return self.role is Role.COORDINATOR or self.choice is ChoiceState.JOINED

    @property
    def is_asked(self) -> bool:
        """Whether it is a third party that both sides agreed on and that has not joined."""
        return self.choice is ChoiceState.AGREED and is_seen_by_others(self.state)


def parts_of_review(standing: ReviewStanding | None) -> frozenset[ReviewPart]:
    """The parts of a review that somebody sees; none means that it does not exist for it.

    1. Who is nothing there sees nothing.  2. Who takes part sees what its role does; the developer
    always.  3. Who is asked to join sees what it would agree to.  4. Anybody else, after a
    withdrawal too, sees what it still has to give back, if anything.
    """
    if standing is None:  # 1
        return frozenset()
    if standing.is_in:  # 2
        return SEEN_IN_REVIEW[standing.role]
    if standing.is_asked:  # 3
        return frozenset({ReviewPart.INVITATION, ReviewPart.TERMS})
    return frozenset({ReviewPart.OWN_LOANS}) if standing.holds else frozenset()  # 4


def may_in_review(deed: ReviewDeed, standing: ReviewStanding | None) -> bool:
    """Whether somebody may do that in a review, as far as who it is decides."""
    if standing is None:
        return False
    if deed is ReviewDeed.JOIN:
        return standing.is_asked
    if deed is ReviewDeed.GIVE_BACK and standing.holds:
        return True
    return standing.is_in and deed in DONE_IN_REVIEW[standing.role]


class DirectivePart(StrEnum):
    """A part of a directive that is shown or not shown as a whole."""

    TEXT = "text"  # what it asks, of which sectors or of how many, by when
    AUDIENCE = "audience"  # whom it addresses by name
    COUNTS = "counts"  # how many obligations of each organisation are open, late, done
    OBLIGATIONS = "obligations"  # each of them: whose, by when, how it stands


class ObligationPart(StrEnum):
    """A part of an obligation that is shown or not shown as a whole."""

    PROGRESS = "progress"  # whose, by when, how it stands
    WHERE = "where"  # the flaw's identifier, and the owner's name of the system
    EVIDENCE = "evidence"  # what was handed in, and what came of it
    WORK = "work"  # packages and versions, what to do, what is open


@dataclass(frozen=True, slots=True)
class DirectiveStanding:
    """What somebody is to a directive."""

    is_issuer: bool
    is_addressed: bool
    is_draft: bool
    tlp: Tlp


def parts_of_directive(viewer: Viewer, standing: DirectiveStanding) -> frozenset[DirectivePart]:
    """The parts of a directive that somebody sees; none means that it does not exist for it.

    1. Its issuer sees all of it, and alone what is not issued.  2. The office sees how many
    obligations there are, not which.  3. Whom it addresses reads it, and learns of nobody else.
    4. So does everybody where it is TLP:CLEAR, and everybody who has signed in where it is GREEN.
    """
    if standing.is_issuer:  # 1
        return frozenset(DirectivePart)
    if standing.is_draft:
        return frozenset()
    if viewer.coordinates:  # 2
        return frozenset({DirectivePart.TEXT, DirectivePart.AUDIENCE, DirectivePart.COUNTS})
    is_open = standing.tlp is Tlp.CLEAR or (standing.tlp is Tlp.GREEN and not viewer.is_public)
    if standing.is_addressed or is_open:  # 3, 4
        return frozenset({DirectivePart.TEXT})
    return frozenset()


def parts_of_obligation(
    *, is_owner: bool, is_issuer: bool, is_binding: bool, has_evidence: bool
) -> frozenset[ObligationPart]:
    """The parts of an obligation that somebody sees; none means that it does not exist for it.

    1. Whose it is sees all of it.  2. Who issued the directive sees how it stands; of what is
    binding, which flaw on which system; and what was handed in for it to examine, with what that is
    about.  What is installed it never sees.  3. Nobody else sees anything, the office neither.
    """
    if is_owner:  # 1
        return frozenset(ObligationPart)
    if not is_issuer:  # 3
        return frozenset()
    found = {ObligationPart.PROGRESS}  # 2
    if is_binding or has_evidence:
        found |= {ObligationPart.WHERE, ObligationPart.EVIDENCE}
    return frozenset(found)


def may_issue(viewer: Viewer) -> bool:
    """Whether somebody drafts and issues directives: authorities, and the office its own."""
    return viewer.has(Role.AUTHORITY) or viewer.coordinates
