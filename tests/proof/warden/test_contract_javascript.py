"""The rules for JavaScript harnesses, and that a harness with marks does what it did without."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clearhouse.proof.node import find_node

WARDEN = Path(__file__).resolve().parents[3] / "src" / "clearhouse" / "proof" / "warden"
FOLDER = WARDEN.parents[3] / "samples" / "proofs"


def prepared(source: str, folder: Path, name: str = "harness.js") -> dict[str, Any]:
    """Have a harness read as the runner has it read."""
    (folder / "source").write_text(source)
    (folder / "job").write_text(json.dumps({"key": "key", "name": name}))
    command = '"$0" --expose-internals "$1" 3>&1 >&2 4<source 5<job'
    program = str(find_node().program)
    script = str(WARDEN / "contract_javascript.cjs")
    done = subprocess.run(
        ["sh", "-c", command, program, script], cwd=folder, stdout=subprocess.PIPE, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout.decode().removeprefix("key"))
    return answer


BROKEN = {
    "const a = require('child_process')": "starts processes",
    "const a = require('node:vm')": "runs code under a name of its choice",
    "const a = require('./helper')": "is no package",
    "const a = require('lab/package.json')": "which version runs",
    "const a = require('internal/util')": "an inside of Node.js",
    "const a = require('node:sea2')": "has no use for",
    "const a = require(name)": "only be called, with a text",
    "const a = require.cache": "only be called, with a text",
    "const a = import(name)": "import() of a computed name",
    "require('fs').rmSync('x')": "has to be given a name",
    "const fs = require('fs'); each(fs.readFileSync)": "acts on more than the working folder",
    "const fs = require('fs'); fs.openSync('x')": "acts on more than the working folder",
    "const fs = require('fs'); fs[name]('x')": "acts on more than the working folder",
    "const fs = require('fs'); const other = fs": "only be called by the name",
    "const fs = require('fs'); lab.use({ fs })": "only be called by the name",
    "const { writeFile: w } = require('fs'); later(w)": "w may only be called",
    "const { watch } = require('fs')": "",
    "const { watch } = require('fs'); watch('x')": "acts on more than the working folder",
    "eval('1')": "eval runs or changes anything",
    "new Function('1')": "Function runs or changes anything",
    "const a = globalThis": "reaches everything",
    "Reflect.ownKeys(a)": "reaches into objects",
    "new Proxy({}, {})": "replaces objects",
    "(() => 1).constructor('1')": "runs text as code",
    "const { constructor: make } = a": "runs text as code",
    "const { [name]: x } = a": "a computed name in a pattern",
    "a.__proto__.b = 1": "changes what objects inherit",
    "const a = { __proto__: b }": "belongs in the input",
    "A.prototype.b = 1": "changes what objects inherit",
    "Object.defineProperty(a, 'b', {})": "replaces properties",
    "Error.prepareStackTrace = x": "forges stacks",
    "process.exit(1)": "process.exit changes or reads",
    "const p = process": "changes or reads the interpreter",
    "process['bin' + 'ding']('fs')": "changes or reads the interpreter",
    "require('crypto').setEngine('x')": "runs machine code",
    "fetch('x')": "speaks to the network",
    "if (lab.version) a()": "which version runs",
    "other = 1": "other, which is not the harness's",
    "[JSON.x, Buffer] = a": "Buffer, which is not the harness's",
    "with (a) b()": "hides what a name means",
    "debugger": "stops the run",
    "tag`x`": "a call that cannot be followed",
    "__clearhouse_m(1)": "is the observer's",
    "function f() { return arguments.callee }": "reaches the caller",
}


def test_what_could_cause_or_hide_an_effect_breaks_the_contract(tmp_path: Path) -> None:
    expected = dict(BROKEN)
    for start in range(0, len(expected), 10):
        part = list(expected.items())[start : start + 10]
        source = "\n".join(f"{{ {code} }}" for code, _ in part)
        found = prepared(source, tmp_path)["contract"]
        for line, (code, phrase) in enumerate(part, 1):
            said = [one for one in found if one.startswith(f"line {line}: ")]
            assert bool(said) == bool(phrase), (code, said)
            assert not phrase or any(phrase in one for one in said), (code, said)


HONEST = r"""
'use strict';
const assert = require('node:assert');
const fs = require('fs');
const { promises: disk, mkdirSync } = require('fs');
const path = require('path');
const { pipeline } = require('stream/promises');
const lab = require('@scope/lab/sub');
class Case { constructor(text) { this.text = text; } run() { return lab.parse(this.text); } }
module.exports.fuzz = async function (data) {
  fs.mkdirSync(path.join(process.cwd(), 'in'), { recursive: true });
  await disk.writeFile('in/a', data);
  await fs.promises.readFile('in/a');
  try {
    new Case(`${data}`).run();
  } catch (error) {
    if (error.constructor.name === 'ParseError' || error.code === 'EOF') return;
    throw error;
  }
  const parser = new lab.Parser({ strict: true });
  parser.onerror = () => {};
  parser.options.limit = 3;
  for (const [key, value] of Object.entries(JSON.parse(data))) parser[key] = value;
  if (Object.prototype.hasOwnProperty.call(parser, 'x') && ({}).polluted) {
    throw new SecurityGuaranteeBroken('own');
  }
  await new Promise((resolve, reject) => parser.on('end', resolve).on('error', reject));
  assert.ok(process.env.HOME);
};
"""


def test_an_honest_harness_keeps_the_contract(tmp_path: Path) -> None:
    assert prepared(HONEST, tmp_path)["contract"] == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/harness.js")), ids=lambda p: p.parent.name)
def test_the_samples_keep_the_contract(path: Path, tmp_path: Path) -> None:
    assert prepared(path.read_text(), tmp_path)["contract"] == []


EVERYTHING = r"""#!/usr/bin/env node
const { join, ...rest } = require('path')
let count = 0
const later = (ms) =>
  // a comment
  (
    new Promise((done) => setTimeout(done, ms))
  )
