"""Names that Python has taken away since, put back for releases of their time.

A release of 2015 that imports ``collections.Mapping`` fits no Python of today, and whether it has
the flaw would stay unknown.  A name is put back where it is looked for and missing, and only then;
what was put back is told, so that a verdict can say so.  Left out is what Python 2 alone had, and
what would have to behave in another way than it did.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import re
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

#: What was put back so far, as ``module.name``, each once.
used: list[str] = []


def _note(name: str) -> None:
    if name not in used:
        used.append(name)


def _of(module: str, name: str) -> Callable[[], Any]:
    def find() -> Any:
        return getattr(importlib.import_module(module), name)

    return find


def _argspec() -> Any:
    import inspect
    from collections import namedtuple

    ArgSpec = namedtuple("ArgSpec", "args varargs keywords defaults")  # noqa: PYI024 - as it was

    def getargspec(function: Any) -> Any:
        """``inspect.getargspec`` as it was until Python 3.10."""
        full = inspect.getfullargspec(function)
        if full.kwonlyargs or full.annotations:
            raise ValueError(
                "Function has keyword-only parameters or annotations, use inspect.signature()"
            )
        return ArgSpec(full.args, full.varargs, full.varkw, full.defaults)

    return getargspec


def _escape() -> Any:
    def escape(text: str, quote: bool | None = None) -> str:
        """``cgi.escape`` as it was until Python 3.7."""
        for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = text.replace(character, entity)
        return text.replace('"', "&quot;") if quote else text

    return escape


def _distribution() -> Any:
    return lambda *_, **__: ("", "", "")


_ABSTRACT = (
    "Awaitable", "Coroutine", "AsyncIterable", "AsyncIterator", "AsyncGenerator", "Hashable",
    "Iterable", "Iterator", "Generator", "Reversible", "Sized", "Container", "Callable",
    "Collection", "Set", "MutableSet", "Mapping", "MutableMapping", "MappingView", "KeysView",
    "ItemsView", "ValuesView", "Sequence", "MutableSequence", "ByteString",
)  # fmt: skip
#: By module and name; the version is the one that no longer had it.
_TAKEN: dict[str, dict[str, Callable[[], Any]]] = {
    "collections": {name: _of("collections.abc", name) for name in _ABSTRACT},  # 3.10
    "inspect": {"getargspec": _argspec},  # 3.11
    "asyncio": {"coroutine": _of("types", "coroutine")},  # 3.11
    "fractions": {"gcd": _of("math", "gcd")},  # 3.9
    "base64": {  # 3.9
        "encodestring": _of("base64", "encodebytes"),
        "decodestring": _of("base64", "decodebytes"),
    },
    "time": {"clock": _of("time", "process_time")},  # 3.8
    "cgi": {  # 3.8
        "escape": _escape,
        "parse_qs": _of("urllib.parse", "parse_qs"),
        "parse_qsl": _of("urllib.parse", "parse_qsl"),
    },
    "platform": {"linux_distribution": _distribution, "dist": _distribution},  # 3.8
}


#: The names that can be put back, by module.
NAMES = {module: sorted(names) for module, names in _TAKEN.items()}
#: What stands in an expression and holds no flags for all of it, and flags that do.
_PARTS = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?#[^)]*\)|\(\?(?P<flags>[aiLmsux]+)\)", re.DOTALL
)


def install() -> None:
    """From now on put back what is missing, in modules that are loaded and in those to come."""
    for name in _TAKEN.keys() & sys.modules.keys():
        _fill(sys.modules[name])
    sys.meta_path.insert(0, _Finder())
    with contextlib.suppress(ImportError, AttributeError):  # until 3.10 there is nothing to do
        compiler: Any = importlib.import_module("re._compiler")
        compiler.compile = _compiling(compiler.compile)


def _compiling(compile_: Callable[..., Any]) -> Callable[..., Any]:
    """Flags within an expression, which count for all of it, as until Python 3.10."""

    def compile(pattern: Any, flags: int = 0) -> Any:  # noqa: A001 - as it is called there
        try:
            return compile_(pattern, flags)
        except re.error as error:
            if not error.msg.startswith("global flags not at the start"):
                raise
        moved = _flags_first(pattern if isinstance(pattern, str) else pattern.decode("latin-1"))
        _note("flags within a regular expression")
        return compile_(moved if isinstance(pattern, str) else moved.encode("latin-1"), flags)

    return compile


def _flags_first(pattern: str) -> str:
    found = [part["flags"] for part in _PARTS.finditer(pattern) if part["flags"]]
    rest = _PARTS.sub(lambda part: "" if part["flags"] else part[0], pattern)
    letters = "".join(dict.fromkeys("".join(found)))
    return f"(?{letters}){rest}" if letters else pattern


def _fill(module: types.ModuleType) -> None:
    before = module.__dict__.get("__getattr__")
    taken = _TAKEN[module.__name__]

    def find(name: str) -> Any:
        if before is not None:
            try:
                return before(name)
            except AttributeError:
                pass
        if name not in taken:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        value = taken[name]()
        module.__dict__[name] = value
        _note(f"{module.__name__}.{name}")
        return value

    module.__dict__["__getattr__"] = find  # PEP 562


class _Finder:
    """Has modules that lost something filled when they are loaded."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The usual specification, with a loader that fills the module afterwards."""
        if name not in _TAKEN:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return None
        execute = spec.loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            execute(module)
            _fill(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
