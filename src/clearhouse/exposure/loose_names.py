"""Which package an entry may mean that no list of packages can be matched by.

Names are compared loosely here, so that two that may be one are never taken for two: without case,
with ``-``, ``_``, ``.`` and blanks alike, without scope, group or path, and without a version that
somebody has written behind.  It is for what must not be missed, never for saying that something is
affected.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from clearhouse.exposure.inventories import Unidentified

#: What no name can be told of.
NOT_NAMED: Final = ""
#: In characters; longer ones are equal where so much of them is.
LONGEST: Final = 200
_ALIKE: Final = re.compile(r"[-_.\s]+")
_PARTS: Final = re.compile(r"[/:\\]+")
_MAJOR: Final = re.compile(r"v\d+")  # of Go's modules, as in github.com/a/b/v2
_VERSION: Final = re.compile(r"[-_@=\s]+v?\d[^\s/]*(?:\s.*)?$")
_PURL: Final = re.compile(r"pkg:/*([^?#]+)")
_EGG: Final = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")


def loose_names(name: str) -> frozenset[str]:
    """The names that ``name`` may be: whole, and its last part; none where it has no letters.

    >>> sorted(loose_names("@Angular/Core_JS"))
    ['@angular/core-js', 'core-js']
    """
    whole = unicodedata.normalize("NFKC", name).casefold().strip()
    parts = [one for one in _PARTS.split(whole) if one]
    if len(parts) > 2 and _MAJOR.fullmatch(parts[-1]):
        parts.pop()
    spelt = {whole, *parts[-1:]}
    spelt |= {_VERSION.sub("", one) for one in spelt}
    alike = (_ALIKE.sub("-", one).strip("-")[:LONGEST] for one in spelt)
    return frozenset(one for one in alike if any(c.isalnum() for c in one))


def names_of(one: Unidentified) -> frozenset[str]:
    """The names of the packages that an unidentified entry may be; :data:`NOT_NAMED` for any.

    What it is called and what its package URL names both count.  A line that could not be read has
    no name, but where it says which distribution it installs (pip's ``#egg=``).
    """
    listed = one.listed
    if listed.is_line:
        egg = _EGG.search(listed.name)
        return loose_names(egg[1]) if egg is not None else frozenset({NOT_NAMED})
    purl = _PURL.match(listed.purl)
    # Whatever is malformed in it: the part before the version is read as far as it goes.
    path = re.sub(r"(?<=[^/])@[^/]*$", "", purl[1]) if purl is not None else ""
    named = loose_names(listed.name) | (loose_names(path) if path else frozenset())
    return named or frozenset({NOT_NAMED})
