"""From views to one HTML page: the templates, their one gate for text, and the page's policy."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from clearhouse import __version__
from clearhouse.proof.text import printable

_PACKAGE: Final = "clearhouse.proof.report"
#: A function's name or a message is the finder's to choose: none may fill the page.
_TEXT_CHARACTERS: Final = 600
#: After a path's slash or a purl's @, and between the words of a name; never within a version.
_SEPARATED: Final = re.compile(
    r"(?<=[/@])(?=\w)|(?<=\w\.)(?=[A-Za-z_]\w{3})|(?<=[a-z]_)(?=[A-Za-z])"
)


def render(
    template: str,
    *,
    package: str = _PACKAGE,
    **view: Any,  # noqa: ANN401 - views are the templates' own
) -> str:
    """Return the page that ``template`` makes of ``view``, a complete HTML document.

    Every expression of a template passes :func:`_safe` and then HTML escaping; the style sheet is
    the only markup that is handed in.  Another ``package`` brings its own templates, on top of
    those here, and its own style sheet after the one here.
    """
    style = _style(package)
    return _environment(package).get_template(template).render(
        **view, style=Markup(style), policy=_policy(style), clearhouse=__version__  # noqa: S704
    )  # fmt: skip


def _safe(value: object) -> object:
    """Show what is invisible or would reorder text; numbers and our own markup pass."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value, limit=_TEXT_CHARACTERS)
    return value


def _breakable(text: str) -> Markup:
    """``text`` through the same gate, with places to break a line after separators within names."""
    parts = _SEPARATED.split(printable(text, limit=_TEXT_CHARACTERS))
    return Markup("<wbr>").join(parts)


@cache
def _environment(package: str) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(one) for one in dict.fromkeys((package, _PACKAGE))]),
        autoescape=True,
        finalize=_safe,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    return environment


@cache
def _style(package: str) -> str:
    sheets = [resources.files(_PACKAGE) / "templates" / "style.css"]
    if package != _PACKAGE:
        sheets.append(resources.files(package) / "templates" / "more.css")
    return "".join(one.read_text(encoding="utf-8") for one in sheets)


def _policy(style: str) -> str:
    """Content Security Policy (CSP Level 3): the page's own style sheet, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
