"""What a Python harness must keep to for its effect to be laid at the target's door.

Two things, both on the harness's syntax tree before any of it runs:

:func:`violations` names every construct with which code could act on the observer, the interpreter
or the target instead of calling the target.  Such a harness may still reproduce an effect; it cannot
show where the effect comes from.

:func:`instrument` makes the harness leave marks of the way it takes (every statement, every
condition with its outcome, every call with what it called), so that the way taken with a poc can be
compared with the ways taken with the controls.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

# Modules that reach into the interpreter, the process or the machine rather than make an argument.
_FORBIDDEN_MODULES = {
    "ctypes": "calls machine code", "cffi": "calls machine code", "_ctypes": "calls machine code",
    "gc": "reaches other objects", "inspect": "reads frames", "sys": "changes the interpreter",
    "builtins": "changes the interpreter", "importlib": "replaces modules",
    "imp": "replaces modules", "pkgutil": "replaces modules", "pkg_resources": "asks for versions",
    "runpy": "replaces modules", "zipimport": "replaces modules", "types": "makes code",
    "marshal": "makes code", "code": "makes code", "codeop": "makes code", "dis": "reads code",
    "opcode": "reads code", "ast": "makes code", "symtable": "makes code", "trace": "traces",
    "bdb": "traces", "pdb": "traces", "cProfile": "traces", "profile": "traces",
    "faulthandler": "acts on the observer", "signal": "interrupts the target",
    "resource": "changes limits", "mmap": "maps memory", "fcntl": "changes descriptors",
    "multiprocessing": "starts processes", "subprocess": "starts processes",
    "concurrent": "starts threads", "threading": "starts threads", "_thread": "starts threads",
    "pty": "starts processes", "platform": "asks which machine it is", "unittest": "patches",
    "mock": "patches", "weakref": "runs code later", "atexit": "runs code later",
    "tracemalloc": "acts on the observer", "posix": "calls the system", "sysconfig": "asks for paths",
    "site": "changes the interpreter", "distutils": "starts processes", "ensurepip": "installs",
    "venv": "installs", "webbrowser": "starts processes", "asyncore": "acts on the observer",
    "linecache": "reads code", "traceback": "reads frames",
}  # fmt: skip
_ALLOWED_FROM = {("sys", "byteorder"), ("sys", "maxsize"), ("types", "SimpleNamespace")}
_ALLOWED_SYS = {"byteorder", "maxsize", "maxunicode", "argv", "path"}
_ALLOWED_OS = {
    "path", "makedirs", "mkdir", "listdir", "remove", "sep", "getcwd", "urandom", "linesep",
    "fspath", "fsencode", "fsdecode", "rmdir", "scandir", "stat", "walk", "PathLike", "pathsep",
    "unlink", "rename", "chdir", "symlink", "link", "replace", "chmod", "curdir", "pardir", "name",
    "SEEK_SET", "SEEK_END", "SEEK_CUR", "extsep", "truncate", "utime", "removedirs", "access",
    "F_OK", "R_OK", "environ",
}  # fmt: skip
_FORBIDDEN_NAMES = {
    "exec", "eval", "compile", "__import__", "globals", "locals", "vars", "setattr", "delattr",
    "breakpoint", "__builtins__", "__loader__", "__spec__", "input", "memoryview", "exit", "quit",
    "BaseExceptionGroup", "dir",
}  # fmt: skip
_ALLOWED_DUNDERS = {
    "__init__", "__name__", "__main__", "__enter__", "__exit__", "__iter__", "__next__", "__len__",
    "__getitem__", "__contains__", "__eq__", "__hash__", "__str__", "__repr__", "__doc__",
    "__call__", "__future__", "__new__", "__all__", "__proto__", "__class__",
}  # fmt: skip
_FRAME_ATTRIBUTES = {
    "tb_frame", "f_back", "f_globals", "f_locals", "f_code", "gi_frame", "cr_frame", "ag_frame",
    "gi_code", "co_code", "with_traceback", "throw", "set_exception", "print_exc", "mro",
    "set_trace", "settrace", "setprofile", "modules", "meta_path", "path_hooks",
    "path_importer_cache", "setrecursionlimit", "addaudithook", "excepthook", "_getframe",
    "func_globals", "stack_size",
}  # fmt: skip
_VERSION_PROBES = {"version", "VERSION", "get_version", "version_info", "hexversion", "__version__"}
_MARKS = 2048
_UNWRAPPED = {
    "super", "print", "len", "str", "bytes", "int", "float", "bool", "list", "dict", "tuple", "set",
    "range", "isinstance", "issubclass", "bytearray", "repr", "enumerate", "zip", "min", "max",
    "sum", "ord", "chr", "abs", "frozenset", "type", "hasattr",
}  # fmt: skip
CALL, TRUTH, MARK, RAISE = (
    "__clearhouse_call__",
    "__clearhouse_truth__",
    "__clearhouse_mark__",
    "__clearhouse_raise__",
)


@dataclass(frozen=True)
class Violation:
    """A construct that costs the harness its attribution: where it stands and why."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


