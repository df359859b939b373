"use strict";
// The real stdin, line by line, for the wrapper alone. Whoever else reads it finds it empty.

const { openSync } = require("fs");
const { Socket } = require("net");
const { replace } = require("./number.cjs");

/** Calls `take` with each line, and `end` when there is none any more. */
function takeStdin(take, end) {
  const descriptor = openSync("/proc/self/fd/0", "r");
  const input = Object.assign(new Socket({ fd: descriptor, readable: true, writable: false }), { descriptor });
  replace(0, "/dev/null", "r");
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
