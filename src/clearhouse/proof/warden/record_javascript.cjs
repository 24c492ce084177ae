'use strict';
// Who asked for what the kernel will see: the JavaScript stack of each request to the system.
//
// The kernel's events come with the stack that was there at that very moment. Where a request is
// carried out later or by another thread, that stack says nothing; then the stack of the request
// does, which is noted here, below everything that a program can reach. A note without an event of
// the kernel's counts for nothing.

const { apply } = Reflect;
const asyncHooks = require('async_hooks');
const fs = require('fs');
const path = require('path');
const stacks = require('./stacks_javascript.cjs');

const NOTES = 256;
const RESOURCES = 20_000;
const CHAIN = 12; // how many callers of callers of callbacks are looked at
const DEPTH = 64;
const { executionAsyncId } = asyncHooks;
const realpath = fs.realpathSync.native;
const INSIDE = ['/work', '/proc', '/dev'];
const { O_CREAT, O_RDWR, O_TRUNC, O_WRONLY } = fs.constants;
const WRITING = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

// Functions of the binding under `fs`, and which of their arguments are paths that change.
const CHANGES = {
  writeFileUtf8: [0], rename: [0, 1], rmdir: [0], rmSync: [0], mkdir: [0], symlink: [1], link: [1],
  unlink: [0], copyFile: [1], chmod: [0], mkdtemp: [0], cpSyncCopyDir: [1], cpSyncOverrideFile: [1],
};
const OPENING = ['open', 'openFileHandle'];

class Recorder {
  constructor(send, effect) {
    this.send = send;
    this.effect = effect;
    this.left = NOTES;
    this.parents = new Map(); // asynchronous resource to [captured stack, the one it was made in]
  }

  /** Begin to note the requests that can have this effect. */
  install() {
    const { effect } = this;
    if (effect === 'write-outside' || effect === 'read-outside') this.files();
    else if (effect === 'execute') this.programs();
    else if (effect === 'connect') this.network();
    else return;
    this.followCallbacks();
  }

  followCallbacks() {
    const { parents } = this;
    asyncHooks.createHook({
      init(id, type) {
        if (type === 'PROMISE') return;
        if (parents.size > RESOURCES) parents.clear();
        parents.set(id, [stacks.capture(DEPTH), executionAsyncId()]);
      },
      trackPromises: false,
    }).enable();
    const wrap = binding('async_wrap');
    if (typeof wrap?.setPromiseHooks === 'function') {
      wrap.setPromiseHooks(undefined, undefined, undefined, undefined);
    }
  }

  /** This moment's stack; where nobody's code is on it, the moments that led to it follow. */
  stack() {
    let found = stacks.sites(stacks.capture(DEPTH));
    let id = executionAsyncId();
    for (let i = 0; i < CHAIN && !found.some(isSomebodys); i++) {
      const parent = this.parents.get(id);
      if (parent === undefined) break;
      found = [...found, ...stacks.sites(parent[0])];
      id = parent[1];
    }
    return stacks.described(found);
  }

  note(kind, objects) {
    if (this.left-- <= 0) return;
    this.send({ request: { kind, objects, stack: this.stack() } });
  }

  before(holder, name, look) {
    const original = holder?.[name];
    if (typeof original !== 'function') return;
    holder[name] = function (...args) {
      try {
        apply(look, undefined, args);
      } catch {
        // the request fails by itself where its arguments make no sense
      }
      return apply(original, this, args);
    };
  }

  files() {
    const system = binding('fs');
    for (const name of Object.keys(CHANGES)) {
      const places = (args) => CHANGES[name].map((index) => args[index]);
      this.before(system, name, (...args) => this.touched('write-outside', places(args)));
    }
    for (const name of OPENING) {
      this.before(system, name, (file, flags) => {
        const writing = typeof flags !== 'number' || (flags & WRITING) !== 0;
        this.touched(writing ? 'write-outside' : 'read-outside', [file]);
      });
    }
    this.before(system, 'readFileUtf8', (file) => this.touched('read-outside', [file]));
  }

  touched(kind, files) {
    if (kind !== this.effect) return;
    const places = new Set();
    for (const file of files) {
      if (typeof file === 'string' || ArrayBuffer.isView(file)) placesOf(String(file), places);
    }
    if (kind === 'read-outside' && !places.has('/canary/token')) return;
    const isInside = (place) => INSIDE.some((one) => place === one || place.startsWith(`${one}/`));
    const outside = [...places].filter((place) => !isInside(place));
    if (outside.length > 0) this.note(kind, outside);
  }

  programs() {
    // Options, or since Node.js 24 what used to be among them, the file first.
    const one = (first) => this.note('execute', [String(first?.file ?? first)]);
    this.before(binding('process_wrap')?.Process?.prototype, 'spawn', one);
    this.before(binding('spawn_sync'), 'spawn', one);
  }

  network() {
    const at = (_, address, port) => {
      this.note('connect', [`${address}:${port}`, `[${address}]:${port}`]);
    };
    const tcp = binding('tcp_wrap')?.TCP?.prototype;
    const udp = binding('udp_wrap')?.UDP?.prototype;
    for (const name of ['connect', 'connect6']) this.before(tcp, name, at);
    for (const name of ['connect', 'connect6']) {
      this.before(udp, name, (address, port) => at(undefined, address, port));
    }
    for (const name of ['send', 'send6']) {
      this.before(udp, name, (_req, _list, _count, port, address) => at(undefined, address, port));
    }
    const names = binding('cares_wrap');
    const asked = () => this.note('connect', ['name']);
    for (const name of ['getaddrinfo', 'getnameinfo']) this.before(names, name, asked);
    const channel = names?.ChannelWrap?.prototype ?? {};
    for (const name of Object.getOwnPropertyNames(channel)) {
      if (/^(query|getHost)/.test(name)) this.before(channel, name, asked);
    }
  }
}

function isSomebodys(one) {
  const file = stacks.fileOf(one);
  return !file.startsWith('node:') && !file.startsWith('/runtime/');
}

/** Where a name leads: as it is written, with links followed, with all but the last followed. */
function placesOf(file, places) {
  const plain = path.resolve(file);
  places.add(plain);
  try {
    places.add(realpath(plain));
  } catch {
    // it is not there yet
  }
  try {
    places.add(path.join(realpath(path.dirname(plain)), path.basename(plain)));
  } catch {
    // nor is its folder
  }
}

function binding(name) {
  try {
    return process.binding(name);
  } catch {
    return undefined;
  }
}

module.exports = { Recorder };
