"""Packages as suppliers name them: a purl that stands for every version."""

from __future__ import annotations

from packageurl import PackageURL

from clearhouse.errors import Invalid


def package_of(text: str) -> str:
    """The purl without version, qualifiers and subpath, in its canonical spelling.

    Package-URL specification, "Components" and the rules of each type.  Raises :class:`Invalid`.
    """
    try:
        full = PackageURL.from_string(text.strip())
    except ValueError:
        raise Invalid("expected a purl like pkg:pypi/django", key="purl") from None
    plain = PackageURL(full.type, full.namespace, full.name).to_string()
    if len(plain) > 300:
        raise Invalid("a purl has at most 300 characters here", key="purl")
    return plain
