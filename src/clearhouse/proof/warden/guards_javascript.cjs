'use strict';
// What a harness does that only a cheat has need of, noticed where its text alone does not show it.
//
// An act is reported before it is done, under a key that the harness does not hold.

const { keys: namesOf } = Object;
const fs = require('fs');
const path = require('path');
const stacks = require('./stacks_javascript.cjs');
const { isObject, isPlain, nameOf, ownValue } = require('./values_javascript.cjs');

const WORK = '/work';
const OWN_DEPTH = 48; // frames of the harness itself under a call of the target
const HANDED_DEPTH = 3;
const HANDED_ITEMS = 64;
const KEYS = new Set(['__proto__', 'constructor', 'prototype']);
const TWO_PATHS = new Set(['copyFile', 'cp', 'link', 'rename', 'symlink']);

// Functions that are not the harness's own and may go to the target all the same.
const HARMLESS = new Set([
  String, Number, Boolean, Symbol, Promise, Date, Map, Set, Error, TypeError, RangeError,
  SyntaxError, require('events'), ...Object.values(console).filter((v) => typeof v === 'function'),
]);
const MUTATORS = new Set([
  Object.assign, Object.defineProperty, Object.defineProperties, Object.setPrototypeOf,
  Object.freeze, Object.seal, Object.preventExtensions, Object.prototype.__defineGetter__,
  Object.prototype.__defineSetter__, Reflect.set, Reflect.defineProperty, Reflect.deleteProperty,
  Reflect.setPrototypeOf,
]);
const POWERS = new Set([
  Function, (async () => {}).constructor, (function* () {}).constructor,
  (async function* () {}).constructor, eval, globalThis, process, Reflect, Proxy,
  process.binding, process.dlopen, process.kill, process.exit, process.reallyExit,
]);
// Functions of modules that a harness may have, and what they are good for.
const REVEALING = new Map([
  ['withResolvers', 'hides who raises'], ['setEngine', 'runs machine code'],
  ['inherits', 'changes what instances inherit'], ['_extend', 'changes objects'],
]);
const FUNCTION_TEXT = Function.prototype.toString;

/** Functions of `fs` and how many of their first arguments are paths. */
function fileFunctions() {
  const found = new Map();
  for (const holder of [fs, fs.promises]) {
    for (const name of namesOf(holder)) {
      const value = ownValue(holder, name);
      if (typeof value !== 'function' || /^(_|[A-Z])/.test(name)) continue;
      found.set(value, TWO_PATHS.has(name.replace(/Sync$/, '')) ? 2 : 1);
    }
  }
  return found;
}

class Guards {
  constructor({ origins, send, effect }) {
    this.origins = origins;
    this.send = send;
    this.effect = effect;
    this.files = fileFunctions();
    this.patterns = new WeakSet(); // regular expressions of the harness's own
    this.told = new Set();
    this.sacredAt = -1;
    this.sacredOnes = null;
  }

  tamper(line, what) {
    if (this.told.has(what)) return;
    this.told.add(what);
    this.send({ tamper: what, line });
  }

  pattern(value) {
    if (value instanceof RegExp) this.patterns.add(value);
    return value;
  }

  /** A value from which anything could be reached. */
  power(line, value) {
    if (POWERS.has(value)) this.tamper(line, 'reaches what runs or changes anything');
    return value;
  }

  key(line, key) {
    if (typeof key !== 'symbol' && KEYS.has(String(key))) this.tamper(line, `sets ${key}`);
    return key;
  }

  self(value) {
    if (value === globalThis) this.tamper(0, 'reaches the global object');
    return value;
  }

  binds(line, fn) {
    if (this.origins.of(fn) === 'builtin') {
      this.tamper(line, `binds ${nameOf(fn)}, which is not its own`);
    }
  }

  /** Before the harness calls a function that is neither its own nor the target's. */
  called(line, fn, args) {
    const paths = this.files.get(fn) ?? 0;
    for (const one of args.slice(0, paths)) this.checkPath(line, one);
    if (MUTATORS.has(fn)) this.own(line, args[0]);
    if (fn === FUNCTION_TEXT) this.tamper(line, 'reads the text of a function');
    if (POWERS.has(fn)) this.tamper(line, 'runs what can change anything');
    const name = nameOf(fn);
    if (REVEALING.has(name)) this.tamper(line, REVEALING.get(name));
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
      const made = ownValue(object, 'constructor');
      const inherited = typeof made === 'function' && ownValue(made, 'prototype') === object;
      if (inherited && this.origins.of(made) !== 'harness') {
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
  handed(line, value, depth = HANDED_DEPTH) {
    if (typeof value === 'function') {
      const name = nameOf(value); // a nameless one settles a promise
      if (name === '' || HARMLESS.has(value) || this.origins.of(value) !== 'builtin') return;
      this.tamper(line, `hands ${name}, which is not its own, to the target`);
      return;
    }
    if (!isObject(value)) return;
    if (this.origins.isBuiltinModule(value)) {
      this.tamper(line, 'hands a module of Node.js to the target');
      return;
    }
    if (typeof ownValue(value, 'then') === 'function') {
      this.tamper(line, 'hands a promise of its own kind to the target');
    }
    if (this.effect === 'hang' && this.patterns.has(value)) {
      this.tamper(line, 'hands a regular expression of its own to the target');
    }
    if (depth === 0 || !isPlain(value)) return;
    for (const key of namesOf(value).slice(0, HANDED_ITEMS)) {
      this.handed(line, ownValue(value, key), depth - 1);
    }
  }

  /** A stack that the harness filled up by itself overflows in the target's code. */
  depth(line) {
    let own = 0;
    for (const one of stacks.here()) if (stacks.fileOf(one).startsWith('/harness/')) own += 1;
    if (own > OWN_DEPTH) this.tamper(line, 'calls the target from deep within itself');
  }
}

module.exports = { Guards };
