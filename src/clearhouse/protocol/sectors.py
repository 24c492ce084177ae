"""The sectors of critical infrastructure, by which organisations and systems are addressed.

Presidential Policy Directive 21 (February 12, 2013) designates sixteen.  National Security
Memorandum 22 (April 30, 2024) keeps them and names that of the government anew; its names stand
here.  Whoever belongs to none of them is in ``other``; whoever has not said, in none.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from clearhouse.errors import Invalid


class Sector(StrEnum):
    """A sector, by the key that is stored."""

    CHEMICAL = "chemical"
    COMMERCIAL_FACILITIES = "commercial-facilities"
    COMMUNICATIONS = "communications"
    CRITICAL_MANUFACTURING = "critical-manufacturing"
    DAMS = "dams"
    DEFENSE_INDUSTRIAL_BASE = "defense-industrial-base"
    EMERGENCY_SERVICES = "emergency-services"
    ENERGY = "energy"
    FINANCIAL_SERVICES = "financial-services"
    FOOD_AND_AGRICULTURE = "food-and-agriculture"
    GOVERNMENT = "government"
    HEALTHCARE = "healthcare"
    INFORMATION_TECHNOLOGY = "information-technology"
    NUCLEAR = "nuclear"
    TRANSPORTATION = "transportation"
    WATER = "water"
    OTHER = "other"

    @property
    def label(self) -> str:
        """Its name in the memorandum."""
        return NAMES[self]

    @classmethod
    def parse(cls, text: str, *, where: str | None = None, key: str | None = None) -> Sector:
        """Read a key or a name, in any case.  Raises :class:`Invalid` for anything else."""
        said = " ".join(text.split()).casefold()
        for one in cls:
            if said in (one.value, one.label.casefold()):
                return one
        raise Invalid(f"expected a sector, one of {', '.join(cls)}", where=where, key=key)


NAMES: Final[Mapping[Sector, str]] = {
    Sector.CHEMICAL: "Chemical",
    Sector.COMMERCIAL_FACILITIES: "Commercial Facilities",
    Sector.COMMUNICATIONS: "Communications",
    Sector.CRITICAL_MANUFACTURING: "Critical Manufacturing",
    Sector.DAMS: "Dams",
    Sector.DEFENSE_INDUSTRIAL_BASE: "Defense Industrial Base",
    Sector.EMERGENCY_SERVICES: "Emergency Services",
    Sector.ENERGY: "Energy",
    Sector.FINANCIAL_SERVICES: "Financial Services",
    Sector.FOOD_AND_AGRICULTURE: "Food and Agriculture",
    Sector.GOVERNMENT: "Government Services and Facilities",
    Sector.HEALTHCARE: "Healthcare and Public Health",
    Sector.INFORMATION_TECHNOLOGY: "Information Technology",
    Sector.NUCLEAR: "Nuclear Reactors, Materials, and Waste",
    Sector.TRANSPORTATION: "Transportation Systems",
    Sector.WATER: "Water and Wastewater Systems",
    Sector.OTHER: "Other, or none of these",
}
