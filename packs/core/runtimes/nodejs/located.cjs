"use strict";
// Where the syntax error of an ES module is. Node.js knows it, but tells it only where it prints the error itself; so a
// process of its own is asked to check the file, and then those that it imports.

const { spawnSync } = require("child_process");
const { readFileSync } = require("fs");
const { dirname, resolve } = require("path");

const MAX_FILES = 20;
const IMPORTED = /\b(?:from|import)\s*["'](\.{1,2}\/[^"']+)["']/g;

function throwLocated(error, path, text) {
  if (error instanceof SyntaxError && !/^.+:\d+\n/.test(error.stack)) {
    const place = find(path, text, new Set());
    if (place) error.stack = place + error.stack;
  }
  throw error;
}

/** The address, the line and the text there, as Node.js shows them above an error. */
function find(path, text, seen) {
  if (seen.has(path) || seen.size === MAX_FILES) return undefined;
  seen.add(path);
  const own = check(path, text);
  if (own) return own;
  const imported = Array.from(text.matchAll(IMPORTED), ([, specifier]) => resolve(dirname(path), specifier));
  return imported.reduce((found, other) => found || find(other, read(other), seen), undefined);
}

function check(path, input) {
  const args = ["--check", "--input-type=module", "-"];
  const { stderr } = spawnSync(process.execPath, args, { input, encoding: "utf8" });
  const found = /^[^\n]+(:\d+\n[^]*\n)SyntaxError/.exec(stderr);
  return found && path + found[1];
}

function read(path) {
  try {
    return path.endsWith(".cjs") || path.endsWith(".json") ? "" : readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

module.exports = { throwLocated };
