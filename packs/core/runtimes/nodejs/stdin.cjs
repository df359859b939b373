"use strict";
// The real stdin, line by line, for the wrapper alone. Whoever else reads it finds it empty.

const { closeSync, openSync } = require("fs");
const { Socket } = require("net");
const { Failure } = require("./failure.cjs");

/** Calls `take` with each line, and `end` when there is none any more. */
function takeStdin(take, end) {
  const descriptor = openSync("/proc/self/fd/0", "r");
  const input = Object.assign(new Socket({ fd: descriptor, readable: true, writable: false }), { descriptor });
  closeSync(0);
  if (openSync("/dev/null", "r") !== 0) throw new Failure("stdin can not be taken");
  let rest = "";
  input.setEncoding("utf8").on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    lines.forEach(take);
  });
  input.on("error", end).on("close", end);
  return input;
}

module.exports = { takeStdin };
