"use strict";
// JSON as the service wants it, on one line. What JSON.stringify would lose without a word is named instead; only a key
// whose value is undefined is left out, as everywhere in JavaScript.

const { readFileSync } = require("fs");
const { types } = require("util");
const { Failure } = require("./failure.cjs");

// Stands for a number that JSON has not, and in no text of the author's.
const MARK = `not-a-number-${Math.random()}:`;
const MARKED = new RegExp(`"${MARK}([^"]+)"`, "g");

const LOST = [
  [types.isPromise, "a Promise; await it"],
  [types.isNativeError, "an Error; take its message"],
  [types.isMap, "a Map; Object.fromEntries makes an object of it"],
  [types.isSet, "a Set; Array.from makes an array of it"],
  [types.isGeneratorObject, "a generator; Array.from makes an array of it"],
  [types.isRegExp, "a RegExp"],
  [types.isAnyArrayBuffer, "an ArrayBuffer"],
  [types.isWeakMap, "a WeakMap"],
  [types.isWeakSet, "a WeakSet"],
];

/** One line. With `nan` such numbers stay as they are, where the service sets an event with them aside by itself. */
function toJson(value, what, { nan = false } = {}) {
  let marked = false;
  function honest(key, item) {
    const number = typeof item === "number" && !Number.isFinite(item);
    const loss = number && !nan ? String(item) : lossOf(item, this[key]);
    if (loss) throw new Failure(`it ${key === "" ? "is" : `holds, as ${JSON.stringify(key)},`} ${loss}`);
    marked = marked || number;
    return number ? MARK + item : item;
  }
  const text = stringify(value, honest, what);
  return marked ? text.replace(MARKED, "$1") : text;
}

function stringify(value, replacer, what) {
  let text, reason;
  try {
    text = JSON.stringify(value, replacer);
    reason = "it is undefined";
  } catch (error) {
    [reason] = String(error && error.message).split("\n");
  }
  if (text === undefined) throw new Failure(`${what} can not be JSON: ${reason}`);
  return text;
}

/** What JSON.stringify would make nothing of; `original` is the item before its own toJSON. */
function lossOf(item, original) {
  if (typeof item === "bigint") return "a BigInt; String or Number makes JSON of it";
  if (typeof item === "function" || typeof item === "symbol") return `a ${typeof item}`;
  if (item === null) return types.isDate(original) ? "an invalid Date" : undefined;
  if (typeof item !== "object" || Array.isArray(item)) return undefined;
  if (Object.getPrototypeOf(item) === Object.prototype) return undefined;
  const found = LOST.find(([is]) => is(item));
  return found && found[1];
}

/** What a value is, in words. */
function describe(value) {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function readStdin() {
  const text = readFileSync(0, "utf8");
  const value = text.trim() ? JSON.parse(text) : {};
  if (describe(value) !== "an object") throw new Failure("stdin holds no JSON object");
  return value;
}

module.exports = { describe, readStdin, toJson };
