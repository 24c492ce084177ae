"""Traffic Light Protocol 2.0 (FIRST, August 2022): how far what is shared may be passed on."""

from __future__ import annotations

from enum import Enum

from clearhouse.errors import Invalid, Refused


class Tlp(Enum):
    """The labels, from the narrowest to the widest; the value is the label as it is written."""

    RED = "TLP:RED"
    AMBER_STRICT = "TLP:AMBER+STRICT"
    AMBER = "TLP:AMBER"
    GREEN = "TLP:GREEN"
    CLEAR = "TLP:CLEAR"

    @property
    def width(self) -> int:
        """Its place in that order, 0 being the narrowest."""
        return list(Tlp).index(self)

    @property
    def meaning(self) -> str:
        """To whom it may be passed on, in plain words."""
        return _MEANING[self]

    @classmethod
    def parse(cls, text: str) -> Tlp:
        """Read a label, with or without ``TLP:``.

        ``WHITE`` of TLP 1.0 reads as CLEAR.  Raises :class:`Invalid` for anything else.
        """
        name = text.strip().upper().removeprefix("TLP:")
        if name == "WHITE":
            return cls.CLEAR
        for label in cls:
            if label.value == f"TLP:{name}":
                return label
        known = ", ".join(label.value for label in cls)
        raise Invalid(f"{text[:40]!r} is no label of TLP 2.0; there are {known}")

    @classmethod
    def narrowest(cls, labels: tuple[Tlp, ...]) -> Tlp:
        """The label for what is put together from parts; of nothing, RED."""
        return min(labels, key=lambda label: label.width, default=cls.RED)


_MEANING = {
    Tlp.RED: "only for the people it is given to",
    Tlp.AMBER_STRICT: "only within your organisation, for those who need it",
    Tlp.AMBER: "within your organisation and to clients of it, for those who need it",
    Tlp.GREEN: "within your community, and not by channels that all can read",
    Tlp.CLEAR: "to everybody",
}


def as_csaf_2_0(label: Tlp) -> str:
    """The label in CSAF 2.0, which knows TLP 1.0 only (section 3.2.1.5.2).

    Raises :class:`Refused` for AMBER+STRICT: the wider AMBER would say too much, and RED is the
    sender's to choose.
    """
    if label is Tlp.AMBER_STRICT:
        raise Refused("CSAF 2.0 has no label for TLP:AMBER+STRICT; choose TLP:RED or CSAF 2.1")
    return "WHITE" if label is Tlp.CLEAR else label.value.removeprefix("TLP:")
