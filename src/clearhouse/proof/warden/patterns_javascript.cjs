'use strict';
// Regular expressions that the target makes and the harness executes, as with ansi-regex.
//
// V8 matches them without any code of the target's on the stack, and what takes long is the target's
// all the same. Only plain values take part, so no code of the harness's can run in between.

const { getOwnPropertyDescriptor, getPrototypeOf, keys: namesOf } = Object;
const { ownKeys } = Reflect;
const { isHolder, isPlain, ownValue } = require('./values_javascript.cjs');

const LOOKED_AT = 64; // properties of a result that may be patterns
const OF_PATTERNS = new Set(['exec', 'test'].map((name) => RegExp.prototype[name]));
const OF_TEXTS = new Set(
  ['match', 'replace', 'replaceAll', 'search', 'split'].map((name) => String.prototype[name]),
);
const { prototype: USUAL } = RegExp;
const ASKED_FOR = new Set(ownKeys(USUAL)); // what V8 looks up while it matches

class Patterns {
  /**
   * `exported()` is the set of what can be reached from the target's exports, `name` its name,
   * and `own` the set of the harness's own patterns.
   */
  constructor(exported, name, own) {
    this.exported = exported;
    this.name = name;
    this.own = own;
    this.makers = new WeakMap(); // pattern to the call that returned it
  }

  /** Remember the patterns that a call of the target returned, by themselves or in a collection. */
  returned(callee, result) {
    if (result instanceof RegExp) this.makers.set(result, `${callee}()`);
    if (!isHolder(result) || typeof result === 'function' || !isPlain(result)) return;
    for (const name of namesOf(result).slice(0, LOOKED_AT)) {
      const one = getOwnPropertyDescriptor(result, name)?.value;
      if (one instanceof RegExp) this.makers.set(one, `${callee}()`);
    }
  }

  /** Whose pattern a call of V8's own functions executes, as `Origins.look` has it; or undefined. */
  executed(fn, self, args) {
    const ofText = OF_TEXTS.has(fn);
    if (!ofText && !OF_PATTERNS.has(fn)) return undefined;
    const [pattern, ...plain] = ofText ? [args[0], self, ...args.slice(1)] : [self, ...args];
    if (!(pattern instanceof RegExp) || plain.some(isHolder)) return undefined;
    if (this.own.has(pattern) || !isUntouched(pattern)) return undefined;
    const maker = this.makers.get(pattern) ?? (this.exported().has(pattern) ? this.name : undefined);
    return maker === undefined ? undefined : { file: 'native', name: maker };
  }
}

/** Whether V8 matches the pattern alone, and asks no property that may be the harness's. */
function isUntouched(pattern) {
  if (getPrototypeOf(pattern) !== USUAL || isHolder(ownValue(pattern, 'lastIndex'))) return false;
  return ownKeys(pattern).every((key) => !ASKED_FOR.has(key));
}

module.exports = { Patterns };
