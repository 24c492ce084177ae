"""Having a harness compiled, read, marked and linked with a built target.

Three objects come out, so that a frame's place says whose it is: ``program`` (ours, with the
sanitizers' runtime), ``libharness.so`` and ``libtarget.so``.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from clearhouse.errors import Unavailable
from clearhouse.proof.build import contract, flags, ir
from clearhouse.proof.build.commands import DRIVER
from clearhouse.proof.build.directives import Violation, macro_violations, read_directives
from clearhouse.proof.build.instrument import Marked, instrument
from clearhouse.proof.build.marks import TooManyMarks
from clearhouse.proof.build.plan import HEADERS, Plan
from clearhouse.proof.build.preprocessed import preprocessed_violations
from clearhouse.proof.build.steps import SHARED, first_error, keep_file, link_shared
from clearhouse.proof.build.target import BuiltTarget
from clearhouse.proof.build.toolchain import Toolchain
from clearhouse.proof.bundle import Bundle, Language
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.build import BuildSandbox, Command, CommandsKilled
from clearhouse.proof.target.store import Store, file_sha256, key_of

FOLDER = "native-harnesses"
HARNESS, PROGRAM = "libharness.so", "program"
_FORMAT = "1"
_OWN_CODE = Path(__file__).parent
_DRIVER = _OWN_CODE.parent / "warden" / "driver.c"
_TEXT_BYTES = 64 << 20
_EXPORTS = {
    # Names of C++ stay visible: the target and the harness share inline variables by them.
    True: "{ global: LLVMFuzzer*; _Z*; local: *; };\n",
    False: "{ global: LLVMFuzzer*; local: *; };\n",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A call of the target in the harness: the mark it leaves, its line, what it calls."""

    mark: int
    line: int
    callee: str


@dataclass(frozen=True, slots=True)
class BuiltHarness:
    """A program ready to run in ``folder``, and what is known of its harness."""

    folder: Path
    key: str
    problem: str | None  # why it cannot be run: the harness does not compile or link
    lines: tuple[int, ...]  # of the source, for every mark
    places: tuple[Place, ...]
    contract: tuple[str, ...]
    apart: bool  # harness and target are objects of their own


def build_harness(
    bundle: Bundle, target: BuiltTarget, plan: Plan, tools: Toolchain, store: Store
) -> BuiltHarness:
    """Have the harness built, or find it built.

    Raises :class:`clearhouse.errors.Unavailable` where the sandbox or a limit fails; a harness
    that does not compile is a result.
    """
    files = harness_files(bundle)
    key = key_of(
        _FORMAT, target.key, plan.key(), tools.identity, bundle.harness.language.value,
        _own_code(), *(part for name in files for part in (name, files[name].hex())),
    )  # fmt: skip
    kept = store.read_json(FOLDER, f"{key}.json")
    folder = store.path(FOLDER, key)
    if kept is None or not folder.is_dir():
        kept = _build(bundle, files, target, plan, tools, store, key)
    return BuiltHarness(
        folder=folder,
        key=key,
        problem=kept["problem"],
        lines=tuple(kept["lines"]),
        places=tuple(Place(*place) for place in kept["places"]),
        contract=(*target.contract, *kept["contract"]),
        apart=kept["apart"],
    )


def harness_files(bundle: Bundle) -> dict[str, bytes]:
    """The harness and the headers that lie beside it in the bundle, by their names there."""
    source = bundle.target.source
    folder = PurePosixPath(bundle.harness.file).parent
    found = {}
    for name in sorted(bundle.files):
        path = PurePosixPath(name)
        beside = path.is_relative_to(folder) and path.suffix in HEADERS
        if beside and source is not None and path.is_relative_to(source):
            continue
        if beside or name == bundle.harness.file:
            found[str(path.relative_to(folder))] = bundle.files[name]
    return found


@cache
def _own_code() -> str:
    """A digest of what marks and judges a harness: builds must not outlive it."""
    modules = (
        "calls", "contract", "directives", "flags", "harness", "instructions", "instrument", "ir",
        "marks",
        "preprocessed",
    )  # fmt: skip
    return key_of(*(file_sha256(_OWN_CODE / f"{m}.py") for m in modules), file_sha256(_DRIVER))


def _build(
    bundle: Bundle,
    files: dict[str, bytes],
    target: BuiltTarget,
    plan: Plan,
    tools: Toolchain,
    store: Store,
    key: str,
) -> dict[str, Any]:
    with store.staging() as folder:
        shown, staged = folder / "harness", folder / "built"
        shown.mkdir(mode=0o755)
        staged.mkdir(mode=0o755)
        for name, data in files.items():
            keep_file(shown / name, data, executable=False)
        binds = [Bind(target.tree, "/target"), Bind(shown, "/harness")]
        binds += [Bind(target.folder, "/built")]
        with BuildSandbox(binds) as sandbox:
            work = _Work(sandbox, bundle, target, plan, tools, staged)
            try:
                kept = work.done()
            except CommandsKilled as error:
                raise Unavailable(f"the harness is not built: {error.message}") from error
        store.publish(staged, store.path(FOLDER, key))
        store.write_json(kept, FOLDER, f"{key}.json")
    return kept


