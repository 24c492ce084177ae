'use strict';
// The functions that an instrumented harness calls, and what they noted: the way that it took, what
// it called of the target, what came back, and who raised what.

const { apply, construct } = Reflect;
const fs = require('fs');
const { Guards } = require('./guards_javascript.cjs');
const { Patterns } = require('./patterns_javascript.cjs');
const {
  isHolder, isObject, isThenable, kindOf, nameOf, plain,
} = require('./values_javascript.cjs');

const HEAD = 16; // bytes: calls of the target so far, line of the last one, whether in native code
const MARKS = 4080; // of one byte each, behind these
const DYNAMIC = 2560; // marks from here on stand for what was called, or how a comparison came out
const CALLS = 256;
const ANSWERS = 256;
const KINDS = 8;
const RETURNED = 8;
const TEXTS = 64;
const COMPARING = new Set(['compare', 'indexOf', 'lastIndexOf', 'localeCompare', 'search']);
const { call: CALL, apply: APPLY, bind: BIND } = Function.prototype;
const { then: THEN, constructor: PROMISE } = Promise.prototype;
const REJECT = Promise.reject;

class Observer {
  constructor({ origins, send, marksFile, effect }) {
    this.origins = origins;
    this.guards = new Guards({ origins, send, effect });
    const exported = () => this.guards.targets();
    this.patterns = new Patterns(exported, origins.folders[0]?.[0] ?? '', this.guards.patterns);
    this.looksAtPatterns = effect !== 'memory'; // matching takes time; memory is for the results
    this.send = send;
    this.checksDepth = effect === 'exception';
    this.marksFile = marksFile;
    this.write = fs.writeSync;
    this.marks = new Uint8Array(MARKS);
    this.dynamicLines = []; // of the marks that were given out while running: [mark, line]
    this.head = Buffer.alloc(HEAD);
    this.one = Buffer.from([1]);
    this.count = 0;
    this.calls = new Map();
    this.answers = new Map();
    this.given = new Map();
    this.guards.promise = (line, value) => this.ownReason(line, value);
    this.result = undefined; // the promise that the entry point returned, if it did
    this.inTarget = 0; // calls of the target that are going on
    this.forget();
  }

  forget() {
    this.raised = new WeakSet(); // what the harness raised
    this.raisedTexts = new Set(); // likewise, what is no object
    this.made = new WeakSet(); // promises that the harness made, or had made for it
    this.escapes = []; // what came out of a call of the target: [value, which]
    this.promised = new Map(); // promises that calls of the target returned, to which
  }

  /** What the instrumented code is compiled with, by name (instrument_javascript.cjs). */
  names(load) {
    const { guards } = this;
    return {
      __clearhouse_m: (number) => this.mark(number),
      __clearhouse_t: (number, value) => {
        this.mark(value ? number : number + 1);
        return value;
      },
      __clearhouse_r: (value) => this.noteRaised(value),
      __clearhouse_p: (number, value) => {
        if (!this.cameOut(value)) this.mark(number);
        return this.noteRaised(value);
      },
      __clearhouse_w: (value) => this.waited(value),
      __clearhouse_c: (line, object, key, optional) => this.method(line, object, key, optional),
      __clearhouse_f: (line, fn, name, optional) => this.plainCall(line, fn, name, optional),
      __clearhouse_n: (line, fn, name) => this.constructed(line, fn, name),
      __clearhouse_o: (line, object) => guards.own(line, object),
      __clearhouse_g: (line, object, key, optional) => {
        if (optional && (object === null || object === undefined)) return undefined;
        return guards.power(line, object[key]);
      },
      __clearhouse_k: (line, key) => guards.key(line, key),
      __clearhouse_s: (self) => guards.self(self),
      __clearhouse_x: (pattern) => guards.pattern(pattern),
      __clearhouse_v: (line, value) => {
        guards.handed(line, value);
        return value;
      },
      __clearhouse_b: (line, value) => this.givenBack(line, value),
      __clearhouse_i: load,
    };
  }

  // -- marks -------------------------------------------------------------------------------------

  mark(number) {
    if (this.marks[number] !== 0) return;
    this.marks[number] = 1;
    this.write(this.marksFile, this.one, 0, 1, HEAD + number);
  }

  /** A mark for something that only shows while running; the same in every run. */
  dynamic(line, text) {
    let hash = 2166136261; // FNV-1a
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
    hash = Math.imul(hash ^ line, 16777619) >>> 0;
    const number = DYNAMIC + (hash % (MARKS - DYNAMIC));
    if (this.marks[number] === 0) this.dynamicLines.push([number, line]);
    this.mark(number);
  }

