'use strict';
// What a harness does that only a cheat has need of, noticed where its text alone does not show it.
//
// An act is reported before it is done, under a key that the harness does not hold.

const {
  keys: namesOf, getOwnPropertyDescriptor, getOwnPropertyNames, getPrototypeOf,
} = Object;
const { apply, ownKeys } = Reflect;
const { constructor: PROMISE } = Promise.prototype;
const { entries: MAP_EACH } = Map.prototype;
const { entries: SET_EACH } = Set.prototype;
const SHAPE = new Set(['length', 'name', 'arguments', 'caller']);
const fs = require('fs');
const path = require('path');
const stacks = require('./stacks_javascript.cjs');
const { isHolder, isObject, isPlain, nameOf, ownValue } = require('./values_javascript.cjs');

const WORK = '/work';
const OWN_DEPTH = 48; // frames of the harness itself under a call of the target
const HANDED_DEPTH = 8;
const HANDED_ITEMS = 10_000; // of one collection
const HANDED_OBJECTS = 2_000; // of one call
const FREE_FRAMES = 5_000; // of V8's usual ten thousand, when the target is called
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
const DETOURS = new Set([Function.prototype.call, Function.prototype.apply]);
const RECOMPILE = RegExp.prototype.compile;
const { prototype: EMITTER } = require('events');
const functionsOf = (holder, names) => names.map((name) => holder[name]).filter(Boolean);
const TYPED = getPrototypeOf(Uint8Array.prototype);
// Methods that change the object they are called on.
const CHANGING = new Set([
  ...functionsOf(Array.prototype, [
    'push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin',
  ]),
  ...functionsOf(TYPED, ['set', 'sort', 'reverse', 'fill', 'copyWithin']),
  ...[Map, Set, WeakMap, WeakSet].flatMap((kind) => (
    functionsOf(kind.prototype, ['set', 'add', 'delete', 'clear'])
  )),
  ...namesOf(Buffer.prototype).filter((name) => /^(write|swap|fill)/.test(name))
    .map((name) => ownValue(Buffer.prototype, name)),
]);
// Functions that keep what they are given where the target may find it.
const KEEPING = new Set([
  ...CHANGING, Object.assign, Object.fromEntries, Object.create,
  ...functionsOf(EMITTER, [
    'on', 'once', 'addListener', 'prependListener', 'prependOnceListener',
  ]),
  EventTarget.prototype.addEventListener,
]);
const COPYING = new Set(['structuredClone', 'postMessage']); // nobody knows the copies again
const LOADED = process.moduleLoadList; // grows when Node.js loads a module of its own

/**
 * A collection of functions of Node.js's modules, for `has` and `get`. Most harnesses have to do
 * with few of those, and loading them all takes longer than such a harness runs: the functions of a
 * module are gathered when it has been loaded, before which nobody can hold one.
 */
class OfModules {
  /** `parts`: names of modules of which one is loaded when `fill(collection)` can be needed. */
  constructor(collection, parts) {
    this.collection = collection;
    this.parts = parts;
    this.lookedAt = 0;
  }

  upToDate() {
    if (LOADED === undefined || LOADED.length !== this.lookedAt) {
      const isNeeded = ([names]) => LOADED === undefined || names.some(isLoaded);
      const needed = this.parts.filter(isNeeded);
      this.parts = this.parts.filter((part) => !needed.includes(part));
      for (const [, fill] of needed) fill(this.collection);
      this.lookedAt = LOADED?.length;
    }
    return this.collection;
  }

  has(one) {
    return this.upToDate().has(one);
  }

  get(one) {
    return this.upToDate().get(one);
  }
}

function isLoaded(name) {
  return LOADED.includes(`NativeModule ${name}`);
}

const FILES_LATER = ['internal/fs/promises'];

/** What streams keep about themselves. */
function innerKeys() {
  return new OfModules(new Set(), [
    [['events'], (found) => addAll(found, ownKeys(new EMITTER.constructor()))],
    [['stream', 'internal/streams/readable', 'internal/streams/writable'],
      (found) => addAll(found, ownKeys(new (require('stream').Duplex)()))],
  ]);
}

