"use strict";
// A file that runs by itself, as `node FILE` runs it: it has stdin and stdout, and is the main module.

const { writeSync } = require("fs");
const Module = require("module");
const { findImports, openModule } = require("./es_module.cjs");
const { tracebackOf } = require("./failure.cjs");
const { read } = require("./kind.cjs");

async function runScript(given) {
  try {
    const { path, source, isModule } = read(given);
    process.argv.splice(1, Infinity, path);
    if (isModule) return await openModule(path, source).load();
    findImports(source);
    Module._load(path, null, true);
  } catch (error) {
    writeSync(2, tracebackOf(error));
    process.exit(1);
  }
}

module.exports = { runScript };
