"""A made-up JavaScript package with a flaw of each kind, installed, and how it is proven.

Nothing is stubbed: the harness runs in the real sandbox; only the registry is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from clearhouse.proof.bundle import Bundle
from clearhouse.proof.door import open_bundle
from clearhouse.proof.effects import Effect
from clearhouse.proof.judge import Case, Judgement, judge
from clearhouse.proof.observation import Run
from clearhouse.proof.runners.base import Cells
from clearhouse.proof.runners.javascript import JavaScriptRunner
from clearhouse.proof.target import Installed, InstalledPackage

_MANIFEST = """\
[proof]
format = 1
id = "lab"
title = "A flaw of the lab"
effect = "{effect}"
cwe = [20]

[target]
purl = "pkg:npm/lab@1.0.0"

[harness]
language = "javascript"
file = "{file}"

[input]
poc = "poc"
controls = ["control"]
{expect}
"""

MAIN = """\
'use strict';
const fs = require('fs');
const path = require('path');
const { spawn, execSync } = require('child_process');
const net = require('net');
const { pipeline, Readable } = require('stream');
const helper = require('helper');

class Reader {
  constructor(text) { this.text = text; }
  read() { return this.text === 'null' ? this.text.none.at : this.text.length; }
}

exports.Reader = Reader;
exports.parse = function parse(text) { return new Reader(text).read(); };
exports.parseLater = async function parseLater(text) { await null; return exports.parse(text); };
exports.throwText = function throwText(text) { if (text === 'bad') throw 'a text'; return text; };
exports.forget = function forget(text) { Promise.resolve(text).then(exports.parse); };
exports.check = function check(text) { return text === 'null' ? [new RangeError(text)] : []; };
exports.save = function save(name) { fs.writeFileSync(path.join('out', name), 'x'); };
exports.saveLater = function saveLater(name) {
  return new Promise((done) => fs.writeFile(path.join('out', name), 'x', done));
};
exports.saveAwaited = async function saveAwaited(name) {
  await null;
  await fs.promises.writeFile(path.join('out', name), 'x');
};
exports.savePiped = function savePiped(name) {
  const to = fs.createWriteStream(path.join('out', name));
  return new Promise((done) => pipeline(Readable.from(['x']), to, done));
};
exports.show = function show(name) { return fs.readFileSync(name, 'utf8').length; };
exports.run = function run(command) { if (command !== 'nothing') execSync(command); };
exports.runLater = function runLater(command) {
  return new Promise((done) => setTimeout(start, 5, command, done));
};
function start(command, done) {
  if (command === 'nothing') done();
  else spawn(command).on('exit', done);
}
exports.evaluate = function evaluate(code) { return eval(code); };
exports.fetch = function fetch(host) {
  return new Promise((done) => {
    if (host === 'nowhere') done();
    else net.connect({ host, port: 80 }).on('error', done).on('connect', done);
  });
};
exports.match = function match(text) { return /^(a+)+$/.test(text); };
exports.matches = function matches(text, pattern) { return pattern.test(text); };
exports.pattern = function pattern() { return /^(a+)+$/g; };
exports.patterns = { letters: /^(a+)+$/ };
exports.spin = function spin(text) {
  let n = 0;
  while (text === 'spin') n = (n * 31 + 7) % 65521;
  return n;
};
exports.grow = function grow(text) {
  const kept = [];
  while (text === 'grow') kept.push(new Array(4096).fill(kept.length));
  return kept.length;
};
exports.sleep = function sleep(text) {
  if (text === 'sleep') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
};
exports.deep = function deep(text) { return text.startsWith('[') ? deep(text.slice(1)) + 1 : 0; };
exports.descend = function descend(text) { return text.length === 0 ? 0 : 1; };
exports.merge = function merge(to, from) {
  for (const key of Object.keys(from)) {
    if (from[key] && typeof from[key] === 'object') merge(to[key] ??= {}, from[key]);
    else to[key] = from[key];
  }
  return to;
};
exports.clean = function clean(text) { return text.replace('<b>', ''); };
exports.each = function each(list, visit) { return list.map((one) => visit(one)); };
exports.invoke = function invoke(object, name, ...given) { return object[name](...given); };
exports.compile = function compile(text) { return new Function('return ' + JSON.stringify(text)); };
exports.template = function template(text) { return Function('given', 'return ' + text); };
exports.helped = function helped(text) { return helper.dive(text); };
exports.wait = async function wait(one) { return await one; };
exports.loop = function loop(count, visit) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += visit(i);
  return sum;
};
exports.shapes = { words: /^[a-z]+$/, list: ['a', 'b'] };
exports.word = function word(text) { return exports.shapes.words.test(text); };
exports.later = async function later(one, visit) { await null; return await visit(one); };
exports.bound = exports.parse.bind(null);
exports.settings = { strict: false, depth: { most: 4 } };
exports.version = '1.0.0';
"""

HELPER = "exports.dive = (text) => text === 'null' ? null.deep : 0;\n"
MODULE = """\
export class Reader { read(text) { return text === 'null' ? text.none.at : text.length; } }
export function parse(text) { return new Reader().read(text); }
export default { parse };
"""


def install(root: Path) -> Installed:
    """Lay the package out as an installed target, with one dependency and one ES module."""
    for name, files in {
        "lab": {"package.json": '{"name": "lab", "version": "1.0.0", "main": "index.js"}'},
        "helper": {"package.json": '{"name": "helper", "version": "2.0.0"}', "index.js": HELPER},
    }.items():
        folder = root / "node_modules" / name
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text)
    lab = root / "node_modules" / "lab"
    (lab / "index.js").write_text(MAIN)
    (lab / "module.mjs").write_text(MODULE)
    packages = tuple(
        InstalledPackage(purl, hashlib.sha256(purl.encode()).hexdigest(), (prefix,), target)
        for purl, prefix, target in (
            ("pkg:npm/lab@1.0.0", "node_modules/lab/", True),
            ("pkg:npm/helper@2.0.0", "node_modules/helper/", False),
        )
    )
    return Installed(root, "", packages, ("lab",), ())


class Lab:
    """The installed package and the sandboxes in which it is attacked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._installed = install(folder / "installed")
        self._cells = Cells()
        self._made = 0

    def close(self) -> None:
        """End the sandboxes."""
        self._cells.close()

    def bundle(
        self, effect: str, harness: str, poc: bytes, control: bytes, *, expect: str, file: str
    ) -> Bundle:
        """Write a bundle and read it at the door."""
        self._made += 1
        folder = self._folder / f"bundle{self._made}"
        folder.mkdir()
        manifest = _MANIFEST.format(
            effect=effect, file=file, expect=f"[expect]\n{expect}" if expect else ""
        )
        (folder / "proof.toml").write_text(manifest)
        (folder / file).write_text(harness)
        (folder / "poc").write_bytes(poc)
        (folder / "control").write_bytes(control)
        return open_bundle(folder)

    def try_out(
        self,
        effect: str,
        harness: str,
        poc: str | bytes,
        control: str | bytes = "fine",
        *,
        expect: str = "",
        file: str = "harness.js",
    ) -> Tried:
        """Run a harness once on each input and judge what was seen."""
        given = [one.encode() if isinstance(one, str) else one for one in (poc, control)]
        bundle = self.bundle(effect, harness, given[0], given[1], expect=expect, file=file)
        runner = JavaScriptRunner(bundle, self._installed, "1.0.0", self._cells)
        runs = [runner.run("poc", given[0])]
        controls = [runner.run("control:control", given[1])]
        bypass = bundle.effect is Effect.BYPASS
        case = Case(
            effect=bundle.effect,
            expect=bundle.expect,
            package="pkg:npm/lab",
            harness_text=harness,
            pocs=runs,
            controls=controls,
            counterfactual=runner.counterfactual(given[1], given[0]) if bypass else None,
        )
        return Tried(judge(case), runs, controls)


class Tried:
    """A judgement and the runs that it rests on."""

    def __init__(self, judgement: Judgement, pocs: Sequence[Run], controls: Sequence[Run]) -> None:
        self.judgement = judgement
        self.poc, self.control = pocs[0], controls[0]

    @property
    def grade(self) -> str:
        """The grade as its word."""
        return self.judgement.grade.value

    @property
    def places(self) -> list[str]:
        """The target's frames, innermost first: file and function."""
        return [f"{frame.file}:{frame.name}" for frame in self.judgement.frames]

    def __str__(self) -> str:
        run = self.poc
        return f"{self.grade}: {self.judgement.reason}; {run.why}; {run.contract}; {run.tampering}"
