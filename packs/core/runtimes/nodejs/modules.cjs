"use strict";
// The files that a host has loaded; those that were used last, up to a number. What is forgotten takes its helpers with it,
// those that none of the files that stay required. An ES module the engine keeps for ever.

const { rmSync, statSync, writeFileSync } = require("fs");
const { join } = require("path");
const { Unfit } = require("./failure.cjs");
const { release, renew } = require("./helpers.cjs");
const { Program } = require("./program.cjs");
const { home } = require("./variables.cjs");

const CONTEXT = join(home, ".sensor-context.json");

class Modules {
  constructor(most) {
    this.most = most;
    this.loaded = new Map();
    /** Files that could not be loaded, as they were then. */
    this.failed = new Map();
  }

  /** The file as it is now; `load(program)` gives what its function is called by. */
  async get(path, name, load) {
    const key = `${name} ${path}`;
    const signature = signatureOf(path);
    const found = this.loaded.get(key);
    this.loaded.delete(key);
    const current = found && found.signature === signature ? found : await this.load(key, found, new Loaded(path, signature), name, load);
    this.loaded.set(key, current);
    if (this.loaded.size > this.most) this.evict();
    current.enter();
    return current;
  }

  async load(key, found, file, name, load) {
    const before = found || this.failed.get(key);
    // What it requires may have changed with it.
    if (before && before.root && before.signature !== file.signature) renew(before.root);
    this.failed.set(key, file);
    await file.load(name, load);
    this.failed.delete(key);
    return file;
  }

  evict() {
    const [key, { root }] = this.loaded.entries().next().value;
    this.loaded.delete(key);
    release(root, Array.from(this.loaded.values(), (each) => each.root));
  }
}

class Loaded {
  constructor(path, signature) {
    Object.assign(this, { path, signature });
  }

  async load(name, load) {
    const program = new Program(this.path, name);
    if (!(await program.defines())) throw new Unfit(program.lacks());
    this.wantsContext = program.source.includes("SENSOR_CONTEXT");
    this.root = program.root;
    this.enter = program.entry();
    this.enter();
    this.call = await load(program);
  }

  /** Calls with the file that SENSOR_CONTEXT names, if the sensor reads it. */
  async within(request, call) {
    if (!this.wantsContext) return call();
    const { sensor, triggers, config, state, trigger_params } = request;
    writeFileSync(CONTEXT, JSON.stringify({ ref: sensor, sensor, triggers, config, state, trigger_params }), { mode: 0o600 });
    process.env.SENSOR_CONTEXT = CONTEXT;
    try {
      return await call();
    } finally {
      delete process.env.SENSOR_CONTEXT;
      rmSync(CONTEXT, { force: true });
    }
  }
}

function signatureOf(path) {
  const { mtimeMs, size, ino } = statSync(path);
  return `${mtimeMs} ${size} ${ino}`;
}

module.exports = { Modules };
