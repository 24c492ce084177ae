"""The decision tables, each with the publisher's name and version.

CERT/CC, SSVC decision tables (https://certcc.github.io/SSVC); CISA, those of its namespace.  In
all of them a worse answer never gives a lesser outcome.
"""

from __future__ import annotations

from typing import Final

from clearhouse.protocol.ssvc.points import (
    AUTOMATABLE,
    CISA_LEVELS,
    COORDINATE,
    EXPLOITATION,
    HUMAN_IMPACT,
    IN_KEV,
    MISSION_AND_WELL_BEING_IMPACT,
    MISSION_IMPACT,
    PRIORITY,
    PUBLIC_SAFETY_IMPACT,
    PUBLIC_VALUE_ADDED,
    PUBLICLY_EXPOSED,
    PUBLISH,
    REMEDIATION_TIMELINES,
    REPORT_CREDIBILITY,
    REPORT_PUBLIC,
    SAFETY_IMPACT,
    SUPPLIER_CARDINALITY,
    SUPPLIER_CONTACTED,
    SUPPLIER_ENGAGEMENT,
    SUPPLIER_INVOLVEMENT,
    SYSTEM_EXPOSURE,
    TECHNICAL_IMPACT,
    UTILITY,
    VALUE_DENSITY,
)
from clearhouse.protocol.ssvc.table import Table

#: How CISA answers a vulnerability: one line for each exploitation and automatability.
CISA_COORDINATOR: Final = Table.of(
    "cisa:DT_CO:2.0.3",
    "CISA Coordinator",
    (EXPLOITATION, AUTOMATABLE, TECHNICAL_IMPACT, MISSION_AND_WELL_BEING_IMPACT),
    CISA_LEVELS,
    outcomes="""
        T T T T T T*
        T T AT T T AT
        T T T* T T* AT
        T T AT T T* AT
        T T AT T AT AC
        AT AT AC AT AC AC
    """,
)

#: How soon a supplier makes a patch: one line for each exploitation and utility.
SUPPLIER: Final = Table.of(
    "ssvc:DT_SP:1.0.0",
    "Supplier Patch Development Priority",
    (EXPLOITATION, UTILITY, TECHNICAL_IMPACT, PUBLIC_SAFETY_IMPACT),
    PRIORITY,
    outcomes="""
        D S S O
        S O S O
        S O O O
        S O S I
        S I O I
        O I O I
        O I O I
        O I O I
        I I I I
    """,
)

#: How soon a deployer applies a patch: one line for each exploitation and exposure.
DEPLOYER: Final = Table.of(
    "ssvc:DT_DP:1.0.0",
    "Deployer Patch Application Priority",
    (EXPLOITATION, SYSTEM_EXPOSURE, AUTOMATABLE, HUMAN_IMPACT),
    PRIORITY,
    outcomes="""
        D D S S D S S S
        D S S S S S S S
        D S S S S S S O
        D S S S S S S S
        D S S S S S S O
        S S S O S S O O
        S S O O S O O O
        S S O O O O O O
        S O O I O O I I
    """,
)

#: Whether a coordinator takes a report: one line for each combination of the first four,
#: from public, not contacted, not credible, one supplier to not public, contacted, credible, many.
COORDINATOR_TRIAGE: Final = Table.of(
    "ssvc:DT_COORD_TRIAGE:1.0.0",
    "Coordinator Triage",
    (
        REPORT_PUBLIC,
        SUPPLIER_CONTACTED,
        REPORT_CREDIBILITY,
        SUPPLIER_CARDINALITY,
        SUPPLIER_ENGAGEMENT,
        UTILITY,
        PUBLIC_SAFETY_IMPACT,
    ),
    COORDINATE,
    outcomes="""
        D D D D D D D D D D D D
        D D D D D C D D D D D C
        D D D D D D D D D D D D
        D D D D D C D D D D D C
        D D D D D D D D D D D D
        D D D D D C D D D D D C
        D D D D D D D D D D D D
        D D D D D C D D D D D C
        D D D D D D D D D D D D
        D D D D D C D D D D D C
        D D D D D D D D D D D D
        D D D D D C D D D D D C
        D D D T D T D D D T D T
        D T D T T C D T D T T C
        D D D T D T T C C C C C
        D T D T C C C C C C C C
    """,
)

#: Whether a coordinator publishes: one line for each involvement of the supplier.
COORDINATOR_PUBLISH: Final = Table.of(
    "ssvc:DT_COORD_PUBLISH:1.0.0",
    "Coordinator Publish Decision Table",
    (SUPPLIER_INVOLVEMENT, EXPLOITATION, PUBLIC_VALUE_ADDED),
    PUBLISH,
    outcomes="""
        N N P N N P N P P
        N N P N N P N P P
        N N P N P P P P P
    """,
)

#: By when a federal agency remediates (CISA BOD 26-04, table of timelines): one line for each
#: combination of listing, exposure and automatability; partial impact, then total.
BOD_26_04: Final = Table.of(
    "cisa:DT_BOD2604:1.0.0",
    "CISA BOD 26-04",
    (IN_KEV, PUBLICLY_EXPOSED, AUTOMATABLE, TECHNICAL_IMPACT),
    REMEDIATION_TIMELINES,
    outcomes="""
        FSU FSU
        60D 60D
        60D 14D
        14D 3D
        14D 14D
        14D 3DF
        14D 3DF
        3D 3DF
    """,
)

#: What an exploit does to people: one line for each safety impact.
HUMAN_IMPACT_TABLE: Final = Table.of(
    "ssvc:DT_HI:1.0.0",
    "Human Impact",
    (SAFETY_IMPACT, MISSION_IMPACT),
    HUMAN_IMPACT,
    outcomes="""
        L L M VH
        L L M VH
        M H H VH
        VH VH VH VH
    """,
)

#: What an exploit does to public safety.
PUBLIC_SAFETY_IMPACT_TABLE: Final = Table.of(
    "ssvc:DT_PSI:1.0.0",
    "Public Safety Impact",
    (SAFETY_IMPACT,),
    PUBLIC_SAFETY_IMPACT,
    outcomes="""
        M S S S
    """,
)

#: How useful the vulnerability is to an attacker: one line for each automatability.
UTILITY_TABLE: Final = Table.of(
    "ssvc:DT_U:1.0.0",
    "Utility",
    (AUTOMATABLE, VALUE_DENSITY),
    UTILITY,
    outcomes="""
        L E
        E S
    """,
)

TABLES: Final = (
    CISA_COORDINATOR,
    SUPPLIER,
    DEPLOYER,
    COORDINATOR_TRIAGE,
    COORDINATOR_PUBLISH,
    BOD_26_04,
    HUMAN_IMPACT_TABLE,
    PUBLIC_SAFETY_IMPACT_TABLE,
    UTILITY_TABLE,
)
