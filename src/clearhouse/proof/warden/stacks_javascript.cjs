'use strict';
// Stacks as V8 has them, not as programs write them.
//
// V8 hands a stack's call sites to `Error.prepareStackTrace`. That property is ours for good from
// here on: whatever a program assigns to it is called behind us and sees what it would have seen.

const { apply, set } = Reflect;
const { captureStackTrace } = Error;
const { call } = Function.prototype;
const uncurried = (method) => call.bind(method);
const join = uncurried(Array.prototype.join);
const slice = uncurried(Array.prototype.slice);
const match = uncurried(String.prototype.match);
const startsWith = uncurried(String.prototype.startsWith);
const textSlice = uncurried(String.prototype.slice);
const decode = decodeURIComponent;
const toText = uncurried(Error.prototype.toString);
const get = uncurried(WeakMap.prototype.get);
const has = uncurried(WeakMap.prototype.has);
const keep = uncurried(WeakMap.prototype.set);

const DEPTH = 200;
const FRAMES = 120; // of each end of a longer stack
const ORIGIN = /(?:\(|^| )((?:\/|file:|node:)[^():]*(?::[^():]*)*?):\d+:\d+\)*(?:, |$)/;

const traces = new WeakMap();
let theirs;
let quiet = false;
let site; // the methods of a call site, from the first one seen

function prepare(error, trace) {
  if (site === undefined && trace.length > 0) learn(trace[0]);
  const one = typeof error === 'object' ? error !== null : typeof error === 'function';
  if (one && !has(traces, error)) keep(traces, error, slice(trace));
  if (quiet) return '';
  if (typeof theirs === 'function') return apply(theirs, Error, [error, trace]);
  let text;
  try {
    text = toText(error);
  } catch {
    text = '<error>';
  }
  return trace.length === 0 ? text : `${text}\n    at ${join(trace, '\n    at ')}`;
}

function learn(first) {
  const { constructor, ...rest } = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(first));
  site = Object.create(null);
  for (const name of Object.keys(rest)) {
    if (typeof rest[name].value === 'function') site[name] = uncurried(rest[name].value);
  }
}

/** Take over the property. Called once, before anybody else's code. */
function install() {
  Error.stackTraceLimit = DEPTH;
  Object.defineProperty(Error, 'prepareStackTrace', {
    __proto__: null,
    configurable: false,
    enumerable: false,
    get: () => prepare,
    set: (value) => {
      theirs = value === prepare ? undefined : value;
    },
  });
  here(1);
}

/** The call sites of this moment, innermost first, ours included. */
function here(depth = DEPTH) {
  return sites(capture(depth));
}

/** Something that holds this moment's stack; `sites` reads it, at the cost of most of the work. */
function capture(depth) {
  const limit = Error.stackTraceLimit;
  set(Error, 'stackTraceLimit', depth);
  const holder = {};
  captureStackTrace(holder, capture);
  set(Error, 'stackTraceLimit', limit);
  return holder;
}

/** The call sites of an error or of a captured moment; none where it has none. */
function sites(holder) {
  const before = quiet;
  quiet = true;
  try {
    if (!has(traces, holder)) void holder.stack;
  } catch {
    // a getter of the program's own
  } finally {
    quiet = before;
  }
  return get(traces, holder) ?? [];
}

/** A stack for the report: file, function and line of each frame, innermost first. */
function described(trace) {
  const all = [];
  for (let i = 0; i < trace.length; i++) all[i] = describe(trace[i]);
  return all.length <= 2 * FRAMES ? all : [...slice(all, 0, FRAMES), ...slice(all, -FRAMES)];
}

function describe(one) {
  const frame = {
    __proto__: null,
    kind: 'javascript',
    file: fileOf(one),
    name: site.getFunctionName(one) ?? '',
    line: site.getLineNumber(one),
  };
  if (site.isConstructor(one) && frame.name === '') frame.name = site.getTypeName(one) ?? '';
  if (startsWith(frame.file, '/target/') && site.getScriptHash !== undefined) {
    frame.hash = site.getScriptHash(one);
  }
  return frame;
}

/** Where a frame's code comes from. A script's own name for itself (`sourceURL`) does not count. */
function fileOf(one) {
  const file = site.getFileName(one);
  if (typeof file === 'string' && file !== '') return pathOf(file);
  if (site.isEval(one) || site.getEvalOrigin(one) !== undefined) {
    const found = match(String(site.getEvalOrigin(one)), ORIGIN);
    return found === null ? 'eval' : `eval in ${pathOf(found[1])}`;
  }
  return 'node:';
}

function pathOf(file) {
  if (!startsWith(file, 'file://')) return file;
  try {
    return decode(textSlice(file, 7));
  } catch {
    return file;
  }
}

module.exports = { install, here, capture, sites, described, fileOf };
