"""What a SARIF result's rule says: its texts, its severity, its weaknesses.

Sections are those of SARIF 2.1.0 (OASIS Standard, 2020).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from clearhouse.formats.json_value import JsonValue
from clearhouse.formats.report import is_cvss
from clearhouse.formats.report_schema import LAST_WEAKNESS

#: ``external/cwe/cwe-079`` (CodeQL), ``CWE-79: Cross-site Scripting`` (Semgrep), ``CWE79``.
_CWE: Final = re.compile(r"(?<![a-z0-9])cwe[-_: /]{0,2}0*([1-9][0-9]{0,4})(?![0-9])", re.IGNORECASE)
_NUMBER: Final = re.compile(r"0*([1-9][0-9]{0,4})")
_PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{([0-9]{1,4})\}")
#: Embedded links (section 3.11.6): ``[text](3)`` leads to a location, others stay as they are.
_LOCATION_LINK: Final = re.compile(r"\[((?:[^\[\]\\]|\\.){0,2000})\]\([0-9]{1,6}\)")
_CWE_PROPERTIES: Final = ("cwe", "cwes", "CWE", "cweId", "cwe_id", "cwe-id")
_VECTOR_PROPERTIES: Final = ("cvss", "cvssV4_0", "cvssV3_1", "cvss_vector", "cvssVector")


@dataclass(frozen=True, slots=True)
class Component:
    """A tool component (section 3.19): the driver, an extension or a taxonomy."""

    value: JsonValue
    name: str
    guid: str | None
    rules: tuple[JsonValue, ...]
    by_id: dict[str, JsonValue]
    taxa: tuple[JsonValue, ...]

    @classmethod
    def of(cls, value: JsonValue) -> Component:
        """Read a component.  Raises Invalid."""
        rules = tuple(value.listed("rules"))
        by_id: dict[str, JsonValue] = {}
        for rule in rules:
            by_id.setdefault(rule.text_at("id") or "", rule)
        taxa = tuple(value.listed("taxa"))
        return cls(value, value.text_at("name") or "", value.text_at("guid"), rules, by_id, taxa)


class Rules:
    """The rules of one run: those of its driver, its extensions and its taxonomies."""

    def __init__(self, run: JsonValue) -> None:
        tool = run.get("tool")
        driver = tool.get("driver") if tool is not None else None
        if tool is None or driver is None:
            raise run.wrong("expected tool.driver, the program that wrote the run")
        self.driver = Component.of(driver)
        self.extensions = tuple(Component.of(one) for one in tool.listed("extensions"))
        self._taxonomies = tuple(Component.of(one) for one in run.listed("taxonomies"))
        self._components = (*self._taxonomies, *self.extensions)

    def rule_of(self, result: JsonValue) -> tuple[JsonValue | None, str | None, Component]:
        """The rule of a result, its identifier, and the component that has it (3.27.5 to 3.27.7).

        An identifier may go deeper than the rule's: ``CA1000/1`` is a result of ``CA1000``.
        """
        reference = result.get("rule")
        stated = reference.get("toolComponent") if reference is not None else None
        component = self.driver
        if stated is not None:
            component = _named(stated, self.extensions, self.extensions) or self.driver
        identifier = result.text_at("ruleId")
        index = result.integer_at("ruleIndex")
        if reference is not None:
            identifier = identifier or reference.text_at("id")
            index = reference.integer_at("index") if index is None else index
        if index is not None and 0 <= index < len(component.rules):
            rule = component.rules[index]
            return rule, identifier or rule.text_at("id"), component
        for one in (component, *self.extensions):
            parts = (identifier or "").split("/")[:20]
            for length in range(len(parts), 0, -1):
                found = one.by_id.get("/".join(parts[:length]))
                if found is not None and identifier:
                    return found, identifier, one
        return None, identifier, component

    def weaknesses(self, result: JsonValue, rule: JsonValue | None) -> Iterator[int]:
        """CWE numbers: a result's taxa, its rule's relationships, tags and properties."""
        for one in result.listed("taxa"):
            yield from self._taxon(one)
        for relationship in rule.listed("relationships") if rule is not None else ():
            target = relationship.get("target")
            if target is not None:
                yield from self._taxon(target)
        for holder in (result, rule):
            properties = holder.get("properties") if holder is not None else None
            if properties is not None:
                yield from _in_properties(properties)
        yield from _numbers((rule.text_at("id") if rule is not None else None) or "")

    def _taxon(self, reference: JsonValue) -> Iterator[int]:
        """The weakness that a reportingDescriptorReference means (section 3.52)."""
        stated = reference.get("toolComponent")
        component = None
        if stated is not None:
            component = _named(stated, self._components, self._taxonomies)
        name = (stated.text_at("name") if stated is not None else None) or ""
        identifier = reference.text_at("id")
        index = reference.integer_at("index")
        if component is not None:
            name = name or component.name
            if identifier is None and index is not None and 0 <= index < len(component.taxa):
                identifier = component.taxa[index].text_at("id")
        if identifier is None:
            return
        if name.upper() == "CWE" and (number := _NUMBER.fullmatch(identifier)):
            yield int(number[1])
        yield from _numbers(identifier)


def _named(
    reference: JsonValue, known: tuple[Component, ...], counted: tuple[Component, ...]
) -> Component | None:
    """The one of ``known`` that a toolComponentReference names (section 3.54).

    Its index counts in the array that the reference is for, ``counted``.
    """
    guid, name = reference.text_at("guid"), reference.text_at("name")
    for one in known:
        if (guid and one.guid == guid) or (name and one.name == name):
            return one
    index = reference.integer_at("index")
    return counted[index] if index is not None and 0 <= index < len(counted) else None


def _in_properties(properties: JsonValue) -> Iterator[int]:
    """Weaknesses in a property bag; whatever else stands there is the tool's own business."""
    table = properties.table()
    tags = table.get("tags")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, str):
            yield from _numbers(tag)
    for key in _CWE_PROPERTIES:
        stated = table.get(key)
        for one in stated if isinstance(stated, list) else [stated]:
            if isinstance(one, str):
                yield from _numbers(one)
                if found := _NUMBER.fullmatch(one.strip()):
                    yield int(found[1])
            elif isinstance(one, int) and not isinstance(one, bool) and 0 < one <= LAST_WEAKNESS:
                yield one