def violations(tree: ast.Module) -> list[Violation]:
    """Every construct of the harness that could cause or hide an effect by itself."""
    return sorted({*_walk(tree)}, key=lambda v: (v.line, v.what))


def _walk(tree: ast.Module) -> Iterator[Violation]:
    imported = _imported_names(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield from _module(node, alias.name)
            case ast.ImportFrom(module=module, names=names):
                for alias in names:
                    if (module, alias.name) not in _ALLOWED_FROM:
                        yield from _module(node, module or "")
                    if module == "os" and alias.name not in _ALLOWED_OS:
                        yield Violation(node.lineno, f"os.{alias.name} acts on the machine")
                    yield from _name(node, alias.name)
            case ast.Name(id=name):
                if name in _FORBIDDEN_NAMES:
                    yield Violation(node.lineno, f"{name} can run or change anything")
                yield from _name(node, name)
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if "sys" in imported:
                if name not in _ALLOWED_SYS:
                    yield Violation(node.lineno, f"sys.{name} changes or reads the interpreter")
            case ast.Attribute(value=ast.Name(id="os"), attr=name) if "os" in imported:
                if name not in _ALLOWED_OS:
                    yield Violation(node.lineno, f"os.{name} acts on the machine")
            case ast.Attribute(attr=name):
                yield from _name(node, name)
                if name in _FRAME_ATTRIBUTES:
                    yield Violation(node.lineno, f".{name} reaches into the interpreter")
            case ast.Call(func=ast.Name(id="getattr"), args=args) if len(args) > 1:
                if not (isinstance(args[1], ast.Constant) and isinstance(args[1].value, str)):
                    yield Violation(node.lineno, "getattr with a computed name can reach anything")
                else:
                    yield from _name(node, args[1].value)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                pass
            case _:
                pass
        yield from _assignment(node, imported)


def _module(node: ast.AST, name: str) -> Iterator[Violation]:
    top = name.partition(".")[0]
    line = getattr(node, "lineno", 0)
    if name in ("importlib.resources", "concurrent.futures._base"):
        return
    if top in _FORBIDDEN_MODULES and top != "sys":
        yield Violation(line, f"imports {name}, which {_FORBIDDEN_MODULES[top]}")
    elif top.startswith("_") and top != "__future__":
        yield Violation(line, f"imports {name}, an inside of the interpreter")


def _name(node: ast.AST, name: str) -> Iterator[Violation]:
    line = getattr(node, "lineno", 0)
    if name in _VERSION_PROBES:
        yield Violation(line, f"{name}: a harness must not ask which version runs")
    elif name.startswith("__") and name.endswith("__") and name not in _ALLOWED_DUNDERS:
        yield Violation(line, f"{name} reaches into the interpreter")


def _imported_names(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(a.asname or a.name).partition(".")[0] for a in node.names}
    return names


def _assignment(node: ast.AST, imported: set[str]) -> Iterator[Violation]:
    """Assigning or deleting an attribute or an item of something imported changes the target."""
    match node:
        case ast.Assign(targets=targets):
            pass
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target) | ast.For(target=target):
            targets = [target]
        case ast.Delete(targets=targets):
            pass
        case ast.With(items=items):
            targets = [item.optional_vars for item in items if item.optional_vars is not None]
        case _:
            return
    for target in targets:
        for part in ast.walk(target):
            if isinstance(part, ast.Attribute | ast.Subscript):
                root = _root(part)
                if root in imported and not (root == "os" and _is_environ(part)):
                    line = getattr(node, "lineno", 0)
                    yield Violation(line, f"changes {ast.unparse(part)} of what it imported")


