"use strict";
// What Attune stores of a text, and of the JSON that it may be: an event of which it can not store a part is set aside as a whole.

/** Levels of lists and objects; an event may have 100. */
const DEEP = 90;
/** Bytes of the data and their JSON together; an event may have 1 MiB. */
const ROOM = 900 * 1024;
/** NUL and half of a surrogate pair, as JSON.stringify writes them. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** As much of the start as so many bytes hold, in whole characters. */
function headOf(text, bytes) {
  if (Buffer.byteLength(text) <= bytes) return text;
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(bytes)).read);
}

/** `json`; nothing for what is no JSON, or could not be stored. */
function jsonOf(text) {
  try {
    const json = JSON.parse(text);
    if (!isStorable(json)) return {};
    // Written again it may be longer: 1e20 has 21 digits.
    const written = JSON.stringify(json);
    const isLarge = Buffer.byteLength(JSON.stringify(text)) + Buffer.byteLength(written) > ROOM;
    return isLarge || UNSTORABLE.test(written) ? {} : { json };
  } catch {
    return {};
  }
}

/** Not too deep, and without what 1e999 becomes. Level by level: what recurses would overflow the stack on what it is to find. */
function isStorable(value) {
  let level = [value];
  for (let depth = 0; level.length; depth++) {
    if (depth > DEEP || level.includes(Infinity) || level.includes(-Infinity)) return false;
    level = level.flatMap((each) => (each !== null && typeof each === "object" ? Object.values(each) : []));
  }
  return true;
}

module.exports = { headOf, jsonOf };
