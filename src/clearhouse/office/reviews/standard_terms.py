"""The terms that a review begins with; both sides change what does not fit."""

from __future__ import annotations

from typing import Final

from clearhouse.protocol.terms import Subject

STANDARD: Final = {
    Subject.CONFIDENTIALITY: (
        "What the developer shows is confidential. It is told to nobody who is not named in this"
        " review, and not used for any other purpose of the receiving party."
    ),
    Subject.PERMITTED_USE: (
        "Access serves to find out what the model can do in finding and mending vulnerabilities,"
        " and for nothing else. Nobody attacks a system of a third party with it. Nobody trains"
        " another model on its answers."
    ),
    Subject.NONDISCLOSURE: (
        "Nobody says in public that this review takes place, or what came of it, unless both sides"
        " agree to the text. The developer may withdraw at any moment without giving a reason."
    ),
    Subject.INTELLECTUAL_PROPERTY: (
        "All rights in the model and in what comes with it stay with the developer. Vulnerabilities"
        " that are found belong to the process of coordinated disclosure."
    ),
    Subject.DATA_RETENTION: (
        "Everything that was lent goes back within 7 days of the window's end. Copies, logs of"
        " contents and credentials are deleted, and whoever held them attests it in writing."
    ),
    Subject.INSIDER_RISK: (
        "Only named people have access, each for themselves. Two of them open what is sealed,"
        " together. Conflicts of interest are declared before access, and when they arise."
    ),
}