/** Functions that leave their work to other threads, which goes on while the target is called. */
function threadedFunctions() {
  return new OfModules(new Set(), [
    [['fs'], (found) => addFunctions(found, fs, /(?<!Sync)$/)],
    [FILES_LATER, (found) => addFunctions(found, fs.promises, /$/)],
    [['zlib'], (found) => {
      addFunctions(found, require('zlib'), /^(?!codes$|constants$|crc32$)(?!.*Sync$)/);
    }],
    [['internal/webstreams/compression'], (found) => {
      addAll(found, [globalThis.CompressionStream, globalThis.DecompressionStream]);
    }],
    [['crypto', 'internal/crypto/webcrypto'], (found) => {
      const crypto = require('crypto');
      addAll(found, functionsOf(crypto, [
        'scrypt', 'pbkdf2', 'hkdf', 'randomBytes', 'randomFill', 'generateKey', 'generateKeyPair',
        'generatePrime', 'checkPrime', 'sign', 'verify', 'diffieHellman', 'pseudoRandomBytes',
        'prng', 'rng',
      ]));
      addFunctions(found, getPrototypeOf(crypto.webcrypto.subtle), /$/);
    }],
  ]);
}

function addAll(found, all) {
  for (const one of all) found.add(one);
}

function addFunctions(found, holder, names) {
  for (const name of getOwnPropertyNames(holder)) {
    const value = names.test(name) ? ownValue(holder, name) : undefined;
    if (typeof value === 'function') found.add(value);
  }
}

/** Takes that many frames of the stack, if they are there. */
function descend(count) {
  return count === 0 ? 0 : 1 + descend(count - 1);
}

/** Functions of `fs` and how many of their first arguments are paths. */
function fileFunctions() {
  return new OfModules(new Map(), [
    [['fs'], (found) => addPaths(found, fs)],
    [FILES_LATER, (found) => addPaths(found, fs.promises)],
  ]);
}

function addPaths(found, holder) {
  for (const name of namesOf(holder)) {
    const value = ownValue(holder, name);
    if (typeof value !== 'function' || /^(_|[A-Z])/.test(name)) continue;
    found.set(value, TWO_PATHS.has(name.replace(/Sync$/, '')) ? 2 : 1);
  }
}

class Guards {
  constructor({ origins, send, effect }) {
    this.origins = origins;
    this.send = send;
    this.effect = effect;
    this.files = fileFunctions();
    this.innerKeys = innerKeys();
    const threaded = effect === 'hang' || effect === 'memory';
    this.threaded = threaded ? threadedFunctions() : new Set();
    this.seen = new Set(); // while looking at what is handed over
    this.promise = () => {}; // told of each promise that is handed over
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
    return this.pattern(value);
  }

  binds(line, fn) {
    if (this.origins.of(fn) === 'builtin') {
      this.tamper(line, `binds ${nameOf(fn)}, which is not its own`);
    }
  }

  /** Before the harness calls a function that is neither its own nor the target's. */
  called(line, fn, self, args) {
    if (DETOURS.has(fn)) this.tamper(line, 'calls a function by a detour');
    if (fn === RECOMPILE) this.tamper(line, 'changes a regular expression');
    if (CHANGING.has(fn) && isObject(self)) this.own(line, self);
    const name = nameOf(fn);
    if (KEEPING.has(fn) || COPYING.has(name) || fn?.prototype !== undefined) {
      for (const one of args) if (!(one instanceof PROMISE)) this.handed(line, one);
    }
    for (const one of [fn, ...args]) this.passed(line, one);
    if (this.effect === 'hang' && args.includes(RegExp)) {
      this.tamper(line, 'has regular expressions made out of sight');
    }
    const paths = this.files.get(fn) ?? 0;
    for (const one of args.slice(0, paths)) this.checkPath(line, one);
    if (MUTATORS.has(fn)) this.own(line, args[0]);
    if (fn === FUNCTION_TEXT) this.tamper(line, 'reads the text of a function');
    if (POWERS.has(fn)) this.tamper(line, 'runs what can change anything');
    if (REVEALING.has(name)) this.tamper(line, REVEALING.get(name));
  }

