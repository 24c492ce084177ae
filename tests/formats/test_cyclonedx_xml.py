"""CycloneDX in XML says what the same document says in JSON."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.errors import Invalid
from clearhouse.formats import cyclonedx, cyclonedx_vex, cyclonedx_xml, inventory
from clearhouse.formats.json_value import JsonValue
from tests.exposure.advisories import SHARED

NAMESPACE = "http://cyclonedx.org/schema/bom/1.6"
#: How XML calls the element of a list, and what is an attribute (bom-1.6.xsd).
ELEMENTS = {
    "authors": ("authors", "author"),
    "components": ("components", "component"),
    "vulnerabilities": ("vulnerabilities", "vulnerability"),
    "references": ("references", "reference"),
    "response": ("responses", "response"),
    "affects": ("affects", "target"),
    "versions": ("versions", "version"),
}
ATTRIBUTES = ("bom-ref", "type", "serialNumber")


def written(document: dict[str, Any]) -> str:
    """The document in XML; lists that are not read are left out."""
    root = ET.Element("bom", {"xmlns": NAMESPACE, "version": str(document.get("version", 1))})
    _fill(root, {key: one for key, one in document.items() if key != "version"})
    return ET.tostring(root, encoding="unicode")


def _fill(element: ET.Element, table: dict[str, Any]) -> None:
    for key, value in table.items():
        if key in ATTRIBUTES:
            element.set(key, value)
        elif isinstance(value, dict):
            _fill(ET.SubElement(element, key), value)
        elif isinstance(value, list):
            if key not in ELEMENTS:
                continue
            wrapper, member = ELEMENTS[key]
            around = ET.SubElement(element, wrapper)
            for one in value:
                made = ET.SubElement(around, member)
                if isinstance(one, dict):
                    _fill(made, one)
                else:
                    made.text = str(one)
        else:
            ET.SubElement(element, key).text = str(value)


@pytest.mark.parametrize("name", ["affected", "not-affected", "case2", "case3", "case8"])
def test_published_examples_state_the_same_in_xml(name: str) -> None:
    path = SHARED / "data" / "sboms" / f"cdx-vex-{name}.json"
    if not path.is_file():
        pytest.skip(f"no {path.name}: set CLEARHOUSE_SHARED to the folder of shared test data")
    document = json.loads(path.read_bytes())
    in_json = cyclonedx_vex.read(JsonValue(document, name), name=name)
    decoded = cyclonedx_xml.decode(written(document), name)
    in_xml = cyclonedx_vex.read(JsonValue(decoded, name), name=name)
    assert in_xml.statements == in_json.statements
    assert in_xml == in_json


words = st.text("abc é<&\"'", min_size=1, max_size=6).map(str.strip).filter(bool)
purls = st.builds("pkg:npm/{}@{}".format, st.sampled_from("ab"), st.integers(0, 3))
components = st.recursive(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["library", "file"]), "name": words},
        optional={"bom-ref": words, "version": words, "group": words, "purl": purls},
    ),
    lambda inner: st.builds(
        lambda one, more: {**one, "components": more}, inner, st.lists(inner, max_size=2)
    ),
    max_leaves=5,
)
versions = st.fixed_dictionaries(
    {"version": words}, optional={"status": st.sampled_from(["affected", "unaffected", "unknown"])}
)
vulnerabilities = st.fixed_dictionaries(
    {"id": words},
    optional={
        "references": st.lists(st.fixed_dictionaries({"id": words}), max_size=2),
        "analysis": st.fixed_dictionaries(
            {"state": st.sampled_from(["exploitable", "resolved", "not_affected", "no_state"])},
            optional={
                "justification": words,
                "detail": words,
                "response": st.lists(words, max_size=2),
                "lastUpdated": st.just("2026-01-01T00:00:00Z"),
            },
        ),
        "affects": st.lists(
            st.fixed_dictionaries(
                {"ref": words}, optional={"versions": st.lists(versions, max_size=2)}
            ),
            max_size=2,
        ),
        "recommendation": words,
        "workaround": words,
        "updated": st.just("2026-01-02T00:00:00Z"),
    },
)
documents = st.fixed_dictionaries(
    {"serialNumber": st.just("urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79")},
    optional={
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "timestamp": st.just("2026-01-03T00:00:00Z"),
                "authors": st.lists(st.fixed_dictionaries({"name": words}), max_size=2),
                "supplier": st.fixed_dictionaries({"name": words}),
                "component": components,
            },
        ),
        "components": st.lists(components, max_size=3),
        "vulnerabilities": st.lists(vulnerabilities, max_size=3),
    },
)


@given(documents)
def test_a_document_lists_and_states_the_same_in_both(document: dict[str, Any]) -> None:
    whole = document | {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": "1"}
    decoded = JsonValue(cyclonedx_xml.decode(written(whole), "x"), "x")
    original = JsonValue(whole, "x")
    assert cyclonedx_vex.read(decoded, name="n") == cyclonedx_vex.read(original, name="n")
    assert cyclonedx.from_json(decoded) == cyclonedx.from_json(original)
    assert cyclonedx_vex.bom_links(decoded) == cyclonedx_vex.bom_links(original)


def test_elements_of_an_extension_and_of_tools_are_nothing_that_is_listed() -> None:
    text = f"""<bom xmlns="{NAMESPACE}" xmlns:x="urn:x"><metadata>
      <tools><components><component><name>tool</name></component></components></tools></metadata>
      <components><component type="library"><x:name>other</x:name><name> a </name>
        <pedigree><ancestors><component><name>b</name></component></ancestors></pedigree>
      </component><x:component><name>c</name></x:component></components></bom>"""
    found = cyclonedx.from_xml(text, "x")
    assert [(one.name, one.place) for one in found.packages] == [("a", "components[0]")]


def test_more_than_are_read_are_refused_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "MOST_PACKAGES", 3)
    many = "<component><name>a</name></component>" * 4
    with pytest.raises(Invalid, match="more than 3"):
        cyclonedx_xml.decode(f'<bom xmlns="{NAMESPACE}"><components>{many}', "x")


@given(st.text(alphabet='<>/ab="& ', max_size=60))
def test_whatever_the_text_it_is_a_document_or_refused(text: str) -> None:
    for whole in (text, f'<bom xmlns="{NAMESPACE}">{text}</bom>'):
        try:
            found = cyclonedx_xml.decode(whole, "x")
        except Invalid as error:
            where = error.where
        else:
            where = "x" if found["bomFormat"] == "CycloneDX" else ""
        assert where == "x"


ONE = "<component><name>a</name><purl>pkg:npm/a@1</purl></component>"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"<components>{ONE}</components>\n<components>{ONE}</components>", "twice"),
        (f"<components>{ONE.replace('<name>', '<name>b</name><name>')}</components>", "twice"),
        (f"<components>{ONE.replace('>a<', '>a<b/>c<')}</components>", "inside of a text"),
        ("<components><o:component><o:name>a</o:name></o:component></components>", "edition"),
    ],
)
def test_what_would_be_lost_is_refused(body: str, reason: str) -> None:
    older = NAMESPACE.replace("1.6", "1.5")
    with pytest.raises(Invalid, match=rf"{reason}.* in line \d"):
        cyclonedx_xml.decode(f'<bom xmlns="{NAMESPACE}" xmlns:o="{older}">{body}</bom>', "x")
