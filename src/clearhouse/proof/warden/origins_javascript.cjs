'use strict';
// Whose a function is: found out from the text of the script that V8 made it from.
//
// A function's name, its `toString` and its properties can be changed; the script it was compiled
// from cannot. Files are remembered by their text when Node.js compiles them.

const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { ownKeys } = Reflect;
const { join: joinPath } = require('path');
const fs = require('fs');
const { isHolder } = require('./values_javascript.cjs');

const SOURCE = /\.[cm]?js$/;
const HARMLESS_MODULES = new Set([
  'assert', 'events', 'path', 'querystring', 'string_decoder', 'url', 'util', 'util/types',
]);
const NAMESPACES = new Set([JSON, Math, Intl, Reflect, Atomics]);
const HAS_MAGLEV = Number.parseInt(process.versions.v8, 10) >= 11;
const NO_INLINING = ['--no-turbo-inlining', ...(HAS_MAGLEV ? ['--no-maglev-inlining'] : [])];
const MOST_FILES = 20_000;
const MOST_EXPORTS = 20_000;
const REACHED_DEPTH = 6;
const readFile = fs.readFileSync;
const readFolder = fs.readdirSync;

/** V8's own functions for looking at functions, compiled while its test syntax is on. */
function natives() {
  const setFlags = flagSetter();
  // A function of the harness that is inlined into one of the target's has no frame of its own.
  for (const flag of NO_INLINING) setFlags(flag);
  setFlags('--allow-natives-syntax');
  setFlags('--no-flush-bytecode'); // or they would have to be compiled again, without that syntax
  try {
    const make = (body) => new Function('f', body);
    const source = make('return %FunctionGetScriptSource(f)');
    const position = make('return %FunctionGetScriptSourcePosition(f)');
    if (typeof source(natives) !== 'string' || typeof position(natives) !== 'number') return null;
    source(JSON.parse);
    return { source, position };
  } catch {
    return null;
  } finally {
    setFlags('--no-allow-natives-syntax');
  }
}

function flagSetter() {
  try {
    const { setFlagsFromString } = process.binding('v8'); // without the module's own start-up
    if (typeof setFlagsFromString === 'function') return setFlagsFromString;
  } catch {
    // Node.js does without it some day
  }
  return require('v8').setFlagsFromString;
}

