'use strict';
// The functions that an instrumented harness calls, and what they noted.
//
// Reports acts of which only a cheat has need at the moment they happen: the report is written
// before the deed, under a key that the harness does not hold.

const { apply, construct } = Reflect;
const { getOwnPropertyDescriptor, getPrototypeOf, keys: namesOf } = Object;
const fs = require('fs');
const path = require('path');
const stacks = require('./stacks_javascript.cjs');

const MARKS = 4080; // of one byte each, behind the count of calls and the line of the last one
const DYNAMIC = 2560; // marks from here on stand for what was called, or how a comparison came out
const CALLS = 256;
const ANSWERS = 256;
const KINDS = 8;
const RETURNED = 8;
const OWN_DEPTH = 48; // frames of the harness itself under a call of the target
const WORK = '/work';
const COMPARING = new Set(['compare', 'indexOf', 'lastIndexOf', 'localeCompare', 'search']);
const KEYS = new Set(['__proto__', 'constructor', 'prototype']);
const TWO_PATHS = new Set(['copyFile', 'cp', 'link', 'rename', 'symlink']);
const HARMLESS = new Set([
  String, Number, Boolean, Symbol, Promise, Date, Map, Set, Error, TypeError, RangeError,
  SyntaxError, require('events'),
]);
const MUTATORS = new Set([
  Object.assign, Object.defineProperty, Object.defineProperties, Object.setPrototypeOf,
  Object.freeze, Object.seal, Object.preventExtensions, Object.prototype.__defineGetter__,
  Object.prototype.__defineSetter__, Reflect.set, Reflect.defineProperty, Reflect.deleteProperty,
  Reflect.setPrototypeOf,
]);
const { call: CALL, apply: APPLY, bind: BIND, toString: FUNCTION_TEXT } = Function.prototype;
const POWERS = new Set([
  Function, (async () => {}).constructor, (function* () {}).constructor,
  (async function* () {}).constructor, eval, globalThis, process, Reflect, Proxy,
  process.binding, process.dlopen, process.kill, process.exit, process.reallyExit,
]);
const isPlain = (value) => {
  const above = getPrototypeOf(value);
  return above === Object.prototype || above === null || Array.isArray(value);
};
const isObject = (value) => typeof value === 'object' && value !== null;

/** Functions of `fs` and how many of their first arguments are paths. */
function fileFunctions() {
  const found = new Map();
  for (const holder of [fs, fs.promises]) {
    for (const name of namesOf(holder)) {
      const value = getOwnPropertyDescriptor(holder, name).value;
      if (typeof value !== 'function' || /^(_|[A-Z])/.test(name)) continue;
      found.set(value, TWO_PATHS.has(name.replace(/Sync$/, '')) ? 2 : 1);
    }
  }
  return found;
}

class Observer {
  constructor({ origins, send, marksFile, effect }) {
    this.origins = origins;
    this.effect = effect;
    this.send = send;
    this.marksFile = marksFile;
    this.write = fs.writeSync;
    this.files = fileFunctions();
    this.marks = new Uint8Array(MARKS);
    this.dynamicLines = [];
    this.head = Buffer.alloc(16);
    this.one = Buffer.from([1]);
    this.count = 0;
    this.calls = new Map();
    this.raised = new WeakSet();
    this.raisedTexts = new Set();
    this.passed = new Set(); // what left functions of the harness
    this.made = new WeakSet(); // promises that the harness made, or had made for it
    this.escapes = []; // what came out of a call of the target: [value, which]
    this.promised = []; // promises that calls of the target returned
    this.answers = new Map();
    this.given = new Map();
    this.patterns = new WeakSet(); // regular expressions of the harness's own
    this.told = new Set();
    this.sacredAt = -1;
    this.sacredOnes = null;
  }

