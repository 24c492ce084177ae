'use strict';
// Runs a JavaScript harness on one input, and reports what JavaScript itself knows of it.
//
// Everything that this program needs after the harness has begun is bound beforehand, and the
// report is written with a key that no file and no descriptor holds any more. The kernel's
// observations do not depend on any of this; attribution of exceptions does (docs/proof-trust.md).
//
// Descriptors: 3 the report, 4 the input, 5 the rest of the job, 6 the marks.

process.noDeprecation = true;
const stacks = require('./stacks_javascript.cjs');
stacks.install();

const fs = require('fs');
const { compileFunction } = require('vm');
const Module = require('module');
const { Origins } = require('./origins_javascript.cjs');
const { Observer } = require('./observe_javascript.cjs');
const { Recorder } = require('./record_javascript.cjs');
const { classNames, isHolder, isThenable, plain } = require('./values_javascript.cjs');

const REPORT = 3;
const MARKS_FILE = 6;
const TEXT = 400;
const MISSING = /^Cannot find (?:module|package) '([^']*)'/;
const DRAIN_MS = 500; // how long what goes on after the harness has returned may take
const IMPORTER = '/target/clearhouse-import.cjs'; // is no file; only says where names are looked up
const { writeSync, unlinkSync } = fs;
const { stringify } = JSON;
const { getPrototypeOf, getOwnPropertyDescriptor } = Object;
const leave = process.reallyExit.bind(process, 0);

class SecurityGuaranteeBroken extends Error {
  constructor(...args) {
    super(...args);
    this.name = 'SecurityGuaranteeBroken';
  }
}

function readJob() {
  const input = fs.readFileSync(4);
  const job = JSON.parse(fs.readFileSync(5, 'utf8'));
  fs.closeSync(4);
  fs.closeSync(5);
  return { input, job };
}

function sender(key) {
  return (message) => {
    let rest = Buffer.from(`${key}${stringify(message)}\n`);
    while (rest.length > 0) rest = rest.subarray(writeSync(REPORT, rest));
  };
}

function marker(key) {
  return (phase) => {
    try {
      unlinkSync(`/.mark/${key}/${phase}`);
    } catch {
      // there is no such file: the tracer has seen the call, which is all it is for
    }
  };
}

/** `require` for the harness: modules of Node.js and packages beside the target. */
function requirer(origins) {
  const lookUp = Module.createRequire(IMPORTER);
  return function require(id) {
    const found = lookUp(id);
    origins.required(String(id), found);
    return found;
  };
}

function importer(origins) {
  const holder = new Module(IMPORTER, null);
  holder.filename = IMPORTER;
  holder.paths = ['/target/node_modules'];
  holder._compile('module.exports = (id) => import(id);', IMPORTER);
  return async (id) => {
    const found = await holder.exports(String(id));
    origins.imported(String(id), found);
    return found;
  };
}

/** An own or inherited text of an error, without running any code of the program's. */
function textOf(error, key) {
  for (let one = error, i = 0; one !== null && i < 16; one = getPrototypeOf(one), i++) {
    const property = getOwnPropertyDescriptor(one, key);
    if (property !== undefined) {
      return typeof property.value === 'string' ? property.value.slice(0, TEXT) : '';
    }
  }
  return '';
}

/** What is known of a value that was thrown. */
function describeThrown(error) {
  if (!isHolder(error)) {
    const kind = error === null ? 'null' : typeof error;
    const text = String(error).slice(0, TEXT);
    return { type: kind, names: [kind], qualified: [], text, frames: [], guarantee: false };
  }
  const names = classNames(error);
  if (names.length > 1 && names.at(-1) === 'Object') names.pop(); // says nothing
  const stated = textOf(error, 'name');
  const type = names[0] ?? 'Object';
  const further = [stated, textOf(error, 'code')];
  return {
    type,
    names: names.length > 0 ? names : [type],
    qualified: further.filter((one) => one !== '' && !names.includes(one)),
    text: textOf(error, 'message'),
    frames: stacks.described(stacks.sites(error)),
    guarantee: error instanceof SecurityGuaranteeBroken ||
      [...names, stated].includes('SecurityGuaranteeBroken'),
  };
}

