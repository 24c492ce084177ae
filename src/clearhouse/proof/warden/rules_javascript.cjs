'use strict';
// What a JavaScript harness may use, and what not and why: the tables of contract_javascript.cjs.

// Modules of Node.js that a harness may use: they make arguments, or read what came back.
const ALLOWED_MODULES = new Set([
  'assert', 'assert/strict', 'buffer', 'console', 'crypto', 'events', 'path', 'path/posix',
  'path/win32', 'punycode', 'querystring', 'stream', 'stream/consumers', 'stream/promises',
  'string_decoder', 'timers', 'timers/promises', 'url', 'util', 'util/types', 'zlib',
]);
const FILE_MODULES = new Set(['fs', 'fs/promises']);
const FORBIDDEN_MODULES = new Map(Object.entries({
  child_process: 'starts processes', cluster: 'starts processes', worker_threads: 'starts threads',
  vm: 'runs code under a name of its choice', module: 'replaces modules', inspector: 'traces',
  'inspector/promises': 'traces', v8: 'changes the interpreter', repl: 'runs code',
  process: 'changes the interpreter', async_hooks: 'acts on the observer',
  diagnostics_channel: 'acts on the observer', trace_events: 'acts on the observer',
  perf_hooks: 'acts on the observer', domain: 'catches what the target throws',
  os: 'asks which machine it is', net: 'speaks to the network', dns: 'speaks to the network',
  'dns/promises': 'speaks to the network', tls: 'speaks to the network',
  dgram: 'speaks to the network', http: 'speaks to the network', https: 'speaks to the network',
  http2: 'speaks to the network', wasi: 'runs machine code', readline: 'reads what no input gave',
  'readline/promises': 'reads what no input gave', test: 'patches', sea: 'changes the interpreter',
  sqlite: 'opens files', tty: 'acts on the machine', constants: 'acts on the machine',
}));
// Functions of `fs` that take a path (or two) and do to it what their name says.
const FILE_FUNCTIONS = new Set([
  'access', 'appendFile', 'chmod', 'copyFile', 'cp', 'createReadStream', 'createWriteStream',
  'exists', 'link', 'lstat', 'mkdir', 'mkdtemp', 'opendir', 'readFile', 'readdir', 'readlink',
  'realpath', 'rename', 'rm', 'rmdir', 'stat', 'symlink', 'truncate', 'unlink', 'utimes',
  'writeFile',
].flatMap((name) => [name, `${name}Sync`]));
const FORBIDDEN_NAMES = new Map(Object.entries({
  eval: 'runs or changes anything', Function: 'runs or changes anything',
  Reflect: 'reaches into objects', Proxy: 'replaces objects', globalThis: 'reaches everything',
  global: 'reaches everything', WebAssembly: 'runs machine code', Atomics: 'stops the run',
  SharedArrayBuffer: 'stops the run', WeakRef: 'runs code later', Deno: 'asks which machine it is',
  FinalizationRegistry: 'runs code later', fetch: 'speaks to the network',
  WebSocket: 'speaks to the network', EventSource: 'speaks to the network',
  arguments: 'reaches the caller', navigator: 'asks which machine it is',
}));
const FORBIDDEN_PROPERTIES = new Map(Object.entries({
  ['__proto__']: 'changes what objects inherit', prototype: 'changes what objects inherit',
  callee: 'reaches the caller', caller: 'reaches the caller', binding: 'reaches the interpreter',
  _linkedBinding: 'reaches the interpreter', mainModule: 'replaces modules',
  _load: 'replaces modules', _compile: 'replaces modules', _extensions: 'replaces modules',
  _cache: 'replaces modules', _resolveFilename: 'replaces modules', dlopen: 'runs machine code',
  prepareStackTrace: 'forges stacks', captureStackTrace: 'forges stacks',
  stackTraceLimit: 'forges stacks', __defineGetter__: 'replaces properties',
  __defineSetter__: 'replaces properties', __lookupGetter__: 'reaches into objects',
  __lookupSetter__: 'reaches into objects', getOwnPropertyDescriptor: 'reaches into objects',
  getOwnPropertyDescriptors: 'reaches into objects', setPrototypeOf: 'changes what objects inherit',
  defineProperty: 'replaces properties', defineProperties: 'replaces properties',
  withResolvers: 'hides who raises', setEngine: 'runs machine code',
  inherits: 'changes what objects inherit', _extend: 'changes objects',
}));
const VERSION_PROBES = new Set(['version', 'VERSION', 'versions', 'getVersion', '__version__']);
const PROCESS = new Set(['env', 'cwd', 'nextTick', 'platform', 'arch', 'emitWarning']);
const MODULE_NAMES = new Set(['exports', 'module']);

module.exports = {
  ALLOWED_MODULES, FILE_MODULES, FORBIDDEN_MODULES, FILE_FUNCTIONS, FORBIDDEN_NAMES,
  FORBIDDEN_PROPERTIES, VERSION_PROBES, PROCESS, MODULE_NAMES,
};