  /** What the instrumented code is compiled with, by name. */
  names(load) {
    return {
      __clearhouse_m: (number) => this.mark(number),
      __clearhouse_t: (number, value) => {
        this.mark(value ? number : number + 1);
        return value;
      },
      __clearhouse_r: (value) => {
        this.noteRaised(value);
        return value;
      },
      __clearhouse_a: (value) => {
        if (this.passed.size < CALLS) this.passed.add(value);
        return value;
      },
      __clearhouse_c: (line, object, key, optional) => this.method(line, object, key, optional),
      __clearhouse_f: (line, fn, name, optional) => this.plainCall(line, fn, name, optional),
      __clearhouse_n: (line, fn, name) => this.constructor_(line, fn, name),
      __clearhouse_o: (line, object) => this.own(line, object),
      __clearhouse_g: (line, object, key, optional) => {
        if (optional && (object === null || object === undefined)) return undefined;
        return this.power(line, object[key]);
      },
      __clearhouse_k: (line, key) => {
        if (typeof key !== 'symbol' && KEYS.has(String(key))) this.tamper(line, `sets ${key}`);
        return key;
      },
      __clearhouse_s: (self) => {
        if (self === globalThis) this.tamper(0, 'reaches the global object');
        return self;
      },
      __clearhouse_x: (pattern) => {
        this.patterns.add(pattern);
        return pattern;
      },
      __clearhouse_i: load,
    };
  }

  // -- marks ---------------------------------------------------------------------------------------

  mark(number) {
    if (this.marks[number] !== 0) return;
    this.marks[number] = 1;
    this.write(this.marksFile, this.one, 0, 1, 16 + number);
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
    return Buffer.from(this.marks).toString('hex').replace(/(00)+$/, '');
  }

  tamper(line, what) {
    if (this.told.has(what)) return;
    this.told.add(what);
    this.send({ tamper: what, line });
  }

  noteRaised(value) {
    if (isObject(value) || typeof value === 'function') this.raised.add(value);
    else if (this.raisedTexts.size < 64) this.raisedTexts.add(value);
  }

  /** Whether a value that nobody caught is the harness's doing; `escape`: the target's call. */
  isOwnDoing(value, escape, promise) {
    const held = isObject(value) || typeof value === 'function';
    if (held ? this.raised.has(value) : this.raisedTexts.has(value)) return true;
    if (escape !== null) return false;
    return this.passed.has(value) || (promise !== undefined && this.made.has(promise));
  }

  // -- calls ---------------------------------------------------------------------------------------

  method(line, object, key, optional) {
    if (optional && (object === null || object === undefined)) return () => undefined;
    const fn = this.power(line, object[key]);
    if (optional && (fn === null || fn === undefined)) return () => undefined;
    if (typeof fn !== 'function') return this.notCallable(object, key);
    if (typeof object === 'function') {
      if (fn === CALL) return (self, ...args) => this.run(line, object, nameOf(object), self, args);
      if (fn === APPLY) {
        return (self, args) => this.run(line, object, nameOf(object), self, [...(args ?? [])]);
      }
      if (fn === BIND && this.origins.of(object) === 'builtin') {
        this.tamper(line, `binds ${nameOf(object)}, which is not its own`);
      }
    }
    return (...args) => this.run(line, fn, String(key), object, args);
  }

  notCallable(object, key) {
    return (...args) => object[key](...args); // V8 words the error
  }

  plainCall(line, fn, name, optional) {
    if (optional && (fn === null || fn === undefined)) return () => undefined;
    if (typeof fn !== 'function') return fn;
    return (...args) => this.run(line, fn, name, undefined, args);
  }

  constructor_(line, fn, name) {
    if (typeof fn !== 'function') return fn;
    const observer = this;
    return function (...args) {
      return observer.run(line, fn, name, undefined, args, true);
    };
  }

  run(line, fn, written, self, args, isNew = false) {
    const kind = this.origins.of(fn);
    if (kind === 'target') return this.ofTarget(line, fn, written, self, args, isNew);
    if (kind !== 'harness') this.beforeOther(line, fn, args);
    const result = isNew ? construct(fn, args) : apply(fn, self, args);
    if (isThenable(result)) this.made.add(result);
    if (kind === 'harness') return result;
    this.afterOther(line, fn, written, result);
    return this.power(line, result);
  }

