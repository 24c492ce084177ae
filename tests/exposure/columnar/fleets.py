"""Records and inventories, what ``matches`` says of them, and what a store says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from hypothesis import strategies as st

from clearhouse.exposure.columnar.store import Store
from clearhouse.exposure.matching import Answer, Component, Vulnerabilities
from clearhouse.exposure.vulnerabilities import Vulnerability, read

Told: TypeAlias = set[tuple[int, Component, str, Answer]]
Held: TypeAlias = Mapping[int, Sequence[Component]]

_ECOSYSTEMS = (
    "PyPI", "npm", "Debian", "Debian:12", "AlmaLinux", "AlmaLinux:9", "Packagist", "Packagist:x",
    "Nowhere",
)  # fmt: skip
_NAMES = ("a", "A_b", "a-b")
_VERSIONS = (
    "", "0", "1", "1.0", "1.0.0", " 1.0 ", "1.5", "2.0rc1", "2", "1:1-1", "0:1-1", "1-1", "2-1",
    "latest", "dev-main", "trunk", "1.0+local", "1\0", "1.é",
)  # fmt: skip

components = st.builds(
    Component,
    st.sampled_from(_ECOSYSTEMS),
    st.sampled_from(_NAMES),
    st.sampled_from(_VERSIONS),
    lacks_epoch=st.booleans(),
)
_bounds = st.sampled_from(("introduced", "introduced", "fixed", "last_affected", "limit"))
_events = st.lists(
    st.builds(lambda bound, version: {bound: version}, _bounds, st.sampled_from(_VERSIONS[1:])),
    max_size=4,
)
_ranges = st.builds(lambda events: {"type": "ECOSYSTEM", "events": events}, _events)
_entries = st.builds(
    lambda ecosystem, name, ranges, versions: {
        "package": {"ecosystem": ecosystem, "name": name},
        "ranges": ranges,
        "versions": versions,
    },
    st.sampled_from(_ECOSYSTEMS),
    st.sampled_from(_NAMES),
    st.lists(_ranges, max_size=2),
    st.lists(st.sampled_from(_VERSIONS), max_size=3),
)
raw_records = st.builds(
    lambda identifier, aliases, modified, withdrawn, affected: {
        "id": identifier,
        "aliases": aliases,
        "modified": modified,
        "withdrawn": withdrawn,
        "affected": affected,
    },
    st.sampled_from(("X-1", "X-2", "X-3", "CVE-9")),
    st.lists(st.sampled_from(("X-1", "CVE-1", "CVE-2", "\ud800")), max_size=2),
    st.sampled_from(("2026-01", "2026-02")),
    st.sampled_from((None, None, None, "2026-03-01")),
    st.lists(_entries, max_size=3),
)
records = st.builds(lambda raw: read(raw, "record"), raw_records)


def expected(known: Iterable[Vulnerability], held: Held) -> Told:
    """Rows as ``Vulnerabilities.matches`` says them, records in the order of their identifiers."""
    matching = Vulnerabilities(sorted(known, key=lambda one: one.id))
    return {
        (holder, bare(component), spelt(match.ids[0]), match.answer)
        for holder, listed in held.items()
        for component in listed
        for match in matching.matches(component)
    }


def told(store: Store, holders: Iterable[int]) -> Told:
    """Rows as the store says them, holder by holder."""
    with store.snapshot() as now:
        return {
            (holder, one.component, one.flaw, one.answer)
            for holder in holders
            for one in now.of_holder(holder)
        }


def touched(store: Store, *about: Vulnerability) -> set[tuple[int, Component, Answer]]:
    """Who is touched, as the store says that is asked."""
    with store.snapshot() as now:
        return {(one.holder, one.component, one.decision.answer) for one in now.holders_of(*about)}


def pairs_of(rows: Told) -> set[tuple[int, str, Answer]]:
    """Holder and flaw, affected before undecided."""
    affected = {(holder, flaw) for holder, _, flaw, found in rows if found is Answer.AFFECTED}
    every = {(holder, flaw) for holder, _, flaw, _ in rows}
    return {(*one, Answer.AFFECTED if one in affected else Answer.UNDECIDED) for one in every}


def bare(component: Component) -> Component:
    """A component without what it was read from."""
    return Component(
        component.ecosystem,
        component.name,
        component.version,
        lacks_epoch=component.lacks_epoch,
    )


def spelt(name: str) -> str:
    return name.encode(errors="backslashreplace").decode()


def record(identifier: str, name: str = "a", **more: Any) -> Vulnerability:
    """A record about a package of PyPI: everything before 2.0, unless told otherwise."""
    events = more.pop("events", [{"introduced": "0"}, {"fixed": "2.0"}])
    entry = {
        "package": {"ecosystem": more.pop("ecosystem", "PyPI"), "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
        "versions": more.pop("versions", []),
    }
    return read({"id": identifier, "affected": [entry], **more}, "record")
