"""JavaScript targets: Node.js started for each run, beside the warm sandbox of an installed target.

The stacks of the kernel's events and of samples are read from outside (``warden/frames_v8.py``);
where an event belongs to a request that was made earlier, the stack of that request, noted by the
run itself, takes its place, provided that the kernel saw what was asked for.
"""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from clearhouse.errors import Unavailable
from clearhouse.proof.attribution import MADE, Counterfactual
from clearhouse.proof.bundle import Bundle
from clearhouse.proof.effects import Effect
from clearhouse.proof.node import Node, find_node
from clearhouse.proof.observation import Frame, Outcome, Owner, Run
from clearhouse.proof.reading import read_run
from clearhouse.proof.runners.base import Cells, classifier, limits_for, new_token, watch_for
from clearhouse.proof.sandbox.bubblewrap import Bind
from clearhouse.proof.sandbox.cell import MEGABYTE, Cell, Job, Limits, Watch
from clearhouse.proof.target import Installed

_WARDEN = "/runtime/clearhouse/warden"
_NODE = "/runtime/node"
_IMPORTER = "/target/clearhouse-import.cjs"
_HEAP_MB = 1024  # under the limit of memory, so that a heap that is too small is V8's own doing
_SOMEBODYS = (Owner.HARNESS, Owner.TARGET, Owner.DEPENDENCY)
_PREPARED = 32
_UNWATCHED = Watch("none", 1e9, 1 << 62, reads=False, stack="none", unwind=False, runtime_execs=1)