def _numbers(text: str) -> Iterator[int]:
    for found in _CWE.finditer(text[:500]):
        yield int(found[1])


def message_text(
    message: JsonValue | None, rule: JsonValue | None, component: Component
) -> str | None:
    """The text of a message (section 3.11): its own, or its rule's by identifier.

    Markdown is taken where there is any.  ``{0}`` stands for an argument, ``{{`` for a brace;
    placeholders without an argument stay.
    """
    if message is None:
        return None
    found = _text_or_markdown(message)
    if found is None and (identifier := message.text_at("id")):
        for holder, key in ((rule, "messageStrings"), (component.value, "globalMessageStrings")):
            strings = holder.get(key) if holder is not None else None
            string = strings.get(identifier) if strings is not None else None
            if string is not None:
                found = _text_or_markdown(string)
                break
    if found is None:
        return None
    arguments = [one.text() for one in message.listed("arguments")]

    def filled(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        index = int(match[1])
        return arguments[index] if index < len(arguments) else match[0]

    # Only strings that take arguments have their braces doubled in practice.
    text = _PLACEHOLDER.sub(filled, found) if arguments else found
    return _LOCATION_LINK.sub(r"\1", text)


def rule_text(rule: JsonValue | None, key: str) -> str | None:
    """A multiformat message string of a rule, such as ``fullDescription``."""
    found = rule.get(key) if rule is not None else None
    return None if found is None else _text_or_markdown(found)


def _text_or_markdown(value: JsonValue) -> str | None:
    return value.text_at("markdown") or value.text_at("text")


def severity(result: JsonValue, rule: JsonValue | None) -> tuple[str, str | None]:
    """What a result calls its severity, and its CVSS vector if it has one.

    The level is the result's, else its rule's, else ``warning`` (section 3.27.10); code-scanning
    platforms read a number from 0 to 10 from the property ``security-severity``.
    """
    level = result.text_at("level")
    configuration = rule.get("defaultConfiguration") if rule is not None else None
    if level is None and configuration is not None:
        level = configuration.text_at("level")
    number: str | None = None
    vector: str | None = None
    for holder in (result, rule):
        properties = holder.get("properties") if holder is not None else None
        table = properties.table() if properties is not None else {}
        stated = table.get("security-severity")
        if number is None and isinstance(stated, str | int | float):
            number = str(stated)[:10]
        for key in _VECTOR_PROPERTIES:
            one = table.get(key)
            if vector is None and isinstance(one, str) and len(one) <= 200 and is_cvss(one):
                vector = one
    words = level or "warning"
    return (f"{words}, security-severity {number}" if number else words), vector