  marksHex() {
    let end = MARKS;
    while (end > 0 && this.marks[end - 1] === 0) end -= 1;
    return Buffer.from(this.marks.subarray(0, end)).toString('hex');
  }

  // -- calls -------------------------------------------------------------------------------------

  method(line, object, key, optional) {
    const { guards } = this;
    if (optional && (object === null || object === undefined)) return () => undefined;
    const fn = guards.power(line, object[key]);
    if (optional && (fn === null || fn === undefined)) return () => undefined;
    if (typeof fn !== 'function') return (...args) => object[key](...args); // V8 words the error
    if (typeof object === 'function') {
      if (fn === CALL) return (self, ...args) => this.run(line, object, nameOf(object), self, args);
      if (fn === APPLY) {
        return (self, args) => this.run(line, object, nameOf(object), self, [...(args ?? [])]);
      }
      if (fn === BIND) guards.binds(line, object);
    }
    return (...args) => this.run(line, fn, String(key), object, args);
  }

  plainCall(line, fn, name, optional) {
    if (optional && (fn === null || fn === undefined)) return () => undefined;
    if (typeof fn !== 'function') return fn;
    return (...args) => this.run(line, fn, name, undefined, args);
  }

  constructed(line, fn, name) {
    if (typeof fn !== 'function') return fn;
    const observer = this;
    return function (...args) {
      return observer.run(line, fn, name, undefined, args, construct);
    };
  }

  run(line, fn, written, self, args, how = apply) {
    const kind = this.origins.of(fn);
    if (kind === 'target') return this.ofTarget(line, fn, written, self, args, how);
    if (kind !== 'harness') this.before(line, fn, self, args);
    const pattern = this.looksAtPatterns ? this.patterns.executed(fn, self, args) : undefined;
    if (pattern !== undefined) return this.ofTarget(line, fn, 'RegExp', self, args, how, pattern);
    const result = how === construct ? construct(fn, args) : apply(fn, self, args);
    if (isThenable(result)) this.made.add(result);
    if (kind === 'harness') return how === construct ? this.guards.pattern(result) : result;
    this.after(line, written, result);
    if (how === construct && result instanceof PROMISE) {
      apply(THEN, result, [undefined, (reason) => void this.noteRaised(reason)]);
    }
    return this.guards.power(line, result);
  }

  /** A call of Node.js, of JavaScript itself or of another package than the target. */
  before(line, fn, self, args) {
    for (const one of [self, ...args]) {
      if (Array.isArray(one)) one.slice(0, ANSWERS).forEach((each) => this.waited(each));
      else this.waited(one);
    }
    this.dynamic(line, `by ${nameOf(fn)}`);
    this.guards.called(line, fn, self, args);
    const settles = fn === REJECT || (nameOf(fn) === '' && args.length === 1);
    for (const one of args) if (isObject(one) || settles) this.noteRaised(one);
  }

  after(line, written, result) {
    if (typeof result === 'boolean') this.dynamic(line, `is ${result}`);
    if (typeof result === 'number' && COMPARING.has(written)) {
      this.dynamic(line, `sign ${Math.sign(result)}`);
    }
    this.guards.pattern(result);
  }

  ofTarget(line, fn, written, self, args, how, origin = this.origins.look(fn)) {
    const { file, name: owner } = origin;
    const native = file === 'native';
    const name = written === '' || written === 'default' ? nameOf(fn) || 'default' : written;
    const callee = `${owner}.${name}`;
    for (const one of args) this.guards.handed(line, one);
    if (this.checksDepth) this.guards.depth(line, this.inTarget === 0);
    this.dynamic(line, this.origins.place(fn));
    const entry = this.entered(line, callee, args, native);
    const which = { site: line, callee, native, marks: this.marksHex() };
    let result;
    this.inTarget += 1;
    try {
      result = this.answer(callee, fn, self, args, how);
    } catch (error) {
      which.marks = this.marksHex();
      this.escaped(error, which);
      throw error;
    } finally {
      this.inTarget -= 1;
      if (native) this.writeHead(line, false);
    }
    this.patterns.returned(callee, result);
    if (entry !== undefined && entry.returned.length < RETURNED) entry.returned.push(plain(result));
    if (isThenable(result) && this.promised.size < CALLS) this.promised.set(result, which);
    return this.guards.power(line, result);
  }