class JavaScriptRunner:
    """A JavaScript harness against one installed version.

    Raises :class:`Unavailable` where there is no Node.js that can run it.
    """

    def __init__(self, bundle: Bundle, installed: Installed, version: str, cells: Cells) -> None:
        self._bundle, self._installed, self._cells = bundle, installed, cells
        self._node = find_node()
        self._program = _seen_from_inside(self._node)
        self.version = version
        self.packages = tuple((p.purl, f"sha256:{p.sha256}") for p in installed.packages)
        self.notes = installed.notes
        self._key = (str(installed.root), str(self._node.program))
        self._owner_of = classifier(installed)
        self._prepared: Mapping[str, Any] = {}

    def run(self, name: str, data: bytes) -> Run:
        """Run the harness on one input."""
        return self._run(name, data, {})

    def counterfactual(self, control: bytes, poc: bytes) -> Counterfactual | None:
        """The poc after a control, in one process: for real, then answered as the control was."""
        first = base64.b64encode(control).decode()
        real = self._run("poc", poc, {"after": first, "answers": "real"})
        altered = self._run("poc", poc, {"after": first, "answers": "control"})
        return Counterfactual(real, altered)

    def _cell(self) -> Cell:
        return self._cells.get(self._key, self._start)

    def _start(self) -> Cell:
        return Cell([Bind(self._installed.root, "/target"), *_binds(self._node)], python=False)

    def _run(self, name: str, data: bytes, more: dict[str, Any]) -> Run:
        token = new_token()
        try:
            prepared = self._prepare()
            raw = self._cell().run(self._job(prepared, data, token, more))
        except Unavailable:
            self._cells.drop(self._key)
            raise
        requests = [m["request"] for m in raw["report"] if "request" in m]
        for event in raw["events"]:
            self._join(event, requests)
        run = read_run(raw, version=self.version, name=name, token=token, classify=self._classify)
        if run.outcome is Outcome.BROKEN or raw["init"] != "ended":
            self._cells.drop(self._key)
        return run

    def _job(
        self, prepared: Mapping[str, Any], data: bytes, token: str, more: Mapping[str, Any]
    ) -> Job:
        bundle = self._bundle
        limits = limits_for(bundle, self._cells.most_cpu_s)
        heap = _HEAP_MB
        if bundle.effect is Effect.MEMORY:  # the tracer measures; V8 must not give up before it
            heap = 2 * limits.memory_bytes // MEGABYTE + 512
        if "why" in prepared:
            prepared = {"code": _raising(prepared["why"]), "contract": [], "lines": []}
        return Job(
            runtime="program",
            input=data,
            token=token,
            limits=limits,
            watch=watch_for(bundle, stack="javascript", unwind=False, runtime_execs=1),
            extra={
                "name": Path(bundle.harness.file).name,
                "target": list(self._installed.importable),
                "effect": bundle.effect.value,
                "code": prepared["code"],
                "contract": prepared["contract"],
                "lines": prepared["lines"],
                "isModule": prepared.get("isModule", False),
                **more,
            },
            argv=[
                self._program,
                f"--max-old-space-size={heap}",
                "--single-threaded-gc",  # whose helpers would take the time of other runs
                f"{_WARDEN}/run_javascript.cjs",
            ],
        )

    def _prepare(self) -> Mapping[str, Any]:
        """Read the harness in a process of its own, once: what it must not do, and its marks."""
        if not self._prepared:
            code = self._bundle.harness_code
            name = Path(self._bundle.harness.file).name
            key = (hashlib.sha256(code).digest(), name, self._node)
            if key not in _prepared:
                _prepared[key] = self._read(code, name)
                while len(_prepared) > _PREPARED:
                    _prepared.popitem(last=False)
            self._prepared = _prepared[key]
        return self._prepared

    def _read(self, code: bytes, name: str) -> Mapping[str, Any]:
        raw = self._cell().run(
            Job(
                runtime="program",
                input=code,
                token=new_token(),
                limits=Limits(),
                watch=_UNWATCHED,
                extra={"name": name},
                argv=[
                    self._program,
                    "--expose-internals",
                    f"{_WARDEN}/contract_javascript.cjs",
                ],
            )
        )
        for message in raw["report"]:
            if "setup" not in message:
                prepared: dict[str, Any] = message
                return prepared
        said = raw["output"]["err"].strip()[:400] or raw["report"] or "it said nothing"
        raise Unavailable(f"Node.js {self._node.version} cannot read the harness here: {said}")

    def _join(self, event: dict[str, Any], requests: list[dict[str, Any]]) -> None:
        """Give an event of the kernel's the stack of the request that it carries out."""
        match = next((r for r in requests if _asks_for(r, event)), None)
        if match is None:
            return
        requests.remove(match)
        if any(self._classify(f).owner in _SOMEBODYS for f in event["stack"]):
            # What the kernel's moment shows counts; the request knows which lines they are.
            event["stack"] = _with_lines(event["stack"], match["stack"])
        else:
            event["stack"] = match["stack"]

    def _classify(self, raw: Mapping[str, Any]) -> Frame:
        file, name = _path_of(str(raw["file"])), str(raw["name"])
        if "__clearhouse" in name:  # inferred from where the instrumented harness assigns to
            name = name.rpartition(".")[2]
        name = name or "(anonymous)"
        if raw["kind"] == "javascript" and not file.startswith("/"):
            return self._without_file(file, name)
        if file == _IMPORTER:
            return Frame("javascript", file, name, None, Owner.OBSERVER)
        line = raw.get("line")
        if line is None and raw.get("position") is not None:
            line = self._line(file, int(raw["position"]))
        frame = self._owner_of({**raw, "file": file, "name": name, "line": line})
        if "hash" in raw and raw["hash"] not in _digests(self._path(file)):
            return Frame(frame.kind, frame.file, name, line, Owner.UNKNOWN)
        return frame

    def _without_file(self, file: str, name: str) -> Frame:
        """A frame of Node.js, of V8, or of code that was made from text while running.

        Such code is whoever's who had it made: what a target compiles and hands out to be called
        (a template, say) is still the target's.
        """
        maker = file.removeprefix(MADE)
        owner = Owner.UNKNOWN
        if maker != file:
            made = self._owner_of({"kind": "javascript", "file": maker, "name": name})
            if made.owner is not Owner.RUNTIME:
                owner = made.owner
            if owner in (Owner.TARGET, Owner.DEPENDENCY):
                return replace(made, file=MADE + made.file, line=None, code=None)
        elif file == "" or file.startswith("node:"):
            owner = Owner.RUNTIME
        return Frame("javascript", file, name, None, owner)

    def _path(self, file: str) -> Path:
        return self._installed.root / file.removeprefix("/target/")

    def _line(self, file: str, position: int) -> int | None:
        if file.startswith("/harness/"):
            starts = _starts(str(self._prepared.get("code", "")))
        elif file.startswith("/target/"):
            starts = _starts_of(self._path(file))
        else:
            return None
        return bisect_right(starts, position)