class _Problem(Exception):
    """The harness does not compile or link; the text says why."""


@dataclass
class _Work:
    sandbox: BuildSandbox
    bundle: Bundle
    target: BuiltTarget
    plan: Plan
    tools: Toolchain
    staged: Path

    def __post_init__(self) -> None:
        self._is_cxx = self.bundle.harness.language is Language.CPP
        self._compiler = self.tools.cxx if self._is_cxx else self.tools.c
        self._path = f"/harness/{PurePosixPath(self.bundle.harness.file).name}"

    def done(self) -> dict[str, Any]:
        kept: dict[str, Any] = {
            "problem": None, "lines": [], "places": [], "contract": [], "apart": True,
        }  # fmt: skip
        try:
            marked, found = self._marked()
            self._link()
        except _Problem as problem:
            if self.target.program is None:
                return kept | {"problem": str(problem)}
            program = self.target.folder / self.target.program
            keep_file(self.staged / PROGRAM, program.read_bytes())
            why = (
                "the bundle's build commands linked it, so harness and target cannot be told apart"
            )
            return kept | {"apart": False, "contract": [why]}
        kept["contract"] = [str(v) for v in found][:20]
        if marked is None:
            return kept
        kept["lines"] = list(marked.lines)
        names = self._readable([site.callee for site in marked.sites])
        kept["places"] = [
            [site.mark, site.line, name] for site, name in zip(marked.sites, names, strict=True)
        ]
        return kept

    # -- the harness's object ----------------------------------------------------------------------

    def _flags(self) -> list[str]:
        found = flags.for_harness(self.tools, self.plan.checks)
        if not self.plan.include:
            found.append("-I/target")
        language = ["-x", "c++" if self._is_cxx else "c"]
        return [*found, "-I/harness", *self.plan.flags(cxx=self._is_cxx), *language]

    def _marked(self) -> tuple[Marked | None, list[Violation]]:
        """Compile as far as the representation, read it, mark it, and compile it to the end."""
        if not self.tools.is_clang:
            self._compile([*self._flags(), self._path])
            why = "without clang the way that the harness goes cannot be followed"
            return None, [Violation(0, why)]
        whole, text, dependencies = "harness.i", "harness.ll", "harness.d"
        first = [
            "-Xclang", "-disable-llvm-passes", "-fno-discard-value-names", "-S", "-emit-llvm",
            "-MD", "-MF", dependencies, *self._typed(),
        ]  # fmt: skip
        results = self.sandbox.run(
            [
                Command([self._compiler, *self._flags(), *first, self._path, "-o", text]),
                Command([self._compiler, *self._flags(), "-E", self._path, "-o", whole]),
            ],
            parallel=2,
        )
        for result in results:
            if result.code != 0:
                raise _Problem(f"the harness does not compile: {first_error(result)}")
        try:
            module = ir.parse(self._text(text))
            marked = instrument(module, self.target.defined, salt=secrets.randbits(31))
        except (TooManyMarks, ValueError):
            self._compile([*self._flags(), self._path])
            return None, [Violation(0, "the harness is too large or too odd to be followed")]
        found = self._violations(module, self._text(whole), self._text(dependencies))
        self.sandbox.put("marked.ll", marked.text.encode("utf-8", "surrogateescape"))
        self._compile([*flags.for_harness(self.tools, self.plan.checks), "marked.ll"])
        return marked, found

    def _typed(self) -> list[str]:
        """Keep the types of pointers where the compiler still can: they say what is opaque."""
        return ["-Xclang", "-no-opaque-pointers"] if self.tools.major in (15, 16) else []

    def _text(self, name: str) -> str:
        return self.sandbox.get(name, limit=_TEXT_BYTES).decode("utf-8", "surrogateescape")

    def _compile(self, arguments: Sequence[str]) -> None:
        command = Command([self._compiler, *arguments, "-c", "-o", "harness.o"])
        result = self.sandbox.run([command])[0]
        if result.code != 0:
            raise _Problem(f"the harness does not compile: {first_error(result)}")

    def _violations(self, module: ir.Module, whole: str, dependencies: str) -> list[Violation]:
        directives = read_directives(self.bundle.harness_code.decode("utf-8"))
        found = {*directives.violations, *contract.violations(module, self.target.defined)}
        referred = {name for line in module.lines for name, _ in ir.references(line)}
        found |= set(preprocessed_violations(whole, self.target.defined & referred))
        for name, data in harness_files(self.bundle).items():
            if name != PurePosixPath(self._path).name:
                others = read_directives(data.decode("utf-8", "replace")).violations
                found |= {Violation(v.line, f"{v.what} (in {name})") for v in others}
        included = {
            path: self._read(path)
            for path in re.split(r"\\?\s+", dependencies)
            if path.startswith("/target/")
        }
        settable = {define.partition("=")[0] for define in self.plan.defines}
        if not self.target.libraries:
            settable |= {d.name for d in directives.defines}
        found |= set(macro_violations(directives, included, set_for_all=settable))
        return sorted(found)

    def _read(self, path: str) -> str:
        file = self.target.tree / os.path.relpath(path, "/target")
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""

    def _readable(self, names: list[str]) -> list[str]:
        """Names of C++ as people write them."""
        if not self._is_cxx or not names:
            return names
        result = self.sandbox.run([Command(["/usr/bin/c++filt", "-p", *names])])[0]
        lines = result.out.splitlines()
        return lines if result.code == 0 and len(lines) == len(names) else names

    # -- linking -----------------------------------------------------------------------------------

    def _link(self) -> None:
        has_cxx = self._is_cxx or self.target.has_cxx
        libraries = self._target_libraries(cxx=has_cxx)
        self.sandbox.put("exports", _EXPORTS[self._is_cxx].encode())
        self._step(
            link_shared(
                self.tools,
                HARNESS,
                ["harness.o"],
                cxx=has_cxx,
                checks=self.plan.checks,
                more=["-Wl,--version-script=exports", "-Wl,-Bsymbolic-functions"],
            )
        )
        driver = [self.tools.c, *flags.for_driver(), "-c", DRIVER, "-o", "driver.o"]
        self._step(Command(driver))
        program = [
            self.tools.cxx if has_cxx else self.tools.c, "-pie",
            *self.plan.checks.flags(), "driver.o", "-Wl,--no-as-needed", HARNESS,
            *libraries, "-Wl,-rpath,/build", *flags.LIBRARIES, "-o", PROGRAM,
        ]  # fmt: skip
        result = self.sandbox.run([Command(program)])[0]
        if result.code != 0:
            missing = re.search(
                rf"{re.escape(HARNESS)}: undefined reference to [`']([^'\n]+)'", result.err
            )
            if missing:
                raise _Problem(self._not_there(missing[1]))
            # Parts of the target that are not built here; they fail if they are ever called.
            self._step(Command([*program, "-Wl,--unresolved-symbols=ignore-in-shared-libs"]))
        for name in (PROGRAM, HARNESS):
            keep_file(self.staged / name, self.sandbox.get(name))

    def _not_there(self, name: str) -> str:
        """Why a function that the harness calls is not to be had: nowhere, or not compiled here."""
        word = re.compile(rf"\b{re.escape(name.partition('(')[0])}\s*\(")
        for source, why in self.target.failed:
            if word.search(self.target.tree.joinpath(source).read_text(errors="replace")):
                return (
                    f"the harness calls {name}, and {source} does not compile here ({why}): see "
                    "target.sources, target.include and target.defines, or give target.build"
                )
        return f"the harness calls {name}, which this version does not have"

    def _target_libraries(self, *, cxx: bool) -> list[str]:
        """Paths of the shared objects to link with; made from archives and objects where needed."""
        shared = [name for name in self.target.libraries if ".so" in name]
        for name in shared:
            keep_file(self.staged / name, (self.target.folder / name).read_bytes())
        if shared or not self.target.libraries:
            return [f"/built/{name}" for name in shared]
        wanted = sorted(self._undefined() & self.target.defined)
        inputs = [f"/built/{name}" for name in self.target.libraries]
        self._step(
            link_shared(
                self.tools,
                SHARED,
                ["-Wl,--start-group", *inputs, "-Wl,--end-group"],
                cxx=cxx,
                checks=self.plan.checks,
                more=[f"-Wl,-u,{name}" for name in wanted],
            )
        )
        keep_file(self.staged / SHARED, self.sandbox.get(SHARED))
        return [SHARED]

    def _undefined(self) -> set[str]:
        """Names that the harness's object needs from others."""
        result = self.sandbox.run(
            [Command([self.tools.names, "-u", "-P", "harness.o"])], keep=_TEXT_BYTES
        )[0]
        return {line.split(" ", 1)[0] for line in result.out.splitlines()}

    def _step(self, command: Command) -> None:
        result = self.sandbox.run([command])[0]
        if result.code != 0:
            raise _Problem(f"the harness does not link: {first_error(result)}")
