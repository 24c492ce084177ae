"""JavaScript harnesses in the real sandbox: what the target does is its own, and no cheat earns it.

The target is the made-up package of ``lab.py``, with a flaw of each kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.proof.runners.lab import Lab

pytestmark = pytest.mark.sandbox

_LATER = "async "


class Proof(NamedTuple):
    """A harness's body, its inputs, and the innermost function that the effect arises in."""

    effect: str
    body: str
    poc: str
    control: str
    place: str
    expect: str = ""
    head: str = ""
    kind: str = ""

    @property
    def harness(self) -> str:
        return harness(self.body, head=self.head, kind=self.kind)


def harness(body: str, *, head: str = "", kind: str = "") -> str:
    return (
        f"{head}\nconst lab = require('lab');\n"
        f"module.exports.fuzz = {kind}function (data) {{\n"
        f"  const text = data.toString();\n  {body}\n}};\n"
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    opened = Lab(tmp_path_factory.mktemp("lab"))
    yield opened
    opened.close()


FS = "const fs = require('fs');"
OUT = "../../tmp/evil"
PROOFS = {
    "thrown": Proof("exception", "lab.parse(text);", "null", "fine", "lab/index.js:read"),
    "by an instance": Proof(
        "exception", "new lab.Reader(text).read();", "null", "fine", "lab/index.js:read"
    ),
    "rejected": Proof(
        "exception", "await lab.parseLater(text);", "null", "fine", "lab/index.js:read", kind=_LATER
    ),
    "a text thrown": Proof("exception", "lab.throwText(text);", "bad", "fine", "lab:throwText"),
    "nobody waits for it": Proof(
        "exception", "lab.forget(text);", "null", "fine", "lab/index.js:read"
    ),
    "a bound function": Proof("exception", "lab.bound(text);", "null", "fine", "lab/index.js:read"),
    "in a dependency": Proof(
        "exception", "lab.helped(text);", "null", "fine", "lab/index.js:helped"
    ),
    "too deep": Proof("exception", "lab.deep(text);", "[" * 90_000, "[[", "lab/index.js:deep"),
    "thrown on": Proof(
        "exception",
        "try { lab.parse(text); } catch (e) { if (e instanceof SyntaxError) return; throw e; }",
        "null", "fine", "lab/index.js:read",
    ),
    "passed on": Proof(
        "exception",
        "return new Promise((yes, no) => { lab.parseLater(text).then(yes, no); });",
        "null", "fine", "lab/index.js:read",
    ),
    "written": Proof(
        "write-outside", "fs.mkdirSync('out'); lab.save(text);", OUT, "good",
        "lab/index.js:save", head=FS,
    ),
    "written by another thread": Proof(
        "write-outside", "fs.mkdirSync('out'); await lab.saveAwaited(text);", OUT, "good",
        "lab/index.js:saveAwaited", head=FS, kind=_LATER,
    ),
    "written by a stream": Proof(
        "write-outside", "fs.mkdirSync('out'); await lab.savePiped(text);", OUT, "good",
        "lab/index.js:savePiped", head=FS, kind=_LATER,
    ),
    "read": Proof(
        "read-outside", "fs.writeFileSync('ok', 'x'); lab.show(text);", "/canary/token", "ok",
        "lab/index.js:show", head=FS,
    ),
    "started": Proof("execute", "lab.run(text);", "true", "nothing", "lab/index.js:run"),
    "started later": Proof(
        "execute", "await lab.runLater(text);", "true", "nothing", "lab/index.js:start", kind=_LATER
    ),
    "code from the input": Proof(
        "execute", "lab.evaluate(text);", "require('child_process').spawnSync('true')", "1 + 1",
        "lab/index.js:evaluate",
    ),
    "code that the target hands out": Proof(
        "execute", "const compiled = lab.template(text); compiled(1);",
        "process.mainModule.require('child_process').spawnSync('true')", "given + 1",
        "eval in lab/index.js:(anonymous)",
    ),
    "code that the target hands out, and that does not end": Proof(
        "hang", "const compiled = lab.template(text); compiled(1);",
        "(() => { for (;;) given++; })()", "given + 1",
        "eval in lab/index.js:(anonymous)", "cpu_seconds = 0.4",
    ),
    "connected": Proof(
        "connect", "await lab.fetch(text);", "192.0.2.7", "nowhere", "lab/index.js:(anonymous)",
        kind=_LATER,
    ),
    "looked up": Proof(
        "connect", "await lab.fetch(text);", "example.org", "nowhere", "lab/index.js:(anonymous)",
        kind=_LATER,
    ),
    "a regular expression": Proof(
        "hang", "lab.match(text);", "a" * 60 + "b", "aaa", "lab/index.js:match", "cpu_seconds = 0.4"
    ),
    "a regular expression that the harness has from it": Proof(
        "hang", "text.replace(lab.pattern(), '');", "a" * 60 + "b", "aaa",
        "lab.pattern():RegExp", "cpu_seconds = 0.4",
    ),
    "a regular expression among its exports": Proof(
        "hang", "lab.patterns.letters.test(text);", "a" * 60 + "b", "aaa", "lab:RegExp",
        "cpu_seconds = 0.4",
    ),
    "a loop": Proof(
        "hang", "lab.spin(text);", "spin", "fine", "lab/index.js:spin", "cpu_seconds = 0.4"
    ),
    "memory": Proof(
        "memory", "lab.grow(text);", "grow", "fine", "lab/index.js:grow", "rss_mb = 128"
    ),
    "prototypes": Proof(
        "bypass",
        "lab.merge({}, JSON.parse(text)); "
        "if (({}).polluted) throw new SecurityGuaranteeBroken('merge changes all objects');",
        '{"__proto__": {"polluted": 1}}', '{"a": {"polluted": 1}}', ":lab.merge",
    ),
    "an answer": Proof(
        "bypass",
        "if (lab.clean(text).includes('<b>')) throw new SecurityGuaranteeBroken('clean cleans');",
        "<b><b>x", "<b>x", ":lab.clean",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROOFS)
def test_what_the_target_does_is_laid_at_its_door(name: str, lab: Lab) -> None:
    proof = PROOFS[name]
    tried = lab.try_out(proof.effect, proof.harness, proof.poc, proof.control, expect=proof.expect)
    assert tried.grade == "attributed", str(tried)
    assert tried.places[0] == proof.place


CALL = "process.mainModule.require('child_process').spawnSync('true')"
BURN = "let n = text.length * 20_000_000 - 19_999_999; while (n-- > 0) {}"
CHEATS = {
    "replaces the target's function": Proof(
        "exception", "lab.settings.strict = text; lab.parse(text);", "null", "fine",
        "changes what it did not make",
    ),
    "replaces what instances inherit": Proof(
        "exception",
        "Object.getPrototypeOf(new lab.Reader('')).at = text; lab.parse(text);", "null", "fine",
        "changes what it did not make",
    ),
    "replaces what is built in": Proof(
        "exception", "Object.assign(Object.getPrototypeOf([]), { x: text }); lab.parse(text);",
        "null", "fine", "changes what it did not make",
    ),
    "writes by itself": Proof(
        "write-outside", "lab.parse(text); fs.writeFileSync(text, 'x');", "/tmp/evil", "good",
        "outside the working folder", head=FS,
    ),
    "has a timer write": Proof(
        "write-outside",
        "lab.parse(text); setTimeout(fs.writeFileSync, 1, text, 'x'); "
        "return new Promise((done) => setTimeout(done, 20));",
        "/tmp/evil", "good", "acts on more than the working folder", head=FS,
    ),
    "starts a program by itself": Proof(
        "execute", "lab.parse(text); spawnSync(text);", "/bin/true", "/nothing",
        "starts processes", head="const { spawnSync } = require('child_process');",
    ),
    "makes code of a text": Proof(
        "execute", "const F = lab.parse['constr' + 'uctor']; F('return ' + text)();", CALL, "1",
        "reaches what runs or changes anything",
    ),
    "reaches the global object": Proof(
        "execute",
        "const all = top(); all['pro' + 'cess'][`main${'M'}odule`].require('child_' + 'process')"
        ".spawnSync(text);",
        "/bin/true", "/nothing", "reaches the global object",
        head="function top() { return this; }",
    ),
    "has the target call what is built in": Proof(
        "exception", "const { parse } = JSON; lab.each([text], parse);", "{", "1",
        "hands parse, which is not its own",
    ),
    "hands a module over": Proof(
        "write-outside", "lab.invoke(fs, 'writeFileSync', text, 'x');", "/tmp/evil", "good",
        "may only be called by the name", head=FS,
    ),
    "knows the input": Proof(
        "write-outside",
        "fs.mkdirSync('out'); lab.save([text, '../..' + '/tm' + 'p/e'][+data.equals(bad)]);",
        "bad", "good", "goes its own way", head=f"{FS} const bad = Buffer.from('bad');",
    ),
    "calls another function for it": Proof(
        "write-outside", "fs.mkdirSync('out'); [lab.clean, lab.save][data[0] & 1](text);",
        "a" + "/.." * 4 + "/tmp/evil", "bgood", "goes its own way", head=FS,
    ),
    "spells it out": Proof(
        "write-outside", "fs.mkdirSync('out'); lab.save('../../tmp/evil'.slice(0, data.length));",
        "x" * 20, "x", "stands in the harness", head=FS,
    ),
    "brings the regular expression": Proof(
        "hang", "lab.matches(text, new RegExp('^(a+)' + '+$'));", "a" * 60 + "b", "aaa",
        "hands a regular expression of its own", "cpu_seconds = 0.4",
    ),
    "executes a regular expression of its own": Proof(
        "hang", "lab.pattern(); /^(a+)+$/.test(text);", "a" * 60 + "b", "aaa",
        "the harness does it itself", "cpu_seconds = 0.4",
    ),
    "loops while a regular expression of the target's calls back": Proof(
        "hang", "text.replace(lab.shapes.words, () => { let n = 0; while (text === 'bad') n++; });",
        "bad", "good", "the harness does it itself", "cpu_seconds = 0.4",
    ),
    "loops while a regular expression asks for the text": Proof(
        "hang", "lab.pattern().test({ toString() { let n = 0; while (text === 'bad') n++; } });",
        "bad", "good", "the harness does it itself", "cpu_seconds = 0.4",
    ),
    "loops after a regular expression of the target's": Proof(
        "hang", "lab.pattern().test('aaa'); let n = 0; while (text === 'bad') n++;",
        "bad", "good", "the harness does it itself", "cpu_seconds = 0.4",
    ),
    "works while a regular expression of the target's asks where to begin": Proof(
        "hang", f"const p = lab.pattern(); p.lastIndex = {{ valueOf() {{ {BURN} }} }}; "
        "p.test('aaa');", "aaaa", "a", "the harness does it itself", "cpu_seconds = 0.4",
    ),
    "matches in place of a regular expression of the target's": Proof(
        "hang", f"const p = lab.pattern(); p.exec = () => {{ {BURN} return null; }}; "
        "p.test('aaa');", "aaaa", "a", "the harness does it itself", "cpu_seconds = 0.4",
    ),
    "works while a bound function of the target's asks": Proof(
        "hang", f"lab.bound({{ get length() {{ {BURN} return 0; }} }});", "aaaa", "a",
        "the harness does it itself", "cpu_seconds = 0.4",
    ),
    "answers in place of a regular expression of the target's": Proof(
        "bypass", "const p = lab.pattern(); p.exec = () => [null, []][data.length - 1]; "
        "if (p.test('aaa')) throw new SecurityGuaranteeBroken('it matches');", "aa", "a",
        "even when the target answers as on the control",
    ),
    "has the target give back its own regular expression": Proof(
        "bypass", "const p = lab.each([/^aa$/], (one) => one)[0]; "
        "if (p.test(text)) throw new SecurityGuaranteeBroken('it matches');", "aa", "a",
        "even when the target answers as on the control",
    ),
    "brings a regular expression of its own kind": Proof(
        "hang", "lab.matches(text, new Own('^(a+)+$'));", "a" * 60 + "b", "aaa",
        "hands a regular expression of its own", "cpu_seconds = 0.4",
        head="class Own extends RegExp {}",
    ),
    "brings a copy of a regular expression": Proof(
        "hang", "lab.matches(text, structuredClone([/^(a+)+$/])[0]);", "a" * 60 + "b", "aaa",
        "hands a regular expression of its own", "cpu_seconds = 0.4",
    ),
    "has a promise make a regular expression": Proof(
        "hang", "lab.matches(text, await Promise.resolve('^(a+)+$').then(RegExp));",
        "a" * 60 + "b", "aaa", "out of sight", "cpu_seconds = 0.4", kind=_LATER,
    ),
    "loops in a callback": Proof(
        "hang", "lab.each([text], (one) => { let n = 0; while (one === 'bad') n++; });",
        "bad", "good", "the harness does it itself", "cpu_seconds = 0.4",
    ),
    "complains about the input": Proof(
        "bypass", "lab.clean(text); if (text === 'bad') throw new SecurityGuaranteeBroken('no');",
        "bad", "good", "even when the target answers as on the control",
    ),
    "hands an object that holds what is built in": Proof(
        "exception", "lab.invoke(new Holder(), 'read', text);", "{", "1",
        "hands parse, which is not its own", head="class Holder { read = JSON.parse; }",
    ),
    "has a getter give out what is built in": Proof(
        "exception", "lab.invoke({ get read() { return JSON.parse; } }, 'read', text);", "{", "1",
        "hands parse, which is not its own",
    ),
    "hands a function of another package": Proof(
        "exception", "const { dive } = require('helper'); lab.each([text], dive);",
        "null", "fine", "which is not its own",
    ),
    "listens with what is built in": Proof(
        "exception", "const e = new Emitter(); e.on('x', JSON.parse); lab.invoke(e, 'emit', 'x', "
        "text);", "{", "1", "hands parse, which is not its own",
        head="const Emitter = require('events');",
    ),
    "keeps what is built in where an emitter keeps its listeners": Proof(
        "exception", "const e = new Emitter(); Object.assign(e, { _events: { x: JSON.parse } }); "
        "lab.invoke(e, 'emit', 'x', text);", "{", "1", "hands parse, which is not its own",
        head="const Emitter = require('events');",
    ),
    "is born with listeners that are built in": Proof(
        "exception", "lab.invoke(new Own(), 'emit', 'x', text);", "{", "1",
        "hands parse, which is not its own",
        head="const Emitter = require('events');\n"
        "class Own extends Emitter { _events = { x: JSON.parse }; }",
    ),
    "chooses what is built in by the input": Proof(
        "exception", "const o = {}; [Object, Object.freeze][data[0] & 1](o); "
        "lab.merge(o, { a: 1 });", "c", "b", "goes its own way",
    ),
    "changes a list of the target's": Proof(
        "exception", "lab.shapes.list.push(JSON.parse(text)); "
        "lab.each(lab.shapes.list, (one) => one.length);",
        "null", "1", "changes what it did not make",
    ),
    "compiles a regular expression of the target's anew": Proof(
        "hang", "lab.shapes.words.compile('^(a+)+' + '$'); lab.word(text);", "a" * 60 + "b", "aaa",
        "changes a regular expression", "cpu_seconds = 0.4",
    ),
    "puts a regular expression into an instance": Proof(
        "hang", "const r = new lab.Reader(text); r.text = /^(a+)+$/; lab.invoke(r.text, 'test', "
        "text);", "a" * 60 + "b", "aaa", "hands a regular expression of its own",
        "cpu_seconds = 0.4",
    ),
    "has other threads take the memory": Proof(
        "memory", "const N = 2 << (text.length >> 2); "
        "scrypt('a', 'b', 64, { N, r: 8, p: 1, maxmem: 2 ** 31 }, () => {}); lab.sleep('sleep');",
        "a" * 72, "a", "has other threads work", "rss_mb = 128",
        head="const { scrypt } = require('crypto');",
    ),
    "burns in a callback that V8 could inline": Proof(
        "hang", "lab.loop((text.length - 1) * 20_000_000 + 2000, "
        "(i) => ((i * 31) ^ (i >>> 3)) & 7);",
        "a" * 60, "a", "the harness does it itself", "cpu_seconds = 0.6",
    ),
    "asks for the version": Proof(
        "exception", "const file = '/target/node_modules/lab/' + 'package.json'; "
        "lab.parse(fs.readFileSync(file, 'utf8').includes('1.0.0') ? text : 'fine');",
        "null", "fine", "outside the working folder", head=FS,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_found_out(name: str, lab: Lab) -> None:
    cheat = CHEATS[name]
    tried = lab.try_out(cheat.effect, cheat.harness, cheat.poc, cheat.control, expect=cheat.expect)
    assert tried.grade in ("claimed", "reproduced"), str(tried)
    assert cheat.place in str(tried)


RAISED = {
    "thrown": "for (const e of lab.check(text)) throw e;",
    "rejected": "return Promise.reject(lab.check(text)[0] ?? 'fine');",
    "by a resolver": "return new Promise((yes, no) => { lab.check(text).forEach(no); yes(); });",
    "emitted": "for (const e of lab.check(text)) new Emitter().emit('error', e);",
    "by a generator": "function* g() { yield; } for (const e of lab.check(text)) g().throw(e);",
    "aborted": "const c = new AbortController(); for (const e of lab.check(text)) c.abort(e); "
    "c.signal.throwIfAborted();",
    "by way of the target": "lab.each(lab.check(text), (e) => { throw e; });",
    "by a promise that the target waits for": "const list = lab.check(text); "
    "return lab.wait(new Promise((yes, no) => { list.forEach(no); yes(); }));",
    "by a promise that a callback gives later": "const list = lab.check(text); "
    "return lab.later(0, () => new Promise((yes, no) => { list.forEach(no); yes(); }));",
    "in its own text": "lab.parse('x'); const e = new RangeError(text); "
    "e.stack = 'RangeError\\n    at parse (/target/node_modules/lab/index.js:1:1)'; "
    "if (text === 'null') throw e;",
}


@pytest.mark.parametrize("name", RAISED)
def test_an_error_that_the_harness_raises_is_no_exception_of_the_target(
    name: str, lab: Lab
) -> None:
    code = harness(RAISED[name], head="const Emitter = require('events');")
    tried = lab.try_out("exception", code, "null", expect='type = "RangeError"')
    assert tried.grade == "claimed", str(tried)
    assert "the harness itself raises RangeError" in tried.judgement.reason


def test_waiting_is_no_hang(lab: Lab) -> None:
    tried = lab.try_out(
        "hang", harness("lab.sleep(text);"), "sleep", "fine", expect="cpu_seconds = 0.4"
    )
    assert tried.poc.wall_s > 1
    assert tried.grade == "claimed", str(tried)


def test_harness_and_target_may_be_es_modules(lab: Lab) -> None:
    code = (
        "import { parse } from 'lab/module.mjs';\n"
        "export function fuzz(data) {\n  parse(data.toString());\n}\n"
    )
    tried = lab.try_out("exception", code, "null", file="harness.mjs")
    assert tried.grade == "attributed", str(tried)
    assert tried.places == ["lab/module.mjs:read", "lab/module.mjs:parse"]
    assert [call.callee for call in tried.control.calls] == ["lab.parse"]


def test_the_record_names_calls_arguments_answers_and_lines(lab: Lab) -> None:
    code = harness(
        "const r = new lab.Reader(text);\n  if (r.read() > 3) lab.each([1, 2], (n) => n * 2);"
    )
    run = lab.try_out("exception", code, "null", "four").control
    seen = [(c.line, c.callee, c.count, c.types, c.returned) for c in run.calls]
    assert seen == [
        (5, "lab.Reader", 1, (("string",),), ("<Reader>",)),
        (6, "lab.read", 1, ((),), (4,)),
        (6, "lab.each", 1, (("Array", "function"),), ([2, 4],)),
    ]
    assert {run.mark_lines[m] for m in run.marks} >= {2, 3, 4, 5, 6}


def test_what_does_not_load_is_told(lab: Lab) -> None:
    missing = lab.try_out("exception", "require('not-there');", "null").poc
    assert missing.missing == "not-there"
    assert not missing.ran
    wrong = lab.try_out("exception", "module.exports.fuzz = (data => 1;", "null").poc
    assert "SyntaxError" in wrong.why
    nothing = lab.try_out("exception", "exports.other = () => 1;", "null").poc
    assert "defines no module.exports.fuzz" in nothing.why


def test_a_target_that_ends_the_process_or_breaks_the_language_harms_nobody_else(lab: Lab) -> None:
    ends = lab.try_out("execute", harness("lab.evaluate(text);"), "process.exit(3)", "1").poc
    assert "exit code 3" in ends.why
    breaks = "Array.prototype.push = null; Object.prototype.toJSON = () => 1; String = null"
    assert lab.try_out("execute", harness("lab.evaluate(text);"), breaks, "1").grade == "claimed"
    after = lab.try_out("exception", harness("lab.parse(text);"), "null")
    assert after.grade == "attributed", str(after)
