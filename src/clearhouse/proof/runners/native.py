"""C and C++ targets: compiled with sanitizers in the sandbox, one new process for each run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from clearhouse.errors import Unavailable
from clearhouse.proof.attribution import Counterfactual
from clearhouse.proof.build.flags import CHECKS_OF
from clearhouse.proof.build.harness import HARNESS, PROGRAM, BuiltHarness, build_harness
from clearhouse.proof.build.plan import Plan, make_plan
from clearhouse.proof.build.sources import Tree
from clearhouse.proof.build.symbols import Symbols
from clearhouse.proof.build.target import BuiltTarget, build_target
from clearhouse.proof.build.toolchain import Toolchain, find
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.observation import Frame, Outcome, Owner, Run
from clearhouse.proof.reading import read_run
from clearhouse.proof.runners.base import Cells, limits_for, new_token, source_line, watch_for
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.cell import Cell, Job
from clearhouse.proof.target import default_targets
from clearhouse.proof.target.store import key_of

_BUILD = "/build/"
_OURS = "/runtime/clearhouse/"
# Functions of the sanitizers' runtime that only a report passes through.
_ASAN_REPORTS = re.compile(r"__asan_report_|_ZN6__asan\d+(?:Report|ScopedInErrorReport)")
_UBSAN_HANDLER = re.compile(r"__ubsan_handle_(?P<kind>\w+?)(?:_v\d+)?(?:_abort)?$")
_LIBC = re.compile(r"/(?:libc|libpthread)[.-][^/]*$")
_RETURNED = 8
_COMMON, _ROUNDS = "native-common", 4


def native_runner(bundle: Bundle, version: str, tree: Tree, cells: Cells) -> NativeRunner:
    """Build a source tree and a bundle's harness.

    Undefined behaviour that a control shows is how this version works on any input: UBSan's checks
    for it are left out, or no control of old code would ever return.  Raises
    :class:`clearhouse.errors.Unavailable` where they cannot be built here.
    """
    tools, store = find(), default_targets().store
    plan = make_plan(bundle.target, bundle.effect, tree.files)
    place = (_COMMON, f"{key_of(tree.digest, plan.key(), tools.identity, bundle.digest)}.json")
    known: list[str] | None = store.read_json(*place)
    runner = _build(
        bundle, version, tree, cells, replace(plan, checks=plan.checks.but(known or ()))
    )
    if known is None and plan.checks.undefined_behaviour:
        common: dict[str, None] = {}
        for _ in range(_ROUNDS):
            found = [c for control in bundle.controls for c in runner.tripped_by(control.data)]
            if not found:
                break
            common.update(dict.fromkeys(found))
            runner.leave()
            runner = _build(
                bundle, version, tree, cells, replace(plan, checks=plan.checks.but(common))
            )
        store.write_json(list(common), *place)
    return runner


def _build(bundle: Bundle, version: str, tree: Tree, cells: Cells, plan: Plan) -> NativeRunner:
    tools, store = find(), default_targets().store
    target = build_target(tree, plan, tools, store)
    harness = build_harness(bundle, target, plan, tools, store)
    symbols = Symbols(harness.folder, harness.key, tools, store)
    built = _Built(tree, plan, target, harness, symbols, tools)
    return NativeRunner(bundle, version, built, cells)


class _Built:
    """Everything that a runner was made from."""

    def __init__(
        self, tree: Tree, plan: Plan, target: BuiltTarget, harness: BuiltHarness, symbols: Symbols,
        tools: Toolchain,
    ) -> None:  # fmt: skip
        self.tree, self.plan, self.target = tree, plan, target
        self.harness, self.symbols, self.tools = harness, symbols, tools

    @property
    def notes(self) -> tuple[str, ...]:
        watched = (
            "AddressSanitizer and UBSan"
            if self.plan.checks.undefined_behaviour
            else "AddressSanitizer"
        )
        how = f"compiled by {self.tools.version} with -O1, {watched}"
        if self.plan.defines:
            how += "; macros set by the bundle: " + ", ".join(self.plan.defines)
        if self.plan.checks.without:
            left_out = ", ".join(self.plan.checks.without)
            how += f"; left out of UBSan, since a control shows it too: {left_out}"
        if not self.tools.is_clang:
            how += "; install clang to have effects attributed"
        return (*self.tree.notes, how, *self.target.notes)


class NativeRunner:
    """A C or C++ harness against one version of its target, built and ready."""

    def __init__(self, bundle: Bundle, version: str, built: _Built, cells: Cells) -> None:
        self._bundle, self._built, self._cells = bundle, built, cells
        self._harness = built.harness
        self.version = version
        self.packages = ((built.tree.purl, f"sha256:{built.tree.sha256}"),)
        self.notes = built.notes
        self._key = ("native", str(self._harness.folder))

    @property
    def plan(self) -> Plan:
        """How the target was compiled, without the checks that its controls trip."""
        return self._built.plan

    @property
    def target(self) -> BuiltTarget:
        """The target as it was built."""
        return self._built.target

    def run(self, name: str, data: bytes) -> Run:
        """Run the harness on one input."""
        if self._harness.problem is not None:
            return Run(
                self.version, name, Outcome.NOT_LOADED, self._harness.problem, 0.0, 0.0, 0, 0
            )
        bundle, token = self._bundle, new_token()
        job = Job(
            runtime="program",
            input=data,
            token=token,
            limits=limits_for(bundle, self._cells.most_cpu_s),
            watch=watch_for(bundle, stack="native", unwind=True, runtime_execs=1),
            extra={},
            argv=[f"{_BUILD}{PROGRAM}"],
            address_space=False,  # AddressSanitizer maps terabytes that it never touches
        )
        cell = self._cells.get(self._key, self._start)
        try:
            raw = cell.run(job)
        except Unavailable:
            self._cells.drop(self._key)
            raise
        self._complete(raw)
        run = read_run(raw, version=self.version, name=name, token=token, classify=self._classify)
        if run.outcome is Outcome.BROKEN or raw["init"] != "ended":
            self._cells.drop(self._key)
        return run

    def leave(self) -> None:
        """End the sandbox of a build that is not used any more."""
        self._cells.drop(self._key)

    def tripped_by(self, data: bytes) -> tuple[str, ...]:
        """The checks of UBSan that one input ends in."""
        found = self.run("control", data).sanitizer
        return CHECKS_OF.get(found.kind, ()) if found is not None else ()

    def counterfactual(self, control: bytes, poc: bytes) -> Counterfactual | None:
        """None: a C or C++ harness has no way to raise ``SecurityGuaranteeBroken``."""
        del control, poc
        return None

    def _start(self) -> Cell:
        return Cell([Bind(self._harness.folder, "/build")], python=False)

    # -- from the tracer's record to what can be judged --------------------------------------------

    def _complete(self, raw: dict[str, Any]) -> None:
        """Add to a record what only the build knows: names and lines, marks, the report's kind."""
        stacks = list(_with_stacks(raw))
        self._built.symbols.learn(
            (_object(frame), frame["offset"])
            for holder in stacks
            for frame in holder["stack"]
            if _object(frame)
        )
        raw["sanitizer"] = sanitizer_of(raw)
        if raw["fatal"] is not None and not ended_itself_honestly(raw["fatal"]):
            raw["fatal"]["stack"] = []
        for holder in stacks:
            holder["stack"] = [f for frame in holder["stack"] for f in self._named(frame)]
        raw["report"].append(
            {
                "lines": list(self._harness.lines),
                "contract": list(self._harness.contract),
                "calls": self._calls(raw),
            }
        )

    def _named(self, frame: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """A raw frame, and the inlined calls that it stands for."""
        name = _object(frame)
        plain = {"kind": "native", "object": name, "name": frame["name"], "line": None}
        places = self._built.symbols.at(name, frame["offset"]) if name else ()
        if not places:
            yield plain | {"file": "" if name else frame["file"]}
        for place in places:
            yield plain | {
                "file": place.file,
                "name": place.function or frame["name"],
                "line": place.line,
            }

    def _calls(self, raw: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The calls of the target that the harness made, by the marks that they leave."""
        marks = bytes.fromhex(raw["marks"])
        answers: dict[int, list[Any]] = {}
        for message in raw["report"]:
            for mark, value in message.get("returned", ()):
                answers.setdefault(mark, []).append(value)
        return [
            {
                "line": place.line,
                "callee": place.callee,
                "count": 1,
                "native": True,
                "types": [[]],
                "returned": answers.get(place.mark, [])[:_RETURNED],
            }
            for place in self._harness.places
            if place.mark < len(marks) and marks[place.mark]
        ]

    # -- whose a frame is --------------------------------------------------------------------------

    def _classify(self, raw: Mapping[str, Any]) -> Frame:
        file = os.path.normpath(str(raw["file"])) if raw["file"] else ""
        name, line = str(raw["name"]), raw["line"]
        owner = self._owner(str(raw["object"]), file)
        if owner is Owner.TARGET:
            inside = os.path.relpath(file, "/target") if file.startswith("/target/") else file
            code = source_line(Path(self._built.target.tree) / inside, line)
            purl = self._built.tree.purl
            return Frame("native", inside or "libtarget.so", name, line, owner, purl, code)
        shown = file.removeprefix("/harness/") or str(raw["object"])
        return Frame("native", shown, name, line, owner)

    def _owner(self, name: str, file: str) -> Owner:
        """Whose code it is: by the object it is in, within the harness's object by its source file.

        The source file counts there since the contract keeps a harness from naming another one.
        """
        if not name:
            return Owner.RUNTIME if file.startswith(("/usr/", "/lib")) else Owner.UNKNOWN
        if file.startswith(_OURS):
            return Owner.OBSERVER
        if file.startswith("/usr/"):
            return Owner.RUNTIME  # the C++ library's templates
        if name == HARNESS:
            return Owner.TARGET if file.startswith("/target/") else Owner.HARNESS
        if name == PROGRAM:
            return Owner.TARGET if file.startswith("/target/") else Owner.RUNTIME
        return Owner.TARGET


def _with_stacks(raw: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from raw["events"]
    yield from raw["samples"]
    if raw["fatal"] is not None:
        yield raw["fatal"]


def _object(frame: Mapping[str, Any]) -> str:
    """The name of the built object that a frame is in, empty for any other."""
    file = str(frame["file"])
    return file.removeprefix(_BUILD) if file.startswith(_BUILD) else ""


def _in_runtime(frame: Mapping[str, Any]) -> bool:
    """Whether a frame is in our program, or in a runtime that is a library of its own (gcc's)."""
    return _object(frame) == PROGRAM or bool(
        re.search(r"/lib(?:asan|ubsan)\.so", str(frame["file"]))
    )


def sanitizer_of(raw: Mapping[str, Any]) -> dict[str, str] | None:
    """Which report ended a run, or None.

    Only where the stack that was unwound from outside stands in the runtime's report functions; the
    kind of AddressSanitizer's is what its runtime told our driver, never what was printed.
    """
    fatal = raw["fatal"]
    if fatal is None or fatal["signal"] != "SIGABRT" or not ended_itself_honestly(fatal):
        return None
    inner = []
    for frame in fatal["stack"]:
        if not _in_runtime(frame) and not _LIBC.search(str(frame["file"])):
            break
        inner.append(str(frame["name"]))
    for name in inner:
        if match := _UBSAN_HANDLER.match(name):
            kind = match["kind"].removesuffix("_abort").replace("_", "-")
            return {"tool": "UndefinedBehaviorSanitizer", "kind": kind, "text": kind}
    told = next((m["sanitizer"] for m in raw["report"] if "sanitizer" in m), None)
    if told is None or not any(map(_ASAN_REPORTS.match, inner)):
        return None
    return {key: str(told[key]) for key in ("tool", "kind", "text")}


def ended_itself_honestly(fatal: Mapping[str, Any]) -> bool:
    """Whether a SIGABRT came from ``abort``; a timer's could arrive anywhere in the target."""
    if fatal["signal"] != "SIGABRT" or not fatal["stack"]:
        return True
    return bool(_LIBC.search(str(fatal["stack"][0]["file"])))