  /** A function that is called, or given to one that may call it. */
  passed(line, fn) {
    if (typeof fn !== 'function') return;
    if (this.threaded.has(fn)) this.tamper(line, `has other threads work by ${nameOf(fn)}`);
    if (fn === RECOMPILE) this.tamper(line, 'changes a regular expression');
    if (POWERS.has(fn)) this.tamper(line, 'reaches what runs or changes anything');
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

  /** What goes to the target, or where it may find it, must not do the deed in its name. */
  handed(line, value) {
    if (!isHolder(value)) return;
    this.seen = new Set();
    this.look(line, value, HANDED_DEPTH);
  }

  /** `isInner` says that it is kept where streams keep what Node.js has made for them. */
  look(line, value, depth, isInner = false) {
    if (!isHolder(value) || this.seen.has(value) || this.seen.size > HANDED_OBJECTS) return;
    this.seen.add(value);
    if (typeof value === 'function') {
      if (!isInner || this.origins.isKnown(value)) this.handedFunction(line, value);
    } else if (this.origins.isBuiltinModule(value)) {
      this.tamper(line, 'hands a module of Node.js to the target');
      return;
    } else if (value instanceof PROMISE) this.promise(line, value);
    else if (typeof inherited(value, 'then') === 'function') {
      this.tamper(line, 'hands a promise of its own kind to the target');
    }
    if (this.effect === 'hang' && this.patterns.has(value)) {
      this.tamper(line, 'hands a regular expression of its own to the target');
    }
    if (depth > 0 && this.isOpen(value)) this.inside(line, value, depth - 1, isInner);
  }

  handedFunction(line, value) {
    const kind = this.origins.of(value);
    if (kind === 'harness' || kind === 'target' || HARMLESS.has(value)) return;
    const name = nameOf(value);
    if (kind === 'builtin' && name === '') return; // a nameless one settles a promise
    if (kind === 'code') return; // the target's own making, or that of a function called before
    this.tamper(line, `hands ${name || 'a function'}, which is not its own, to the target`);
  }

  /** Whether what is inside an object is the harness's to answer for, not of the target's making. */
  isOpen(value) {
    if (ArrayBuffer.isView(value) || this.targets().has(value)) return false;
    if (typeof value === 'function') return this.origins.of(value) === 'harness';
    if (isPlain(value) || value instanceof Map || value instanceof Set) return true;
    const above = getPrototypeOf(value);
    const made = ownValue(above, 'constructor');
    if (typeof made !== 'function') return true; // made by Object.create
    if (this.origins.of(made) === 'harness') return true;
    return made === Object || ownValue(made, 'prototype') !== above;
  }

  inside(line, value, depth, isWithin) {
    if (value instanceof Map || value instanceof Set) {
      let left = HANDED_ITEMS;
      for (const pair of apply(value instanceof Map ? MAP_EACH : SET_EACH, value, [])) {
        if (left-- === 0) break;
        this.look(line, pair[0], depth);
        this.look(line, pair[1], depth);
      }
    }
    for (const key of ownKeys(value).slice(0, HANDED_ITEMS)) {
      if (typeof value === 'function' && SHAPE.has(key)) continue;
      const isInner = isWithin || (value instanceof EMITTER.constructor && this.innerKeys.has(key));
      const property = getOwnPropertyDescriptor(value, key);
      if (property === undefined) continue;
      for (const one of [property.value, property.get, property.set]) {
        this.look(line, one, depth, isInner);
      }
    }
    const above = getPrototypeOf(value);
    if (above !== null && !this.sacred().has(above)) this.look(line, above, depth);
  }

  /** What the target's modules export, and what can be reached from there. */
  targets() {
    const count = this.origins.moduleCount();
    if (this.targetsAt !== count) {
      this.targetsAt = count;
      this.targetOnes = this.origins.ofTarget();
    }
    return this.targetOnes;
  }

  /** A stack that the harness filled up by itself overflows in the target's code. */
  depth(line, isOutermost) {
    if (isOutermost) {
      try {
        descend(FREE_FRAMES);
      } catch {
        this.tamper(line, 'has used up the stack when it calls the target');
      }
    }
    let own = 0;
    for (const one of stacks.here()) if (stacks.fileOf(one).startsWith('/harness/')) own += 1;
    if (own > OWN_DEPTH) this.tamper(line, 'calls the target from deep within itself');
  }
}

/** An own or inherited property that is no accessor. */
function inherited(value, key) {
  let one = value;
  for (let i = 0; one !== null && i < 16; i++) {
    const found = getOwnPropertyDescriptor(one, key);
    if (found !== undefined) return found.value;
    one = getPrototypeOf(one);
  }
  return undefined;
}

module.exports = { Guards };
