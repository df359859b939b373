"use strict";
// Brings a run of the author's code to exactly one end, whichever comes first: it is done, it failed, something that it
// left behind failed, it called process.exit, or it waits for what can never come. What is still open then, a timer or a
// socket, keeps nobody waiting.

const { Failure } = require("./failure.cjs");

/** The time that prints have to get out at the end, in milliseconds. */
const DRAIN = 1000;

/**
 * `report` has `done()`, `failed(thrown)` and `exited(code)`; each says with which code to exit. What it means that
 * nothing is left to do although the work is not done, `drained()` says, if it is no failure.
 */
function supervise(work, report) {
  let ended = false;
  const end = (code) => {
    if (ended) return;
    ended = true;
    process.exitCode = code();
    drained(() => process.exit(process.exitCode));
  };
  const fail = (thrown) => end(() => report.failed(thrown));
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  process.on("beforeExit", () => (report.drained ? end(() => report.drained()) : fail(new Failure(endless(report.what)))));
  process.on("exit", (code) => {
    if (!ended) process.exitCode = report.exited(code);
    ended = true;
  });
  // One turn more, in which rejections that nobody handles are noticed.
  work().then(() => setImmediate(() => end(() => report.done())), fail);
}

function endless(what) {
  return `${what} waits for a promise that nothing can settle any more`;
}

/** Calls back when what was printed has left: a full pipe takes it later, and process.exit would not wait for that. */
function drained(callback) {
  setTimeout(callback, DRAIN);
  process.stdout.write("", () => process.stderr.write("", callback));
}

module.exports = { endless, supervise };