def _is_environ(part: ast.Attribute | ast.Subscript) -> bool:
    return isinstance(part, ast.Subscript) and ast.unparse(part.value) == "os.environ"


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


@dataclass(frozen=True)
class Instrumented:
    """The tree with marks, and the source line of each mark."""

    tree: ast.Module
    lines: tuple[int, ...]


def instrument(tree: ast.Module) -> Instrumented:
    """Put marks into a copy of the tree; line numbers stay those of the harness."""
    writer = _Marker()
    marked = writer.visit(tree)
    ast.fix_missing_locations(marked)
    return Instrumented(marked, tuple(writer.lines))


class _Marker(ast.NodeTransformer):
    """Adds ``mark(n)`` before statements, and wraps conditions, calls and raised objects."""

    def __init__(self) -> None:
        self.lines: list[int] = []

    def _new(self, node: ast.AST, count: int = 1) -> int:
        number = len(self.lines)
        line = getattr(node, "lineno", 0)
        self.lines += [line] * count
        return min(number, _MARKS - count)

    def _helper(self, name: str, node: ast.AST, *args: ast.expr) -> ast.Call:
        call = ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=list(args), keywords=[])
        return ast.copy_location(call, node)

    def _statements(self, body: list[ast.stmt], *, docstring: bool) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for index, statement in enumerate(body):
            visited = self.visit(statement)
            fixed = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
            if not (docstring and index == 0 and fixed) and not future:
                mark = self._helper(MARK, statement, ast.Constant(self._new(statement)))
                out.append(ast.copy_location(ast.Expr(mark), statement))
            out.append(visited)
        return out

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                docstring = field == "body" and isinstance(
                    node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
                )
                setattr(node, field, self._statements(value, docstring=docstring))
            elif isinstance(value, list):
                value[:] = [self.visit(v) if isinstance(v, ast.AST) else v for v in value]
            elif isinstance(value, ast.AST):
                setattr(node, field, self.visit(value))
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self.visit(part.value)
        return node

    def _truth(self, node: ast.expr) -> ast.expr:
        return self._helper(TRUTH, node, ast.Constant(self._new(node, 2)), node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        return self._truth(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return self._truth(node) if isinstance(node.op, ast.Not) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        node.test = self._truth(node.test)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        node.values = [self._truth(v) for v in node.values]
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        node.test = self._truth(node.test)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _UNWRAPPED:
            return node
        site = ast.Constant(node.lineno)
        node.args = [site, node.func, *node.args]
        node.func = ast.copy_location(ast.Name(id=CALL, ctx=ast.Load()), node)
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.generic_visit(node)
        if node.exc is not None:
            node.exc = self._helper(RAISE, node, node.exc)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        decorators, node.decorator_list = node.decorator_list, []
        self.generic_visit(node)
        node.decorator_list = decorators
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        bases, node.bases = node.bases, []
        decorators, node.decorator_list = node.decorator_list, []
        self.generic_visit(node)
        node.bases, node.decorator_list = bases, decorators
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST:
        for case in node.cases:
            case.body = self._statements(case.body, docstring=False)
        return node