  /** Count a call of the target, and note what it is given. */
  entered(line, callee, args, native) {
    this.count += 1;
    this.writeHead(line, native);
    const key = `${line} ${callee}`;
    let entry = this.calls.get(key);
    if (entry === undefined) {
      if (this.calls.size >= CALLS) return undefined;
      entry = { line, callee, count: 0, native, types: [], first: this.count, returned: [] };
      this.calls.set(key, entry);
    }
    entry.count += 1;
    const kinds = args.map(kindOf);
    const same = (other) => other.length === kinds.length && other.every((k, i) => k === kinds[i]);
    if (entry.types.length < KINDS && !entry.types.some(same)) entry.types.push(kinds);
    if (native && entry.count === 1) this.send({ called: entry }); // it may never end
    return entry;
  }

  writeHead(line, isInNative) {
    this.head.writeBigUInt64LE(BigInt(this.count), 0);
    this.head.writeUInt32LE(line, 8);
    this.head.writeUInt32LE(isInNative ? 1 : 0, 12);
    this.write(this.marksFile, this.head, 0, HEAD, 0);
  }

  /** What a call of the target returns: its own result, or the one it gave the first time. */
  answer(callee, fn, self, args, how) {
    const given = this.given.get(callee);
    if (given !== undefined && given.length > 0) return given.shift();
    const result = how === construct ? construct(fn, args) : apply(fn, self, args);
    const kept = this.answers.get(callee) ?? [];
    if (kept.length < ANSWERS) kept.push(result);
    this.answers.set(callee, kept);
    return result;
  }

  /** Forget what the harness called while it was loaded. */
  firstTime() {
    this.answers.clear();
  }

  /** Forget the way of the input before; from now on answer as it was answered, or for real. */
  secondTime(answersAsFirst) {
    this.marks.fill(0);
    this.write(this.marksFile, Buffer.alloc(MARKS), 0, MARKS, HEAD);
    this.calls.clear();
    this.forget();
    this.given = answersAsFirst ? this.answers : new Map();
    this.answers = new Map();
  }

  // -- who raised what ---------------------------------------------------------------------------

  /** Something that the harness raises; what came out of the target before, it only passes on. */
  noteRaised(value) {
    if (this.cameOut(value)) return value;
    if (isHolder(value)) this.raised.add(value);
    else if (this.raisedTexts.size < TEXTS) this.raisedTexts.add(value);
    return value;
  }

  /** What a function of the harness returns or yields, which the target may have called. */
  givenBack(line, value) {
    if (this.inTarget > 0 || typeof value === 'function') this.guards.handed(line, value);
    else if (value instanceof PROMISE && this.made.has(value)) this.ownReason(line, value);
    return value;
  }

  /** The target is given a promise: unless it comes from the target, its reason is the harness's. */
  ownReason(line, promise) {
    if (this.promised.has(promise)) return;
    const note = (reason) => {
      if (promise === this.result || this.cameOut(reason)) return;
      this.dynamic(line, 'a promise fails');
      this.noteRaised(reason);
    };
    apply(THEN, promise, [undefined, note]);
  }

  cameOut(value) {
    return this.escapes.some(([escaped]) => escaped === value);
  }

  escaped(error, which) {
    if (this.escapes.length >= CALLS || this.escapes.some(([value]) => value === error)) return;
    this.escapes.push([error, which]);
  }

  /** What waits for a promise of the target is about to: its reason comes out of that call. */
  waited(value) {
    const which = isObject(value) ? this.promised.get(value) : undefined;
    if (which !== undefined) {
      apply(THEN, value, [undefined, (reason) => {
        which.marks = this.marksHex();
        this.escaped(reason, which);
      }]);
    }
    return value;
  }

  /** Which call of the target a value came out of, thrown or as a promise's reason; or null. */
  async escapeOf(error) {
    for (const promise of this.promised.keys()) this.waited(promise);
    await new Promise((done) => setImmediate(done));
    return this.escapes.find(([value]) => value === error)?.[1] ?? null;
  }

  /** Whether a value that nobody caught is the harness's doing; `escape` as of `escapeOf`. */
  isOwnDoing(value, escape, promise) {
    if (isHolder(value) ? this.raised.has(value) : this.raisedTexts.has(value)) return true;
    return escape === null && promise !== undefined && this.made.has(promise);
  }
}

module.exports = { Observer };