class Run {
  constructor(job, input) {
    this.job = job;
    this.input = input;
    this.send = sender(job.key);
    this.done = false;
    this.ending = false;
    const target = job.target;
    this.origins = new Origins({ target, harnessCode: job.code, Module });
    this.observer = new Observer({
      origins: this.origins, send: this.send, marksFile: MARKS_FILE, effect: job.effect,
    });
  }

  notLoaded(why, error) {
    const missing = MISSING.exec(textOf(error ?? {}, 'message'));
    this.send({
      outcome: 'not-loaded', why: why.slice(0, TEXT), missing: missing ? missing[1] : null,
      frames: error ? stacks.described(stacks.sites(error)).slice(0, 8) : [],
    });
    leave();
  }

  /** Compile and run the harness; its entry. */
  async load() {
    const { job, origins, observer } = this;
    const module = { exports: {} };
    const names = observer.names(importer(origins));
    names.__clearhouse_e = (exported) => {
      module.exports = exported;
    };
    const given = {
      exports: module.exports, require: requirer(origins), module,
      __filename: `/harness/${job.name}`, __dirname: '/harness', ...names,
    };
    try {
      const options = { filename: `/harness/${job.name}` };
      const main = compileFunction(job.code, Object.keys(given), options);
      const result = main.apply(module.exports, Object.values(given));
      if (job.isModule) await result;
    } catch (error) {
      const { type, text } = describeThrown(error);
      this.notLoaded(`${type}: ${text}`, error);
    }
    const { exports } = module;
    const entry = exports?.fuzz ?? exports?.default?.fuzz;
    if (typeof entry !== 'function') {
      this.notLoaded(`${job.name} defines no module.exports.fuzz = function (data) {...}`);
    }
    return entry;
  }

  async main() {
    const { job, observer, send } = this;
    send({ contract: job.contract, lines: job.lines });
    new Recorder(send, job.effect).install();
    const mark = marker(job.key);
    process.on('exit', () => this.finish({ calls: this.calls() }));
    const entry = await this.load();
    if (job.after !== undefined) {
      observer.firstTime();
      try {
        await entry(Buffer.from(job.after, 'base64'));
      } catch {
        // what a control raises was seen when it was run by itself
      }
      observer.secondTime(job.answers === 'control');
    }
    process.on('uncaughtException', (error) => this.thrown(error));
    process.on('unhandledRejection', (error, promise) => this.thrown(error, promise));
    mark('call');
    let result;
    let promise;
    try {
      result = entry(this.input);
      if (isThenable(result)) {
        promise = result;
        observer.result = promise;
        observer.made.add(promise); // unless a call of the target has returned it: see isOwnDoing
        result = await observer.waited(promise);
      }
    } catch (error) {
      this.thrown(error, promise);
      return;
    }
    process.on('beforeExit', () => this.returned(result));
    setTimeout(() => this.returned(result), DRAIN_MS).unref();
  }

  calls() {
    return [...this.observer.calls.values()];
  }

  finish(message) {
    if (this.done) return;
    this.done = true;
    this.send({ ...message, dynamic: this.observer.dynamicLines });
  }

  returned(result) {
    this.finish({ calls: this.calls(), outcome: 'returned', value: plain(result) });
    leave();
  }

  async thrown(error, promise) {
    if (this.done || this.ending) return;
    this.ending = true;
    const exception = describeThrown(error);
    const escape = await this.observer.escapeOf(error);
    exception.by_harness = this.observer.isOwnDoing(error, escape, promise);
    const escaped = escape === null ? null : { ...escape };
    // Without a stack of its own (a text that was thrown), what it came out of is all there is.
    if (escaped !== null && exception.frames.length === 0) escaped.native = true;
    this.finish({ calls: this.calls(), outcome: 'exception', exception, escaped });
    leave();
  }
}

function main() {
  const { input, job } = readJob();
  globalThis.SecurityGuaranteeBroken = SecurityGuaranteeBroken;
  let run;
  try {
    run = new Run(job, input);
  } catch (error) {
    sender(job.key)({ setup: `the runner does not work with this Node.js: ${error.message}` });
    leave();
  }
  for (const file of Object.keys(Module._cache)) delete Module._cache[file];
  run.main();
}

main();
