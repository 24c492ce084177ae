"""Packages as records name them: the ecosystem's own spelling, and the package URL.

Package-url specification 1.0 and its list of types.
"""

from __future__ import annotations

from packageurl import PackageURL


def name_of(purl: PackageURL) -> str:
    """A package's name with the namespace it is in, as its ecosystem writes it.

    Maven joins the two with a colon, the others with a slash.
    """
    if not purl.namespace:
        return purl.name
    return f"{purl.namespace}{':' if purl.type == 'maven' else '/'}{purl.name}"


def without_version(purl: PackageURL) -> str:
    """The package URL of all versions; records want the version elsewhere."""
    bare = PackageURL(purl.type, purl.namespace, purl.name, None, purl.qualifiers, purl.subpath)
    return bare.to_string()
