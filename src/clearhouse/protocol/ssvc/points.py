"""The decision points that the tables use, with the publisher's keys and names.

CERT/CC, SSVC decision points; CISA, those of its namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clearhouse.protocol.ssvc.table import Point

# What a table asks.
EXPLOITATION: Final = Point(
    "ssvc", "E", "1.1.0", "Exploitation", {"N": "None", "P": "Public PoC", "A": "Active"}
)
AUTOMATABLE: Final = Point("ssvc", "A", "2.0.0", "Automatable", {"N": "No", "Y": "Yes"})
TECHNICAL_IMPACT: Final = Point(
    "ssvc", "TI", "1.0.0", "Technical Impact", {"P": "Partial", "T": "Total"}
)
VALUE_DENSITY: Final = Point(
    "ssvc", "VD", "1.0.0", "Value Density", {"D": "Diffuse", "C": "Concentrated"}
)
SYSTEM_EXPOSURE: Final = Point(
    "ssvc", "EXP", "1.0.1", "System Exposure", {"S": "Small", "C": "Controlled", "O": "Open"}
)
MISSION_AND_WELL_BEING_IMPACT: Final = Point(
    "ssvc",
    "MWI",
    "1.0.0",
    "Mission and Well-Being Impact",
    {"L": "Low", "M": "Medium", "H": "High"},
)
SAFETY_IMPACT: Final = Point(
    "ssvc", "SI", "2.0.1", "Safety Impact",
    {"N": "Negligible", "M": "Marginal", "R": "Critical", "C": "Catastrophic"},
)  # fmt: skip
MISSION_IMPACT: Final = Point(
    "ssvc", "MI", "2.0.0", "Mission Impact",
    {
        "D": "Degraded", "MSC": "MEF Support Crippled", "MEF": "MEF Failure",
        "MF": "Mission Failure",
    },
)  # fmt: skip
REPORT_PUBLIC: Final = Point("ssvc", "RP", "1.0.0", "Report Public", {"Y": "Yes", "N": "No"})
SUPPLIER_CONTACTED: Final = Point(
    "ssvc", "SCON", "1.0.0", "Supplier Contacted", {"N": "No", "Y": "Yes"}
)
REPORT_CREDIBILITY: Final = Point(
    "ssvc", "RC", "1.0.0", "Report Credibility", {"NC": "Not Credible", "C": "Credible"}
)
SUPPLIER_CARDINALITY: Final = Point(
    "ssvc", "SC", "1.0.0", "Supplier Cardinality", {"O": "One", "M": "Multiple"}
)
SUPPLIER_ENGAGEMENT: Final = Point(
    "ssvc", "SE", "1.0.0", "Supplier Engagement", {"A": "Active", "U": "Unresponsive"}
)
SUPPLIER_INVOLVEMENT: Final = Point(
    "ssvc", "SINV", "1.0.0", "Supplier Involvement",
    {"FR": "Fix Ready", "C": "Cooperative", "UU": "Uncooperative/Unresponsive"},
)  # fmt: skip
PUBLIC_VALUE_ADDED: Final = Point(
    "ssvc", "PVA", "1.0.0", "Public Value Added",
    {"L": "Limited", "A": "Ampliative", "P": "Precedence"},
)  # fmt: skip
IN_KEV: Final = Point("cisa", "KEV", "1.0.0", "In KEV", {"N": "No", "Y": "Yes"})
PUBLICLY_EXPOSED: Final = Point("cisa", "PE", "1.0.0", "Publicly Exposed", {"N": "No", "Y": "Yes"})

# What one table answers and another asks.
HUMAN_IMPACT: Final = Point(
    "ssvc", "HI", "2.0.2", "Human Impact",
    {"L": "Low", "M": "Medium", "H": "High", "VH": "Very High"},
)  # fmt: skip
PUBLIC_SAFETY_IMPACT: Final = Point(
    "ssvc", "PSI", "2.0.1", "Public Safety Impact", {"M": "Minimal", "S": "Significant"}
)
UTILITY: Final = Point(
    "ssvc", "U", "1.0.1", "Utility", {"L": "Laborious", "E": "Efficient", "S": "Super Effective"}
)

# What a table answers.
CISA_LEVELS: Final = Point(
    "cisa", "CISA", "1.1.0", "CISA Levels",
    {"T": "Track", "T*": "Track*", "AT": "Attend", "AC": "Act"},
)  # fmt: skip
PRIORITY: Final = Point(
    "ssvc", "DSOI", "1.0.0", "Defer, Scheduled, Out-of-Cycle, Immediate",
    {"D": "Defer", "S": "Scheduled", "O": "Out-of-Cycle", "I": "Immediate"},
)  # fmt: skip
COORDINATE: Final = Point(
    "ssvc", "COORDINATE", "1.0.1", "Decline, Track, Coordinate",
    {"D": "Decline", "T": "Track", "C": "Coordinate"},
)  # fmt: skip
PUBLISH: Final = Point(
    "ssvc", "PUBLISH", "1.0.0", "Publish, Do Not Publish", {"N": "Do Not Publish", "P": "Publish"}
)
REMEDIATION_TIMELINES: Final = Point(
    "cisa", "BOD2604", "1.0.0", "CISA BOD 26-04 Remediation Timelines",
    {
        "FSU": "Fix on system upgrade", "60D": "60 days", "14D": "14 days", "3D": "3 days",
        "3DF": "3 days & forensic investigation",
    },
)  # fmt: skip

#: Every point that a table asks, by its key, which no two share.
POINTS: Final[Mapping[str, Point]] = {
    point.key: point
    for point in (
        EXPLOITATION, AUTOMATABLE, TECHNICAL_IMPACT, VALUE_DENSITY, SYSTEM_EXPOSURE,
        MISSION_AND_WELL_BEING_IMPACT, SAFETY_IMPACT, MISSION_IMPACT, REPORT_PUBLIC,
        SUPPLIER_CONTACTED, REPORT_CREDIBILITY, SUPPLIER_CARDINALITY, SUPPLIER_ENGAGEMENT,
        SUPPLIER_INVOLVEMENT, PUBLIC_VALUE_ADDED, IN_KEV, PUBLICLY_EXPOSED, HUMAN_IMPACT,
        PUBLIC_SAFETY_IMPACT, UTILITY,
    )
}  # fmt: skip
