'use strict';
// What can be said of a value without running any code of the program's.

const { getOwnPropertyDescriptor, getPrototypeOf, keys: namesOf } = Object;

const SHOWN_TEXT = 200;
const SHOWN_ITEMS = 64;
const SHOWN_DEPTH = 4;
const CLASSES = 16; // how far up a value's classes are looked at

const isObject = (value) => typeof value === 'object' && value !== null;
const isHolder = (value) => isObject(value) || typeof value === 'function';

function isThenable(value) {
  return isObject(value) && (value instanceof Promise || typeof value.then === 'function');
}

/** Whether an object is a mere collection: no class of anybody's stands over it. */
function isPlain(value) {
  const above = getPrototypeOf(value);
  return above === Object.prototype || above === null || Array.isArray(value);
}

/** An own property that is no accessor. */
function ownValue(value, key) {
  return getOwnPropertyDescriptor(value, key)?.value;
}

function nameOf(fn) {
  const name = ownValue(fn, 'name');
  return typeof name === 'string' ? name : '';
}

/** The names of a value's class and of all classes above it. */
function classNames(value) {
  const found = [];
  try {
    let above = getPrototypeOf(value);
    for (let i = 0; i < CLASSES && above !== null; i++) {
      const made = ownValue(above, 'constructor');
      const name = typeof made === 'function' ? nameOf(made) : '';
      if (name !== '' && !found.includes(name)) found.push(name);
      above = getPrototypeOf(above);
    }
  } catch {
    // a proxy that refuses
  }
  return found;
}

/** What sort of value an argument is. */
function kindOf(value) {
  if (value === null) return 'null';
  return isObject(value) ? classNames(value)[0] ?? 'Object' : typeof value;
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
      return String(value).slice(0, SHOWN_ITEMS);
    case 'string':
      return value.length < SHOWN_TEXT ? value : `sha256:${digest(value)}`;
    case 'object':
      return value === null ? null : collection(value, depth);
    default:
      return `<${typeof value}>`;
  }
}

function collection(value, depth) {
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    return `bytes:${digest(Buffer.from(buffer, byteOffset, byteLength))}`;
  }
  const whole = `<${kindOf(value)}>`;
  if (depth >= SHOWN_DEPTH || !isPlain(value)) return whole;
  const found = [];
  for (const key of namesOf(value).slice(0, SHOWN_ITEMS)) {
    const property = getOwnPropertyDescriptor(value, key);
    if (property === undefined || !('value' in property)) return whole;
    if (typeof property.value === 'function') return whole; // with methods it is an instance
    const shown = plain(property.value, depth + 1);
    if (Array.isArray(value)) found.push(shown);
    else if (property.value !== undefined) found.push([key, shown]);
  }
  if (!Array.isArray(value)) return { dict: found };
  return value.length > SHOWN_ITEMS ? [...found, value.length] : found;
}

function digest(data) {
  return require('crypto').createHash('sha256').update(data).digest('hex');
}

module.exports = {
  classNames, isHolder, isObject, isPlain, isThenable, kindOf, nameOf, ownValue, plain,
};
