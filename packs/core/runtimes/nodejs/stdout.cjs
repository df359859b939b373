"use strict";
// The real stdout, for the wrapper alone.
//
// The kernel opens its pipe again by name. Then the number 1 is given to the log. From here on whatever prints, prints to
// the log, also a child process; and no child inherits what this file opened first.

const { constants, openSync, writeSync } = require("fs");
const { replace } = require("./number.cjs");

const BUFFER = 64 * 1024;
// With O_APPEND a file in place of a pipe is written on, not over.
const APPEND = constants.O_WRONLY | constants.O_APPEND;

function takeStdout() {
  const real = openSync("/proc/self/fd/1", APPEND);
  replace(1, "/proc/self/fd/2", APPEND);
  return new Output(real);
}

/** What is written comes out at once when it is much, else at `flush`. */
class Output {
  constructor(descriptor) {
    this.descriptor = descriptor;
    this.lines = [];
    this.size = 0;
  }

  line(text) {
    this.lines.push(text, "\n");
    this.size += text.length;
    if (this.size >= BUFFER) this.flush();
  }

  flush() {
    const bytes = Buffer.from(this.lines.join(""));
    this.lines = [];
    this.size = 0;
    for (let start = 0; start < bytes.length; ) start += this.write(bytes, start);
  }

  write(bytes, start) {
    try {
      return writeSync(this.descriptor, bytes, start);
    } catch (error) {
      if (error.code !== "EPIPE") throw error;
      // Nobody listens any more. The author's own broken pipes do not come here.
      process.reallyExit(1);
    }
  }
}

module.exports = { APPEND, takeStdout };
