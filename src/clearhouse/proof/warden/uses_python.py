"""Uses of allowed functions of the standard library that are not allowed."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator
from typing import Any

from .allowed_python import VERSION_NAMES, allows, public_module
from .homes_python import Home, Homes, Whose, is_a
from .paths_python import FileRules

#: ``{0.attribute}`` and ``{0[item]}`` reach what a text names.
_FIELD_PATH = re.compile(r"\{[^{}]*[.\[]")
_LOGGING = frozenset({"level", "format", "datefmt", "style"})
_LAZY = frozenset(
    {"map", "filter", "zip", "enumerate", "reversed", "chain", "islice", "starmap", "takewhile",
     "dropwhile", "accumulate", "zip_longest", "tee", "compress", "filterfalse", "pairwise",
     "groupby"}
)  # fmt: skip
_NESTED, _REMEMBERED = 16, 4096


class Uses:
    """Objects to how a function is used; ``breach(line, what)`` is told."""

    def __init__(
        self, homes: Homes, breach: Callable[[int, str], None], effect: str, version: str
    ) -> None:
        self._homes, self._breach, self._version = homes, breach, version
        self._files = FileRules()
        self._watch_nesting = effect == "crash"
        self._lazy: dict[int, tuple[Any, int]] = {}

    def look(
        self, line: int, full: str, function: Any, bound: Any, args: tuple[Any, ...],
        named: dict[str, Any],
    ) -> None:  # fmt: skip
        """Look at one call before it is made."""
        for what in self._against(full, function, bound, args, named):
            self._breach(line, what)
        if full in ("builtins.getattr", "builtins.hasattr") and len(args) > 1:
            self.asked_for(line, args[0], args[1])
            if (full == "builtins.hasattr" or len(args) > 2) and self._of_target(args[0]):
                self._breach(line, f"asks whether there is {args[1]}: that says which version runs")
        for path in self._files.looked_at(full, bound, args, named):
            self._breach(line, f"looks at {path}")

    def _against(
        self, full: str, function: Any, bound: Any, args: tuple[Any, ...], named: dict[str, Any]
    ) -> Iterator[str]:
        name = full.rpartition(".")[2]
        if name in ("format", "format_map") and full.startswith("builtins.str."):
            text = bound if is_a(bound, str) else args[0] if args else ""
            if is_a(text, str) and _FIELD_PATH.search(text):
                yield "formats an attribute or item that a text names"
        elif name == "__call__":
            yield "calls by __call__ what it could call"
        elif is_a(function, type) and issubclass(function, type) and len(args) + len(named) != 1:
            yield "makes a class by a call"
        elif full == "builtins.super" and args and not (is_a(args[0], type) and self._own(args[0])):
            yield "calls past a class that is not its own"
        elif full == "builtins.iter" and len(args) != 1:
            yield "makes an iterator that need not end"
        elif full in ("io.open", "builtins.open") and (
            {"opener", "closefd"} & set(named) or args[7:]
        ):
            yield "opens a file by a function of its own"
        elif full.startswith("contextlib.redirect_std"):
            if any(self._homes.of_class(type(one)).module not in ("_io", "io") for one in args):
                yield "redirects output into an object of its own"
        elif full.startswith("warnings."):
            if "error" in (*args, *named.values()) or "module" in named:
                yield "turns warnings into errors"
        elif full == "logging.basicConfig" and set(named) - _LOGGING:
            yield "sets up logging to somewhere"

    def _own(self, cls: type) -> bool:
        return self._homes.made(cls)

    def environment(self, line: int, args: tuple[Any, ...]) -> None:
        """A change of ``os.environ`` by one of its methods."""
        self._files.environment(args, lambda what: self._breach(line, what))

    def lazy(self, line: int, full: str, result: Any, args: tuple[Any, ...]) -> None:
        """Iterators in iterators in iterators use up the machine's stack unseen."""
        if not self._watch_nesting or full.rpartition(".")[2] not in _LAZY:
            return
        depth = 1 + max((self._lazy[id(a)][1] for a in args if id(a) in self._lazy), default=0)
        if depth > _NESTED:
            self._breach(line, "puts iterators into each other without end")
        if len(self._lazy) > _REMEMBERED:
            self._lazy.clear()
        self._lazy[id(result)] = result, depth

    # -- members of modules and classes ------------------------------------------------------------

    def asked_for(self, line: int, base: Any, name: Any) -> None:
        """A member of a module or class, asked for by its name."""
        if not is_a(base, types.ModuleType, type) or not is_a(name, str):
            return
        if is_a(base, types.ModuleType):
            module, member = base.__name__, name
        else:
            home = self._homes.of_class(base)
            module, member = home.module, f"{home.name}.{name}"
        whose = self._homes.of_module(module)
        value = getattr(base, name, None)
        if whose is Whose.STANDARD and is_a(base, types.ModuleType):
            if not is_a(value, types.ModuleType) and not allows(module, member):
                self._breach(line, f"{module}.{member} {why(module)}")
        elif whose in (Whose.TARGET, Whose.DEPENDENCY) and not callable(value):
            known = name in VERSION_NAMES or name.strip("_").lower() in VERSION_NAMES
            if (known and not is_a(value, types.ModuleType)) or self.tells(value):
                self._breach(line, f"{name}: a harness must not ask which version runs")

    def _of_target(self, base: Any) -> bool:
        """Whether something is a module or a class of the target."""
        if is_a(base, types.ModuleType):
            return self._homes.of_module(base.__name__) is Whose.TARGET
        return is_a(base, type) and self._homes.of_class(base).whose is Whose.TARGET

    def lacks(self, line: int, base: Any, name: str) -> None:
        """A module or class turned out not to have what it was asked for."""
        if self._of_target(base):
            self._breach(line, f"asks for {name}, which this version does not have")

    def tells(self, value: Any) -> bool:
        """Whether a text says which version runs."""
        return is_a(value, str) and len(self._version) > 2 and self._version in value


def why(module: str) -> str:
    """What is against a function of a module, as the end of a sentence."""
    from .allowed_python import REASONS

    top = public_module(module).partition(".")[0]
    return REASONS.get(top) or {
        "os": "acts on the machine",
        "sys": "changes or reads the interpreter",
    }.get(top, "can run code, or change what others do")


__all__ = ["Home", "Uses", "why"]
