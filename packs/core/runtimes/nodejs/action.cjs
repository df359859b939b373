"use strict";
// One run of an action: the value of its function is the result, all else that it prints is log.

const { writeSync } = require("fs");
const { tracebackOf } = require("./failure.cjs");
const { readStdin, toJson } = require("./json.cjs");
const { Program } = require("./program.cjs");
const { takeStdout } = require("./stdout.cjs");
const { supervise } = require("./supervise.cjs");

const NAME = "run";

async function act(path) {
  let program;
  try {
    program = new Program(path, NAME);
    if (!(await program.defines())) return require("./script.cjs").runScript(path);
  } catch (error) {
    process.exit(failed(error));
  }
  const out = takeStdout();
  supervise(() => call(program, out), { what: NAME, done: () => 0, failed, exited: (code) => code });
}

async function call(program, out) {
  const run = await program.load();
  const result = await run(readStdin());
  if (result === null || result === undefined) return;
  out.line(toJson(result, "the result"));
  out.flush();
}

function failed(thrown) {
  writeSync(2, tracebackOf(thrown));
  return 1;
}

module.exports = { act };
