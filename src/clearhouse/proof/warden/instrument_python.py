"""Makes a Python harness leave marks of the way it takes, and lets a guard look at what it does.

Every statement, every outcome of a condition, every call, attribute, item, assignment and returned
value of the harness goes through a function of :mod:`guard_python`.  Line numbers stay those of the
harness; the harness itself notices nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from .contract_python import Violation

#: Bytes for marks in the memory that run and tracer share (``zygote.MARK_BYTES``, less its ends).
MARK_HEAD, MARK_TAIL = 16, 32
CAPACITY = 65536 - MARK_HEAD - MARK_TAIL

CALL, TRUTH, MARK, RAISE = (
    "__clearhouse_call__",
    "__clearhouse_truth__",
    "__clearhouse_mark__",
    "__clearhouse_raise__",
)
LOAD, ITEM, OPERATE, SLICE = (
    "__clearhouse_load__",
    "__clearhouse_item__",
    "__clearhouse_operate__",
    "__clearhouse_slice__",
)
CHANGE, STORE, STORE_ITEM, HELD = (
    "__clearhouse_change__",
    "__clearhouse_store__",
    "__clearhouse_store_item__",
    "__clearhouse_held__",
)
GIVES, EACH, MADE, DECORATE = (
    "__clearhouse_gives__",
    "__clearhouse_each__",
    "__clearhouse_made__",
    "__clearhouse_decorate__",
)
ENTER, LEAVE, WAIT, WITH = (
    "__clearhouse_enter__",
    "__clearhouse_leave__",
    "__clearhouse_wait__",
    "__clearhouse_with__",
)

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv",
    ast.Mod: "mod", ast.Pow: "pow", ast.MatMult: "matmul", ast.LShift: "lshift",
    ast.RShift: "rshift", ast.BitAnd: "and_", ast.BitOr: "or_", ast.BitXor: "xor",
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
    ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip


class Instrumented(NamedTuple):
    """The tree with marks, the source line of each mark, and what stands in the way of marking."""

    tree: ast.Module
    lines: tuple[int, ...]
    violations: tuple[Violation, ...]


def instrument(tree: ast.Module) -> Instrumented:
    """Put marks into the tree (which is changed)."""
    writer = _Marker(_annotations_are_text(tree))
    marked = writer.visit(tree)
    ast.fix_missing_locations(marked)
    found = list(writer.violations)
    if len(writer.lines) > CAPACITY:
        found.append(Violation(0, f"has over {CAPACITY} places to mark: too long to be compared"))
    return Instrumented(marked, tuple(writer.lines[:CAPACITY]), tuple(found))


def _annotations_are_text(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )


class _Marker(ast.NodeTransformer):
    """Puts a mark before statements, and wraps whatever the guard has to look at."""

    def __init__(self, annotations_are_text: bool) -> None:
        self.lines: list[int] = []
        self.violations: list[Violation] = []
        self._text = annotations_are_text
        self._classes: list[str] = []
        self._changes = "attribute"

    # -- pieces ----------------------------------------------------------------------------------

    def _new(self, node: ast.AST, count: int = 1) -> int:
        number = len(self.lines)
        self.lines += [getattr(node, "lineno", 0)] * count
        return min(number, CAPACITY - count)

    def _helper(self, name: str, node: ast.AST, *args: ast.expr) -> ast.Call:
        call = ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=list(args), keywords=[])
        return ast.copy_location(call, node)

    def _at(self, name: str, node: ast.AST, *args: ast.expr) -> ast.Call:
        """A helper that is told the line first."""
        return self._helper(name, node, ast.Constant(getattr(node, "lineno", 0)), *args)

    def _does(self, call: ast.expr, node: ast.AST) -> ast.stmt:
        return ast.copy_location(ast.Expr(call), node)

    def _truth(self, node: ast.expr) -> ast.expr:
        return self._helper(TRUTH, node, ast.Constant(self._new(node, 2)), node)

    def _mangled(self, name: str) -> str:
        """A private name as the compiler would write it (Language Reference 6.2.1)."""
        if self._classes and name.startswith("__") and not name.endswith("__"):
            owner = self._classes[-1].lstrip("_")
            return f"_{owner}{name}" if owner else name
        return name

    # -- statements ------------------------------------------------------------------------------

    def _statements(self, body: Sequence[ast.stmt], *, docstring: bool) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for index, statement in enumerate(body):
            fixed = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
            if not (docstring and index == 0 and fixed) and not future:
                mark = self._helper(MARK, statement, ast.Constant(self._new(statement)))
                out.append(self._does(mark, statement))
            visited = self.visit(statement)
            out += visited if isinstance(visited, list) else [visited]
        return out

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(
                    node, field, self._statements(value, docstring=isinstance(node, ast.Module))
                )
            elif isinstance(value, list):
                value[:] = [self.visit(v) if isinstance(v, ast.AST) else v for v in value]
            elif isinstance(value, ast.AST):
                setattr(node, field, self.visit(value))
        return node

    def _imports(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return [node]
        names = [(a.asname or a.name).partition(".")[0] for a in node.names if a.name != "*"]
        held = [self._held(node, name, imported=True) for name in names]
        return [node, *(self._does(one, node) for one in held)]

    def _held(self, node: ast.AST, name: str, *, imported: bool) -> ast.expr:
        return self._at(HELD, node, ast.Name(id=name, ctx=ast.Load()), ast.Constant(imported))

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        return self._imports(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        return self._imports(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        match node.targets:
            case [ast.Attribute(value=base, attr=name)]:
                value, base = self.visit(node.value), self.visit(base)
                name = self._mangled(name)
                return self._does(
                    self._at(STORE, node, value, base, ast.Constant(name)), node
                )  # the value first, as Python does
            case [ast.Subscript(value=base, slice=key)]:
                value, base = self.visit(node.value), self.visit(base)
                return self._does(self._at(STORE_ITEM, node, value, base, self._slice(key)), node)
        return self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if isinstance(node.target, ast.Name):
            name = ast.Constant("i" + _OPERATORS[type(node.op)].rstrip("_"))
            held = ast.copy_location(ast.Name(id=node.target.id, ctx=ast.Load()), node)
            value = self._at(OPERATE, node, name, held, self.visit(node.value))
            return ast.copy_location(ast.Assign(targets=[node.target], value=value), node)
        self._changes = "item"  # the value is an outcome of arithmetic, not something handed over
        self.generic_visit(node)
        self._changes = "attribute"
        return node

    def visit_Delete(self, node: ast.Delete) -> ast.AST:
        self._changes = "item"
        self.generic_visit(node)
        self._changes = "attribute"
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = self._annotation(node.annotation)
        node.target = self.visit(node.target)
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.generic_visit(node)
        if node.exc is not None:
            node.exc = self._helper(RAISE, node, node.exc)
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is not None:
            node.value = self._at(GIVES, node, self.visit(node.value))
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        self.generic_visit(node)
        node.test = self._truth(node.test)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        node.test = self._truth(node.test)
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        node.test = self._truth(node.test)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = self._at(EACH, node, node.iter)
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        self.generic_visit(node)
        for item in node.items:
            item.context_expr = self._at(WITH, node, item.context_expr)
        return node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        node.value = self._at(WAIT, node, self.visit(node.value))
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST:
        node.subject = self.visit(node.subject)
        for case in node.cases:
            names = [
                getattr(part, "name", None) or getattr(part, "rest", None)
                for part in ast.walk(case.pattern)
            ]
            held = [
                self._does(self._held(node, name, imported=False), case.body[0])
                for name in names
                if name is not None
            ]
            if case.guard is not None:
                case.guard = self._truth(self.visit(case.guard))
            case.body = [*held, *self._statements(case.body, docstring=False)]
        return node

    # -- definitions -----------------------------------------------------------------------------

    def _annotation(self, node: ast.expr) -> ast.expr:
        """Kept as it is where it is only text, and then it must not call anything."""
        if not self._text:
            visited: ast.expr = self.visit(node)
            return visited
        if any(isinstance(part, ast.Call | ast.Lambda | ast.NamedExpr) for part in ast.walk(node)):
            self.violations.append(Violation(node.lineno, "an annotation that calls something"))
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        if node.annotation is not None:
            node.annotation = self._annotation(node.annotation)
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.decorator_list = [
            self._at(DECORATE, one, self.visit(one)) for one in node.decorator_list
        ]
        node.args = self.visit(node.args)
        if node.returns is not None:
            node.returns = self._annotation(node.returns)
        body = self._statements(node.body, docstring=True)
        if isinstance(node, ast.AsyncFunctionDef) or _yields(node):
            node.body = body
            return node
        head = body[:1] if _is_docstring(body[0]) else []
        enter = self._does(self._helper(ENTER, node), node)
        leave = self._does(self._helper(LEAVE, node), node)
        rest = body[len(head) :] or [ast.copy_location(ast.Pass(), node)]
        guarded = ast.Try(body=rest, handlers=[], orelse=[], finalbody=[leave])
        node.body = [*head, enter, ast.copy_location(guarded, node)]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.generic_visit(node)
        # Arguments are evaluated from left to right: entering, then the body, then leaving.
        node.body = self._at(GIVES, node, node.body, self._helper(LEAVE, node))
        node.body.args.insert(1, self._helper(ENTER, node))
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.bases = [self.visit(base) for base in node.bases]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        decorators = [self._at(DECORATE, one, self.visit(one)) for one in node.decorator_list]
        node.decorator_list = [*decorators, self._at(MADE, node)]
        self._classes.append(node.name)
        node.body = self._statements(node.body, docstring=True)
        self._classes.pop()
        return node

    # -- expressions -----------------------------------------------------------------------------

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self.visit(part.value)
                if part.format_spec is not None:
                    part.format_spec = self.visit(part.format_spec)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        name = _COMPARISONS.get(type(node.ops[0]))
        if len(node.ops) > 1 or name is None:
            return self._truth(node)
        sides = (node.left, node.comparators[0])
        return self._truth(self._at(OPERATE, node, ast.Constant(name), *sides))

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

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        name = ast.Constant(_OPERATORS[type(node.op)])
        return self._at(OPERATE, node, name, node.left, node.right)

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        line = getattr(node.iter, "lineno", 0)
        self.generic_visit(node)
        node.ifs = [self._truth(test) for test in node.ifs]
        if not node.is_async:
            node.iter = self._helper(EACH, node.iter, ast.Constant(line), node.iter)
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        self.generic_visit(node)
        node.elt = self._at(GIVES, node.elt, node.elt, self._helper(LEAVE, node.elt))
        node.elt.args.insert(1, self._helper(ENTER, node.elt))
        return node

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        if node.value is not None:
            node.value = self._at(GIVES, node, self.visit(node.value))
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        base = self.visit(node.value)
        if isinstance(node.ctx, ast.Load):
            return self._at(LOAD, node, base, ast.Constant(self._mangled(node.attr)))
        node.value = self._at(CHANGE, node, base, ast.Constant(self._changes))
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        base = self.visit(node.value)
        if isinstance(node.ctx, ast.Load):
            return self._at(ITEM, node, base, self._slice(node.slice))
        node.value = self._at(CHANGE, node, base, ast.Constant("item"))
        node.slice = self._slice(node.slice)
        return node

    def _slice(self, node: ast.expr) -> ast.expr:
        """A key as an expression of its own: slices can stand only between brackets."""
        match node:
            case ast.Slice(lower=lower, upper=upper, step=step):
                parts = [
                    ast.Constant(None) if p is None else self.visit(p) for p in (lower, upper, step)
                ]
                return self._helper(SLICE, node, *parts)
            case ast.Tuple(elts=elts):
                node.elts = [self._slice(one) for one in elts]
                return node
            case ast.Starred(value=value):
                node.value = self.visit(value)
                return node
        visited: ast.expr = self.visit(node)
        return visited

    def visit_Call(self, node: ast.Call) -> ast.AST:
        line = node.lineno
        self.generic_visit(node)
        bare = isinstance(node.func, ast.Name) and node.func.id == "super"
        if bare and not node.args and not node.keywords:
            return node  # the compiler has to see it
        node.args = [ast.Constant(line), node.func, *node.args]
        node.func = ast.copy_location(ast.Name(id=CALL, ctx=ast.Load()), node)
        return node


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _yields(function: ast.FunctionDef) -> bool:
    """Whether a function is a generator's (a nested one's ``yield`` does not count)."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)
    return False