  ofTarget(line, fn, written, self, args, isNew) {
    const owner = this.origins.packageOf(fn);
    const name = written === '' || written === 'default' ? nameOf(fn) || 'default' : written;
    const callee = `${owner}.${name}`;
    for (const one of args) this.handed(line, one, 3);
    if (this.effect === 'exception') this.checkDepth(line);
    this.dynamic(line, this.origins.place(fn));
    const entry = this.entered(line, callee, args);
    const native = this.origins.look(fn).file === 'native';
    const which = { site: line, callee, native, marks: '' };
    let result;
    try {
      result = this.answer(callee, fn, self, args, isNew);
    } catch (error) {
      if (this.escapes.length < CALLS && !this.escapes.some(([value]) => value === error)) {
        which.marks = this.marksHex();
        this.escapes.push([error, which]);
      }
      throw error;
    }
    if (entry !== undefined && entry.returned.length < RETURNED) entry.returned.push(plain(result));
    if (isThenable(result) && this.promised.length < CALLS) {
      which.marks = this.marksHex();
      this.promised.push([result, which]);
    }
    return this.power(line, result);
  }

  /** Count a call of the target, and note what it is given. */
  entered(line, callee, args) {
    this.count += 1;
    this.head.writeBigUInt64LE(BigInt(this.count), 0);
    this.head.writeBigUInt64LE(BigInt(line), 8);
    this.write(this.marksFile, this.head, 0, 16, 0);
    const key = `${line} ${callee}`;
    let entry = this.calls.get(key);
    if (entry === undefined) {
      if (this.calls.size >= CALLS) return undefined;
      entry = { line, callee, count: 0, native: false, types: [], first: this.count, returned: [] };
      this.calls.set(key, entry);
    }
    entry.count += 1;
    const kinds = args.map(kindOf);
    const same = (other) => other.length === kinds.length && other.every((k, i) => k === kinds[i]);
    if (entry.types.length < KINDS && !entry.types.some(same)) entry.types.push(kinds);
    return entry;
  }

  /** What a call of the target returns: its own result, or the one it gave the first time. */
  answer(callee, fn, self, args, isNew) {
    const given = this.given.get(callee);
    if (given !== undefined && given.length > 0) return given.shift();
    const result = isNew ? construct(fn, args) : apply(fn, self, args);
    const kept = this.answers.get(callee) ?? [];
    if (kept.length < ANSWERS) kept.push(result);
    this.answers.set(callee, kept);
    return result;
  }

  firstTime() {
    this.answers.clear();
  }

  /** Forget the way of the input before; from now on answer as it was answered, or for real. */
  secondTime(answersAsFirst) {
    this.marks.fill(0);
    this.write(this.marksFile, Buffer.alloc(MARKS), 0, MARKS, 16);
    this.calls.clear();
    this.raised = new WeakSet();
    this.raisedTexts.clear();
    this.passed.clear();
    this.escapes = [];
    this.promised = [];
    this.given = answersAsFirst ? this.answers : new Map();
    this.answers = new Map();
  }

  // -- guards --------------------------------------------------------------------------------------

  /** A value from which anything could be reached. */
  power(line, value) {
    if (POWERS.has(value)) this.tamper(line, 'reaches what runs or changes anything');
    return value;
  }

  beforeOther(line, fn, args) {
    const paths = this.files.get(fn);
    if (paths !== undefined) {
      for (const one of args.slice(0, paths)) this.checkPath(line, one);
    }
    if (MUTATORS.has(fn)) this.own(line, args[0]);
    if (fn === FUNCTION_TEXT) this.tamper(line, 'reads the text of a function');
    if (POWERS.has(fn)) this.tamper(line, 'runs what can change anything');
    const settles = fn === Promise.reject || (nameOf(fn) === '' && args.length === 1);
    for (const one of args) if (isObject(one) || settles) this.noteRaised(one);
  }

  afterOther(line, fn, written, result) {
    if (typeof result === 'boolean') this.dynamic(line, `is ${result}`);
    if (typeof result === 'number' && COMPARING.has(written)) {
      this.dynamic(line, `sign ${Math.sign(result)}`);
    }
    if (result instanceof RegExp) this.patterns.add(result);
  }

  /** Files that the harness opens by itself lie in the working folder. */
  checkPath(line, value) {
    const text = value instanceof URL ? decodeURIComponent(value.pathname) : value;
    if (typeof text !== 'string' && !Buffer.isBuffer(text)) {
      this.tamper(line, 'uses a descriptor that is not its own');
      return;
    }
    const real = path.resolve(String(text));
    if (real !== WORK && !real.startsWith(`${WORK}/`)) {
      this.tamper(line, `goes to ${real.slice(0, 100)}, outside the working folder`);
    }
  }

