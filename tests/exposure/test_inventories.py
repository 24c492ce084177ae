"""Inventories in every format, real ones and those made to hurt."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from clearhouse.errors import Invalid
from clearhouse.exposure.inventories import bom_links_of, components_of, read, subject_of
from clearhouse.exposure.matching import Component
from clearhouse.exposure.names import of_purl
from clearhouse.formats import inventory
from tests.exposure.advisories import SHARED

BOMS = SHARED / "data" / "sboms"
has_boms = pytest.mark.skipif(not BOMS.is_dir(), reason="no inventories: set CLEARHOUSE_SHARED")


def components(raw: bytes | str, distribution: str = "") -> list[Component]:
    data = raw.encode() if isinstance(raw, str) else raw
    return components_of(read(data, "x", distribution).packages, "x")[0]


def short(found: list[Component]) -> list[tuple[str, str, str]]:
    return [(one.ecosystem, one.name, one.version) for one in found]


#: Format, ecosystems of what is known, and how many packages are not.
REAL = {
    "cdx-alpine-bad-purls.xml": ("CycloneDX 1.4", {"Alpine:v3.17": 8}, 8),
    "cdx-alpine.xml": ("CycloneDX 1.4", {"Alpine:v3.17": 14}, 2),
    "cdx-cern-lhc-vdm-editor.json": ("CycloneDX 1.2", {"npm": 44}, 0),
    "cdx-cern-lhc-vdm-editor.xml": ("CycloneDX 1.2", {"npm": 44}, 0),
    "cdx-dropwizard-1.3.15.json": ("CycloneDX 1.2", {"Maven": 168}, 0),
    "cdx-hbom-board.json": ("CycloneDX 1.4", {}, 6),
    "cdx-juice-shop-flat-1.4.json": ("CycloneDX 1.4", {"npm": 1116}, 0),
    "cdx-laravel-7.12.0-v1.1.xml": ("CycloneDX 1.1", {"Packagist": 62}, 0),
    "cdx-nested-components.json": ("CycloneDX 1.4", {"crates": 1}, 2),
    "cdx-postgres-stretch-deb.xml": ("CycloneDX 1.4", {"Debian:9": 132, "Go": 3}, 2),
    "cdx-proton-bridge-1.8.0.json": ("CycloneDX 1.2", {"Go": 202}, 0),
    "spdx-example01-simplehtr-example.json": ("SPDX 3.0.1", {}, 10),
    "spdx-example9-appbomination.spdx.json": ("SPDX 2.2", {"Maven": 4}, 3),
    "spdx-example9-appbomination.spdx3.json": ("SPDX 3.0.1", {"Maven": 4}, 3),
    "spdx-purl-and-cpe.json": ("SPDX 2.3", {}, 2),
}


@has_boms
@pytest.mark.parametrize("name", REAL)
def test_a_real_inventory_is_read_whole(name: str) -> None:
    found = read((BOMS / name).read_bytes(), name)
    known, unknown = components_of(found.packages, name)
    counted = Counter(one.ecosystem for one in known)
    assert (found.format, dict(counted), len(unknown)) == REAL[name]
    assert all(one.file == name and one.place for one in known)
    assert all(one.reason and one.suggestion for one in unknown)


@has_boms
def test_json_and_xml_of_one_inventory_say_the_same() -> None:
    both = [
        short(components((BOMS / f"cdx-cern-lhc-vdm-editor.{kind}").read_bytes()))
        for kind in ("json", "xml")
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("purl", "package"),
    [
        ("pkg:pypi/Zope.Interface@5.0", ("PyPI", "zope-interface", "5.0")),
        ("pkg:npm/%40angular/core@12.0.1", ("npm", "@angular/core", "12.0.1")),
        ("pkg:maven/org.apache/log4j@2.14.1", ("Maven", "org.apache:log4j", "2.14.1")),
        (
            "pkg:golang/github.com/gin-gonic/gin@v1.6.0",
            ("Go", "github.com/gin-gonic/gin", "v1.6.0"),
        ),
        ("pkg:deb/debian/libssl3@3.0.1-1?distro=debian-12", ("Debian:12", "libssl3", "3.0.1-1")),
        (
            "pkg:deb/debian/libssl3@3.0.1-1+b1?distro=bookworm&upstream=openssl@3.0.1-1",
            ("Debian:12", "openssl", "3.0.1-1"),
        ),
        ("pkg:deb/ubuntu/curl@7.8-1?distro=ubuntu-22.04", ("Ubuntu:22.04", "curl", "7.8-1")),
        (
            "pkg:apk/alpine/ssl_client@1.35-r0?distro=alpine-3.17.2&upstream=busybox",
            ("Alpine:v3.17", "busybox", "1.35-r0"),
        ),
        (
            "pkg:rpm/almalinux/bash@5.1-1.el9?distro=almalinux-9.4",
            ("AlmaLinux:9", "bash", "5.1-1.el9"),
        ),
        ("pkg:rpm/fedora/bash@5.1", None),
        ("pkg:npm/jQuery@1.6.0", ("npm", "jquery", "1.6.0")),
        ("pkg:golang/github.com/Masterminds/x@v1", ("Go", "github.com/masterminds/x", "v1")),
        ("pkg:golang/std@go1.20.1", ("Go", "stdlib", "1.20.1")),
        ("pkg:gem/nokogiri@1.13.6-x86_64-linux", ("RubyGems", "nokogiri", "1.13.6")),
        ("pkg:deb/ubuntu/curl@7-1?distro=jammy", ("Ubuntu:22.04", "curl", "7-1")),
        ("pkg:apk/alpine/curl@7-r1?distro=alpine-edge", ("Alpine:edge", "curl", "7-r1")),
        ("pkg:rpm/alma/curl@7-1?distro=el9", ("AlmaLinux:9", "curl", "7-1")),
        (
            "pkg:rpm/openeuler/curl@7-1?distro=openEuler-22.03-LTS-SP3",
            ("openEuler:22.03-LTS-SP3", "curl", "7-1"),
        ),
        ("pkg:generic/openssl@3.0", None),
    ],
)
def test_a_package_url_names_what_advisories_name(
    purl: str, package: tuple[str, str, str] | None
) -> None:
    assert of_purl(PackageURL.from_string(purl)) == package


def test_the_epoch_of_a_package_url_is_part_of_the_version() -> None:
    bom = "purl\npkg:rpm/almalinux/bind@9.1-2?epoch=32&distro=almalinux-9\n"
    assert short(components(bom)) == [("AlmaLinux:9", "bind", "32:9.1-2")]


def test_requirements_give_versions_where_they_are_pinned() -> None:
    raw = (
        "# a comment\n-r other.txt\n"
        "Flask[async]==2.0.1 ; python_version > '3'  # why\n"
        "requests==2.25.0 \\\n    --hash=sha256:aa\n"
        "numpy>=1.0\npandas==1.*\nurllib3===1.26\nnot a requirement at all\n"
    )
    known, unknown = components_of(read(raw.encode(), "r.txt").packages, "r.txt")
    assert short(known) == [
        ("PyPI", "flask", "2.0.1"), ("PyPI", "requests", "2.25.0"), ("PyPI", "urllib3", "1.26"),
    ]  # fmt: skip
    assert [one.listed.place for one in unknown] == ["line 2", "line 6", "line 7", "line 9"]
    assert (known[1].file, known[1].place) == ("r.txt", "line 4")


LOCK_3 = {
    "name": "app", "lockfileVersion": 3,
    "packages": {
        "": {"name": "app", "version": "1.0.0"},
        "node_modules/a": {"version": "1.2.3"},
        "node_modules/a/node_modules/@s/b": {"version": "2.0.0"},
        "node_modules/alias": {"name": "real", "version": "3.0.0"},
        "node_modules/linked": {"link": True, "resolved": "packages/linked"},
        "node_modules/git": {"version": "git+ssh://example.org/x.git#abc"},
    },
}  # fmt: skip
LOCK_1 = {
    "lockfileVersion": 1,
    "dependencies": {"a": {"version": "1.2.3", "dependencies": {"@s/b": {"version": "2.0.0"}}}},
}


def test_a_lock_file_of_npm_lists_what_is_installed() -> None:
    assert short(components(json.dumps(LOCK_3))) == [
        ("npm", "a", "1.2.3"), ("npm", "@s/b", "2.0.0"), ("npm", "real", "3.0.0"),
    ]  # fmt: skip
    assert short(components(json.dumps(LOCK_1))) == [
        ("npm", "a", "1.2.3"),
        ("npm", "@s/b", "2.0.0"),
    ]
    (unknown,) = components_of(read(json.dumps(LOCK_3).encode(), "x").packages, "x")[1]
    assert (unknown.listed.name, unknown.reason) == ("git", "it names no version of the registry")


def test_lists_of_a_distribution_need_to_be_told_which() -> None:
    dpkg = "openssl\t3.0.11-1~deb12u2\ncurl\t7.88-10\n"
    assert short(components(dpkg, "Debian:12")) == [
        ("Debian:12", "openssl", "3.0.11-1~deb12u2"), ("Debian:12", "curl", "7.88-10"),
    ]  # fmt: skip
    rpm = "gpg-pubkey-fd431d51-4ae0493b\nbash-5.1.8-6.el9.x86_64\nperl-libs-5.32-480.el9.noarch\n"
    assert short(components(rpm, "AlmaLinux:9")) == [
        ("AlmaLinux:9", "bash", "5.1.8-6.el9"), ("AlmaLinux:9", "perl-libs", "5.32-480.el9"),
    ]  # fmt: skip
    for raw in (dpkg, rpm):
        with pytest.raises(Invalid, match="--distribution"):
            read(raw.encode(), "x")


@pytest.mark.parametrize("distribution", ["npm", "Debian", "Plan 9", ""])
def test_a_distribution_is_one_with_its_release(distribution: str) -> None:
    with pytest.raises(Invalid, match="--distribution"):
        read(b"curl\t7.88-10\n", "x", distribution)


def test_binary_packages_are_refused_with_the_command_that_lists_sources() -> None:
    with pytest.raises(Invalid, match=r"source:Package"):
        read(b"libssl3:amd64\t3.0.11-1\n", "x", "Debian:12")


def test_epochs_are_missed_where_a_list_has_none() -> None:
    plain = components("bash-5.1.8-6.el9.x86_64\n", "AlmaLinux:9")
    asked = components("bash-0:5.1.8-6.el9.x86_64\nbind-32:9.1-2.x86_64\n", "AlmaLinux:9")
    assert [one.lacks_epoch for one in (*plain, *asked)] == [True, False, False]
    assert asked[1].version == "32:9.1-2"


def test_requirements_lose_no_line() -> None:
    raw = b"flask==0.1\n-e git+https://example.org/x.git#egg=x\n--index-url x\nrequests==2.0 \\"
    known, unknown = components_of(read(raw, "r.txt").packages, "r.txt")
    assert [one.name for one in known] == ["flask", "requests"]
    assert [one.listed.place for one in unknown] == ["line 2"]


def test_an_xml_inventory_lists_what_is_installed_and_not_what_made_it() -> None:
    def part(name: str) -> str:
        purl = f"<purl>pkg:npm/{name}@1</purl>"
        return f"<components><component><name>{name}</name>{purl}</component></components>"

    bom = (
        '<?xml version="1.0" encoding="latin-1"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6">'
        f"<metadata><tools>{part('tool')}</tools></metadata>{part('näme')}"
        f"<formulation><formula>{part('made')}</formula></formulation></bom>"
    )
    for encoding in ("utf-8", "utf-16"):
        assert short(components(bom.encode(encoding))) == [("npm", "näme", "1")]


def test_a_table_names_packages_by_columns() -> None:
    raw = "Name,Version,Ecosystem\r\nlodash,4.17.4,npm\r\n,,\r\nx,1,Cobol\r\n"
    known, unknown = components_of(read(raw.encode("utf-16"), "t.csv").packages, "t.csv")
    assert short(known) == [("npm", "lodash", "4.17.4")]
    assert [one.listed.place for one in unknown] == ["line 4"]


def bom(*parts: Any) -> bytes:
    return json.dumps(
        {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": parts}
    ).encode()


def test_what_is_written_badly_is_listed_and_the_rest_is_read() -> None:
    good = {"name": "x", "version": "1", "purl": "pkg:npm/x@1"}
    raw = bom(
        {"name": "y", "version": 7}, "text", {"name": "z", "purl": "pkg:"}, good, {"name": "w"}
    )
    known, unknown = components_of(read(raw, "b").packages, "b")
    assert short(known) == [("npm", "x", "1")]
    assert [one.listed.place for one in unknown] == [f"components[{n}]" for n in (0, 1, 2, 4)]


def nested(depth: int) -> str:
    return '{"components":[' * depth + "]}" * depth


ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE bom [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    '<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components><component><name>&b;</name>'
    "</component></components></bom>"
)
NESTED_XML = '<bom xmlns="http://cyclonedx.org/schema/bom/1.4">' + "<components><component>" * 5000


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "is empty"),
        (b"   \n\n", "is empty"),
        (b"\x00\x01", "NUL"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"\xe9t\xe9", "not UTF-8"),
        (b"{", "is not JSON"),
        (b'{"a":1,"a":2}', "twice"),
        (b'{"bomFormat":"CycloneDX","components":{}}', "expected a list"),
        (b'{"a":1}', "no known format"),
        (nested(100_000).encode(), "nested too deeply"),
        (ENTITIES.encode(), "document type"),
        (NESTED_XML.encode(), "nested too deeply"),
        (b"<bom/>", "expected a CycloneDX bom"),
        (b"<bom", "is not XML"),
        (b"a,b\n1,2\n", "no known format"),
        (b"GEM\n  remote: x\nPLATFORMS\n", "no known format"),
        (b'purl,name\n"x', "is not CSV"),
        (b"\x7fELF" + b"\x02" * 40, "no known format"),
    ],
)
def test_what_is_no_inventory_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as caught:
        read(raw, "evil.bin")
    assert caught.value.where == "evil.bin"


def test_an_inventory_has_a_size_and_a_number_of_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "MOST_BYTES", 100)
    with pytest.raises(Invalid, match="more than 100"):
        read(b"x" * 101, "x")
    monkeypatch.undo()
    monkeypatch.setattr(inventory, "MOST_PACKAGES", 3)
    with pytest.raises(Invalid, match="more than 3 packages"):
        read(bom(*({"name": "x"} for _ in range(4))), "x")


words = st.text(max_size=20) | st.none() | st.integers() | st.lists(st.none(), max_size=1)
parts = st.recursive(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("name", "version", "purl", "group", "type"), words)
    ),
    lambda inner: st.fixed_dictionaries({}, optional={"components": st.lists(inner, max_size=3)}),
    max_leaves=8,
)


@given(st.lists(parts, max_size=4))
def test_no_component_is_lost_and_none_breaks_the_reader(many: list[dict[str, Any]]) -> None:
    def count(one: dict[str, Any]) -> int:
        return 1 + sum(map(count, one.get("components", [])))

    found = read(bom(*many), "x").packages
    known, unknown = components_of(found, "x")
    assert len(known) + len(unknown) == len(found) == sum(map(count, many))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_the_bytes_they_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(Invalid):
        components_of(read(raw, "x", "Debian:12").packages, "x")


JSON_BOM = b"""{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 3,
 "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
 "metadata": {"component": {"name": "app", "type": "application", "purl": "pkg:npm/app@1"}},
 "components": [{"bom-ref": "a", "type": "library", "name": "a", "purl": "pkg:npm/a@2"}]}"""
XML_BOM = b"""<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><metadata>
<component type="application"><name>app</name><purl>pkg:npm/app@1</purl></component>
</metadata><components/></bom>"""


@pytest.mark.parametrize("raw", [JSON_BOM, XML_BOM])
def test_what_an_inventory_is_of_is_told_by_its_package_url(raw: bytes) -> None:
    found = subject_of(read(raw, "bom").packages)
    assert found is not None
    assert found.to_string() == "pkg:npm/app@1"
    assert subject_of(read(b"flask==1.0\n", "list").packages) is None


def test_components_are_known_by_bom_link() -> None:
    link = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/3#a"
    found = bom_links_of(JSON_BOM, "bom")
    assert {key: purl.to_string() for key, purl in found.items()} == {link: "pkg:npm/a@2"}
    in_xml = XML_BOM.replace(
        b"<components/>",
        b'<components><component type="library" bom-ref="a"><name>a</name>'
        b"<purl>pkg:npm/a@2</purl></component></components>",
    ).replace(b"<bom ", b'<bom version="3" serialNumber="urn:uuid:%s" ' % link[8:44].encode())
    assert bom_links_of(in_xml, "bom") == found
    assert bom_links_of(XML_BOM, "bom") == {}
    assert bom_links_of(b'{"spdxVersion": "SPDX-2.3"}', "bom") == {}


def test_an_unknown_distribution_is_named_with_those_that_are_known() -> None:
    with pytest.raises(Invalid, match=r"'Debain' .* none that is known; known are AlmaLinux"):
        read(b"curl\t1.0\n", "x", "Debain:12")
    with pytest.raises(Invalid, match="say of which release with --distribution, as in Debian:12"):
        read(b"curl\t1.0\n", "x", "debian")
    (one,) = read(b"curl\t1.0\n", "x", "debian:12").packages
    assert one.ecosystem == "Debian:12"


def test_what_is_malformed_has_its_name_where_that_is_known() -> None:
    component = {"type": "library", "name": "left-pad", "version": 7}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [component]}
    _, (one,) = components_of(read(json.dumps(document).encode(), "x").packages, "x")
    assert (one.listed.name, one.listed.place) == ("left-pad", "components[0]")
    assert (one.reason, one.suggestion) == ("its version is not text", "correct it")


def test_an_ecosystem_is_known_whatever_its_capitals() -> None:
    table = b"ecosystem,name,version\npypi,Pillow,1\nDEBIAN:12,curl,1\nplan 9,x,1\n"
    known, (unknown,) = components_of(read(table, "x").packages, "x")
    assert [one.ecosystem for one in known] == ["PyPI", "Debian:12"]
    assert unknown.reason.startswith("plan 9 is no ecosystem")
