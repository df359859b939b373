"use strict";
// A descriptor's number for another file.
//
// Node.js can not duplicate a descriptor, but an open gets the lowest free number. A thread of the engine may open a file
// between the close and the open, and have the number for that moment: the C library does so when it gives memory back.
// So the open is repeated until the number is free again.

const { closeSync, openSync } = require("fs");
const { Failure } = require("./failure.cjs");

/** What has the number for longer, in milliseconds, is no thread of the engine. */
const PATIENCE = 1000;

/** Opens a file under this number, which is free or about to be. The lower ones are taken. */
function openAs(number, path, flags) {
  const end = performance.now() + PATIENCE;
  do {
    const opened = openSync(path, flags);
    if (opened === number) return;
    closeSync(opened);
  } while (performance.now() < end);
  throw new Failure(`the descriptor ${number} can not be opened again`);
}

/** Closes a number, and opens a file under it. */
function replace(number, path, flags) {
  closeSync(number);
  openAs(number, path, flags);
}

module.exports = { openAs, replace };