/** Text that is fit to be looked up: as V8 keeps a file's source. */
function asCompiled(text) {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/**
 * Tells functions apart: `of(f)` is 'harness', 'target', 'package' (another one), 'builtin' or
 * 'code' (made from text at run time); `place(f)` names file and position.
 */
class Origins {
  constructor({ target, harnessCode, Module }) {
    this.natives = natives();
    if (this.natives === null) throw new Error('this V8 does not say where functions come from');
    this.harnessCode = harnessCode;
    this.folders = target.map((name) => [name, `/target/node_modules/${name}/`]);
    this.Module = Module;
    this.files = new Map();
    this.known = new WeakMap(); // function to {kind, file, name}
    this.exported = new WeakMap(); // functions without a script that a target exports
    this.namespaces = []; // of ES modules of packages: [name, namespace]
    this.builtins = new WeakSet(); // modules of Node.js that do more than compute
    this.ofModules = new WeakSet(); // what can be reached from these
    this.modules = new Set(); // all modules of Node.js that the harness has
    this.walkedModules = -1;
    this.searched = false;
    this.remember();
  }

  remember() {
    const { files, Module } = this;
    const compile = Module.prototype._compile;
    Module.prototype._compile = function _compile(...args) {
      if (typeof args[0] === 'string') files.set(asCompiled(args[0]), String(args[1]));
      return Reflect.apply(compile, this, args);
    };
  }

  /** What the harness has required of Node.js and of packages. */
  required(id, value) {
    const source = id.replace(/^node:/, '');
    const builtin = this.Module.builtinModules.includes(source);
    if (!builtin || !isHolder(value) || this.modules.has(value)) return;
    if (!HARMLESS_MODULES.has(source)) this.builtins.add(value);
    this.modules.add(value);
    eachReachable(value, 3, (one) => this.ofModules.add(one));
  }

  /** What the harness has imported. */
  imported(id, value) {
    if (this.Module.builtinModules.includes(id.replace(/^node:/, ''))) {
      this.required(id, value);
      if ('default' in value) this.required(id, value.default);
    } else {
      this.namespaces.push([id, value]);
    }
  }

  isBuiltinModule(value) {
    return this.builtins.has(value) || NAMESPACES.has(value);
  }

  of(fn) {
    return this.look(fn).kind;
  }

  /** Whether a function is one that a harness has a name for, or can come by otherwise. */
  isKnown(fn) {
    return INTRINSICS.has(fn) || this.ofModules.has(fn) || this.of(fn) === 'package';
  }

  place(fn) {
    const { file } = this.look(fn);
    let position = -1;
    try {
      position = this.natives.position(fn);
    } catch {
      // not a function of a script
    }
    return `${file}:${position}`;
  }

  look(fn) {
    const known = this.known.get(fn);
    if (known !== undefined) return known;
    const found = this.find(fn);
    if (found.kind !== 'builtin' || this.walkedModules === this.moduleCount()) {
      this.known.set(fn, found);
    }
    return found;
  }

  find(fn) {
    if (INTRINSICS.has(fn) || this.ofModules.has(fn)) return { kind: 'builtin', file: 'node:' };
    const text = this.natives.source(fn);
    if (typeof text !== 'string' || text === '') return this.native(fn);
    if (text === this.harnessCode) return { kind: 'harness', file: '/harness' };
    let file = this.files.get(text);
    if (file === undefined) {
      this.search();
      file = this.files.get(text);
    }
    if (file === undefined) return { kind: 'code', file: '' };
    const name = this.targetOf(file);
    return name === undefined ? { kind: 'package', file } : { kind: 'target', file, name };
  }

  targetOf(file) {
    for (const [name, folder] of this.folders) {
      if (file.startsWith(folder) && !file.includes('/node_modules/', folder.length)) return name;
    }
    return undefined;
  }

  /** ES modules are compiled out of our sight: read the target's files once. */
  search() {
    if (this.searched) return;
    this.searched = true;
    let left = MOST_FILES;
    const visit = (folder) => {
      for (const entry of readFolder(folder, { withFileTypes: true })) {
        const path = joinPath(folder, entry.name);
        if (entry.isDirectory() && entry.name !== 'node_modules') visit(path);
        else if (entry.isFile() && SOURCE.test(entry.name) && left-- > 0) {
          this.files.set(asCompiled(readFile(path, 'utf8')), path);
        }
      }
    };
    for (const [, folder] of this.folders) {
      try {
        visit(folder);
      } catch {
        // a folder that cannot be read holds nothing that could have been compiled
      }
    }
  }

  native(fn) {
    this.walkExports();
    const name = this.exported.get(fn);
    return name === undefined
      ? { kind: 'builtin', file: 'native' }
      : { kind: 'target', file: 'native', name };
  }

  moduleCount() {
    const packages = Object.keys(this.Module._cache).length + this.namespaces.length;
    return packages + this.modules.size;
  }

  /** Values that the target's modules export, for functions that have no script (bound ones). */
  walkExports() {
    const count = this.moduleCount();
    if (this.walkedModules === count) return;
    this.walkedModules = count;
    for (const [name, value] of this.targetExports()) {
      eachReachable(value, 3, (found) => {
        if (typeof found === 'function') this.exported.set(found, name);
      });
    }
  }

  *targetExports() {
    for (const file of Object.keys(this.Module._cache)) {
      const name = this.targetOf(file);
      if (name !== undefined) yield [name, this.Module._cache[file].exports];
    }
    for (const [source, value] of this.namespaces) {
      const named = ([name]) => source === name || source.startsWith(`${name}/`);
      const folder = this.folders.find(named);
      if (folder !== undefined) yield [folder[0], value];
    }
  }

  /** What can be reached from the target's exports. */
  ofTarget() {
    const found = new WeakSet();
    for (const [, value] of this.targetExports()) this.reach(value, found);
    return found;
  }

  /** Add what can be reached from an export, by the target's own getters too. */
  reach(value, found) {
    const isOurs = (getter) => this.of(getter) === 'target';
    eachReachable(value, REACHED_DEPTH, (one) => found.add(one), isOurs);
  }

  /** What no harness may write to: what packages and Node.js export, and what is built in. */
  sacred() {
    const found = new WeakSet();
    for (const file of Object.keys(this.Module._cache)) {
      if (!file.startsWith('/target/')) continue;
      this.reach(this.Module._cache[file].exports, found);
    }
    for (const [, value] of this.namespaces) this.reach(value, found);
    for (const one of [...INTRINSICS, ...this.modules]) found.add(one);
    return found;
  }
}

/** Visit what can be reached by own data properties, and by getters that may be called. */
function eachReachable(start, depth, visit, mayCall = () => false) {
  const seen = new Set();
  let left = MOST_EXPORTS;
  const go = (value, deep) => {
    if (!isHolder(value) || seen.has(value) || INTRINSICS.has(value) || left-- <= 0) return;
    seen.add(value);
    visit(value);
    if (deep === 0 || ArrayBuffer.isView(value)) return;
    let keys;
    try {
      keys = ownKeys(value);
    } catch {
      return;
    }
    for (const key of keys) {
      let property;
      try {
        property = getOwnPropertyDescriptor(value, key);
      } catch {
        continue;
      }
      if (property === undefined) continue;
      if ('value' in property) go(property.value, deep - 1);
      else if (property.get !== undefined && mayCall(property.get)) {
        try {
          go(Reflect.apply(property.get, value, []), deep - 1);
        } catch {
          // it has nothing to give
        }
      }
    }
  };
  go(start, depth);
}

/** Everything that a program finds in place, reached by data properties of the global object. */
function intrinsics() {
  const found = new Set([globalThis]);
  const depths = new Map(); // how deep each was looked into
  const go = (value, depth) => {
    if (!isHolder(value) || value === globalThis || depths.get(value) >= depth) return;
    found.add(value);
    depths.set(value, depth);
    if (depth === 0) return;
    go(getPrototypeOf(value), 1);
    for (const key of ownKeys(value)) {
      const property = getOwnPropertyDescriptor(value, key);
      if (property !== undefined && 'value' in property) go(property.value, depth - 1);
    }
  };
  for (const key of ownKeys(globalThis)) {
    if (key === 'process' || key === 'console') continue;
    const property = getOwnPropertyDescriptor(globalThis, key);
    if (property !== undefined && 'value' in property) go(property.value, 2);
  }
  // These stand behind getters in some versions.
  for (const value of [Buffer, URL, URLSearchParams, TextEncoder, TextDecoder, AbortController]) {
    go(value, 2);
  }
  for (const sample of [async () => {}, function* () {}, async function* () {}]) {
    go(getPrototypeOf(sample), 2);
  }
  const iterators = [[][Symbol.iterator](), new Map().keys(), new Set().keys(), ''.matchAll(/x/g)];
  for (const sample of iterators) go(getPrototypeOf(sample), 1);
  found.add(process);
  for (const key of ['nextTick', 'cwd', 'emitWarning', 'hrtime']) found.add(process[key]);
  return found;
}

const INTRINSICS = intrinsics();

module.exports = { Origins };
