"use strict";
// What went wrong, in words for the author: nothing here is a frame or a path of the wrapper's.

const { basename } = require("path");
const { inspect } = require("util");

const LIMIT = 32 * 1024;
const MAX_CAUSES = 5;
const INSTALLED = "; Attune installs what package.json at the root of the pack names";

/** What is wrong is said completely by the message; no stack would help. */
class Failure extends Error {}

/** The file can only run in a process of its own. */
class Unfit extends Error {}

/** The program ended with another code than 0; what it wrote to stderr says more than any words about that. */
class Ended extends Error {
  constructor(code) {
    super();
    this.code = code;
  }
}

function messageOf(thrown) {
  if (thrown instanceof Failure) return clean(thrown.message);
  return clean(attempt(() => causesOf(thrown).map(title).join(", caused by ")));
}

/** As Node.js prints it, without the frames of the wrapper and of the loader below it. */
function tracebackOf(thrown) {
  if (thrown instanceof Failure) return clean(`${thrown.message}\n`);
  return clean(attempt(() => causesOf(thrown).map(stack).join("\nCaused by: ")) + "\n");
}

function causesOf(thrown) {
  const all = [thrown];
  for (let error = thrown; isError(error) && error.cause != null && all.length < MAX_CAUSES; ) {
    error = error.cause;
    all.push(error);
  }
  return all;
}

function title(error) {
  if (!isError(error)) return `${inspect(error, { depth: 1 })} was thrown, which is no Error`;
  const name = error.name || "Error";
  const [, line] = error instanceof SyntaxError ? position(error) : [];
  const [message] = String(error.message || inner(error)).split("\nRequire stack:");
  return `${name}${message && ": "}${message}${line ? ` (${line})` : ""}${isAbsent(error, message) ? INSTALLED : ""}`;
}

/** Whether it is a package that is absent, and no file of the pack. */
function isAbsent(error, message) {
  return /^(ERR_)?MODULE_NOT_FOUND$/.test(error.code) && /^Cannot find (module|package) '[^./]/.test(message);
}

/** An error that is made of others often says nothing itself, such as that of a connection tried at two addresses. */
function inner(error) {
  if (Array.isArray(error.errors)) return error.errors.map(title).join("; ");
  return error.code || "";
}

/** The first line of a syntax error's stack says where: a path or an address, and a line. */
function position(error) {
  const found = /^(.+):(\d+)\n/.exec(error.stack);
  return found ? [found[0], `${basename(found[1])}, line ${found[2]}`] : [];
}

function stack(error) {
  if (!isError(error)) return title(error);
  const lines = error.stack.split("\n").filter((line) => !isFrame(line) || !line.includes(__dirname));
  while (isFrame(lines[lines.length - 1]) && /[( ]node:/.test(lines[lines.length - 1])) lines.pop();
  return lines.filter((line) => !line.startsWith(`- ${__dirname}`)).join("\n");
}

const isFrame = (line) => /^\s+at /.test(line);
const isError = (value) => typeof value === "object" && value !== null && typeof value.stack === "string";

/** The author's errors may have getters that fail. */
function attempt(describe) {
  try {
    return describe();
  } catch {
    return "an error that can not be shown";
  }
}

/** Not too long: its head and its tail. */
function clean(text) {
  if (text.length > LIMIT) text = `${text.slice(0, LIMIT / 2)}\n...\n${text.slice(-LIMIT / 2)}`;
  return text.replace(/\0/g, "\\0");
}

module.exports = { Ended, Failure, Unfit, messageOf, tracebackOf };