_prepared: OrderedDict[tuple[bytes, str, Node], Mapping[str, Any]] = OrderedDict()


def _seen_from_inside(node: Node) -> str:
    """Where Node.js is in the sandbox, which has ``/usr`` as it is here."""
    program = str(node.program)
    return program if program.startswith("/usr/") else f"{_NODE}/{node.program.name}"


def _binds(node: Node) -> list[Bind]:
    """Node.js from elsewhere, and the library it consists of where it is built so."""
    folder = node.program.parent
    if str(folder).startswith("/usr/"):
        return []
    library = folder.parent / "lib"
    shared = [Bind(library, "/runtime/lib")] if any(library.glob("libnode.so*")) else []
    return [Bind(folder, _NODE), *shared]


def _path_of(file: str) -> str:
    """The path of a script, which ES modules give as a URL."""
    return unquote(file.removeprefix("file://")) if file.startswith("file://") else file


def _raising(why: str) -> str:
    """A harness that does not parse here does not load."""
    quoted = "".join(c if c.isalnum() or c in " .,:;()" else f"\\u{ord(c):04x}" for c in why)
    return f"throw new SyntaxError('{quoted}');"


def _asks_for(request: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    if request["kind"] != event["kind"]:
        return False
    objects = set(request["objects"])
    if event["kind"] == "execute":
        program = str(event["program"])
        return any(program == o or program.endswith(f"/{o}") for o in objects)
    if event["kind"] == "connect":
        address = str(event["address"])
        return address in objects or ("name" in objects and address.endswith(":53"))
    path = str(event["path"])
    return path in objects or any(path[:-6] == o for o in objects)  # mkdtemp adds six letters


def _with_lines(frames: list[dict[str, Any]], noted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The kernel's frames with the lines of those that the run noted in the same order."""
    found = []
    index = 0
    for frame in frames:
        file = _path_of(str(frame["file"]))
        same = next(
            (
                i
                for i in range(index, len(noted))
                if noted[i]["file"] == file and noted[i]["name"] == frame["name"]
            ),
            None,
        )
        if same is None:
            found.append(frame)
            continue
        index = same + 1
        found.append({**frame, "line": noted[same]["line"]})
    return found


def _starts(text: str) -> tuple[int, ...]:
    """Where lines begin, in UTF-16 units, as V8 counts."""
    starts = [0]
    at = 0
    for line in text.split("\n"):
        at += len(line.encode("utf-16-le", "surrogatepass")) // 2 + 1
        starts.append(at)
    return tuple(starts)


@lru_cache(maxsize=64)
def _starts_of(path: Path) -> tuple[int, ...]:
    return _starts(_text(path))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff")
    except OSError:
        return ""


@lru_cache(maxsize=256)
def _digests(path: Path) -> tuple[str, ...]:
    """What V8 says of a script that was compiled from this file as it is."""
    try:
        raw = path.read_bytes()
    except OSError:
        return ()
    text = raw.removeprefix(b"\xef\xbb\xbf")
    decoded = text.decode("utf-8", "replace").encode()  # as Node.js reads what is no UTF-8
    return tuple(hashlib.sha256(one).hexdigest() for one in {raw, text, decoded})