function* gen() { const x = yield 1; try { yield x } finally { count++ } }
async function* agen() { for await (const x of [1, 2]) yield x }
const o = { get a() { return 1 }, set a(v) { count += v }, ['k' + 1]: 2, 'q-r': 3,
  async m() { await later(1); return super.toString() }, *g() { yield* gen() } }
class A {
  #x = 1; static #y = 2; static { A.z = A.#y } get x() { return this.#x }
  has(o) { return #x in o } f() { return this.#g() } #g() { return 7 }
}
class B extends A {
  constructor() { super(); this.w = new.target.name }
  f() { return super.f() + 1 }
}
var self = this
module.exports.fuzz = async function (data) {
  const out = []
  for (const x of gen()) out.push(x)
  for await (const x of agen()) out.push(x)
  for (var i in o) out.push(i)
  o.a = 5; o['a'] += 2; count ||= 3; count &&= count + 1; let n = null; n ??= 4
  out.push(await o.m(), ...o.g(), o['k1'], new B().f(), new B().w, new A().has(new B()), A.z, n)
  const { length: len = 3, ...others } = { p: 1, q: [1, 2] }, [first, , third = 'd'] = 'ab'
  out.push(len, others, first, third, count)
  if (data.length > 2) out.push('long'); else out.push('short')
  while (out.length > 1000) out.pop()
  do { out.push('do') } while (out.length < 3);
  do out.push('bare'); while (0)
  try { null.foo() } catch ({ message }) { out.push(typeof message) } finally { out.push('f') }
  const tag = (s, ...v) => s.raw.join('|') + v.join()
  out.push(tag`a${1}b${2}`, `x${out.length > 3 ? 'y' : `n${1}`}`, ((a, b) => a + b)(1, 2),
    (() => { 'use strict'; return this === undefined })())
  out.push(out?.length, out?.[0], out.nope?.(), data.toString('hex'), typeof undefinedThing,
    -out.length, [...'ab'].map((c, i) => c + i), /a+/.exec('caat')?.[0])
  label: for (;;) { for (;;) break label }
  switch (out.length) { case 1: case 2: out.push(1); default: out.push('def') }
  var fn = function fact(k) { return k < 2 ? 1 : k * fact(k - 1) }
  out.push(fn(5), (0, eval)('1+1'), (function () { return arguments.length })(1, 2))
  out.push(self === module.exports, join('a', 'b'), new (class { v = 3 })().v, a(), 1_000)
  out.push(new (require('events'))().listenerCount('x'), delete o['k1'], void 0)
  function a() { return 'hoisted' }
  for (const k of [1, 2]) if (k === 1) continue; else { out.push(k) }
  let z = [1, 2]; [z[0], z[1]] = [3, 4]; z[0]++; out.push(z, (() => ({ k: 1 }))().k)
  out.push(new Error('here').stack.split('\n')[1].match(/:(\d+):/)[1])
  return out
}
"""
COMPARE = r"""
const { compileFunction } = require('vm');
const { source, code } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const call = (o, k, q) => (q && o?.[k] == null ? () => undefined : (...a) => o[k](...a));
const given = {
  __clearhouse_m: () => {}, __clearhouse_t: (n, v) => v, __clearhouse_r: (v) => v,
  __clearhouse_w: (v) => v, __clearhouse_c: (l, o, k, q) => call(o, k, q),
  __clearhouse_f: (l, f, n, q) => (q && f == null ? () => undefined : f),
  __clearhouse_n: (l, f) => f, __clearhouse_o: (l, o) => o,
  __clearhouse_g: (l, o, k, q) => (q && o == null ? undefined : o[k]),
  __clearhouse_k: (l, k) => k, __clearhouse_s: (v) => v, __clearhouse_x: (v) => v,
  __clearhouse_p: (n, v) => v, __clearhouse_v: (l, v) => v, __clearhouse_b: (l, v) => v,
};
async function result(text) {
  const module = { exports: {} };
  const all = { module, exports: module.exports, require, ...given };
  compileFunction(text, Object.keys(all)).apply(module.exports, Object.values(all));
  return module.exports.fuzz(Buffer.from('data'));
}
(async () => {
  console.log(JSON.stringify([await result(source), await result(code)]));
})();
"""


def test_a_harness_with_marks_does_what_it_did_without_on_the_same_lines(tmp_path: Path) -> None:
    answer = prepared(EVERYTHING, tmp_path)
    given = json.dumps({"source": EVERYTHING, "code": answer["code"]})
    done = subprocess.run(
        [str(find_node().program), "-e", COMPARE],
        input=given, capture_output=True, text=True, check=True,
    )  # fmt: skip
    plain, marked = json.loads(done.stdout)
    assert marked == plain
    assert len(plain) > 50
    assert answer["code"].count("\n") == EVERYTHING.count("\n")
    assert set(answer["lines"]) > set(range(23, 52))