  /** What the harness writes to has to be its own, or an instance. */
  own(line, object) {
    if (typeof object === 'function') {
      if (this.origins.of(object) !== 'harness') this.tamper(line, 'changes a function');
    } else if (isObject(object)) {
      if (this.sacred().has(object)) this.tamper(line, 'changes what it did not make');
      const made = getOwnPropertyDescriptor(object, 'constructor')?.value;
      const above = typeof made === 'function' && getOwnPropertyDescriptor(made, 'prototype')?.value;
      if (above === object && this.origins.of(made) !== 'harness') {
        this.tamper(line, 'changes what instances inherit');
      }
    }
    return object;
  }

  sacred() {
    const count = this.origins.moduleCount();
    if (this.sacredAt !== count) {
      this.sacredAt = count;
      this.sacredOnes = this.origins.sacred();
    }
    return this.sacredOnes;
  }

  /** An argument of a call of the target must not do the deed in its name. */
  handed(line, value, depth) {
    if (typeof value === 'function') {
      if (this.origins.of(value) !== 'builtin' || HARMLESS.has(value) || nameOf(value) === '') return;
      if (Object.values(console).includes(value)) return;
      this.tamper(line, `hands ${nameOf(value)}, which is not its own, to the target`);
      return;
    }
    if (!isObject(value)) return;
    if (this.effect === 'hang' && this.patterns.has(value)) {
      this.tamper(line, 'hands a regular expression of its own to the target');
    }
    if (this.origins.isBuiltinModule(value)) this.tamper(line, 'hands a builtin to the target');
    if (depth === 0 || !isPlain(value)) return;
    let left = 64;
    for (const key of namesOf(value)) {
      if (left-- === 0) return;
      const property = getOwnPropertyDescriptor(value, key);
      if (property !== undefined && 'value' in property) this.handed(line, property.value, depth - 1);
    }
  }

  /** A stack that the harness filled up by itself overflows in the target's code. */
  checkDepth(line) {
    let own = 0;
    for (const one of stacks.here(200)) if (stacks.fileOf(one).startsWith('/harness/')) own += 1;
    if (own > OWN_DEPTH) this.tamper(line, 'calls the target from deep within itself');
  }
}

function isThenable(value) {
  return isObject(value) && (value instanceof Promise || typeof value.then === 'function');
}

function nameOf(fn) {
  const name = getOwnPropertyDescriptor(fn, 'name')?.value;
  return typeof name === 'string' ? name : '';
}

/** What sort of value an argument is. */
function kindOf(value) {
  if (value === null) return 'null';
  if (!isObject(value)) return typeof value;
  if (Array.isArray(value)) return 'Array';
  return className(value);
}

function className(value) {
  let above = value;
  for (let i = 0; i < 8 && above !== null; i++) {
    try {
      above = getPrototypeOf(above);
      if (above === null) break;
      const made = getOwnPropertyDescriptor(above, 'constructor')?.value;
      if (typeof made === 'function') return nameOf(made) || 'Object';
    } catch {
      break;
    }
  }
  return 'Object';
}

/** A value as far as versions can be compared by it: simple ones whole, others by their class. */
function plain(value, depth = 0) {
  switch (typeof value) {
    case 'undefined':
      return null;
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return String(value).slice(0, 64);
    case 'string':
      return value.length < 200 ? value : `sha256:${digest(value)}`;
    case 'object':
      break;
    default:
      return `<${typeof value}>`;
  }
  if (value === null) return null;
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    return `bytes:${digest(Buffer.from(buffer, byteOffset, byteLength))}`;
  }
  if (depth >= 4 || !isPlain(value)) return `<${className(value)}>`;
  const found = [];
  for (const key of namesOf(value).slice(0, 64)) {
    const property = getOwnPropertyDescriptor(value, key);
    if (property === undefined || !('value' in property)) return `<${className(value)}>`;
    if (typeof property.value === 'function') return `<${className(value)}>`; // methods: an instance
    const shown = plain(property.value, depth + 1);
    if (Array.isArray(value)) found.push(shown);
    else if (property.value !== undefined) found.push([key, shown]);
  }
  if (!Array.isArray(value)) return { dict: found };
  return value.length > 64 ? [...found, value.length] : found;
}

function digest(data) {
  return require('crypto').createHash('sha256').update(data).digest('hex');
}

module.exports = { Observer, isThenable, plain, MARKS };
