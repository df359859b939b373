"use strict";
// The files that a host has loaded; those that were used last, up to a number.

const { rmSync, statSync, writeFileSync } = require("fs");
const { dirname, join, sep } = require("path");
const { Unfit } = require("./failure.cjs");
const { Program } = require("./program.cjs");
const { home } = require("./variables.cjs");

const CONTEXT = join(home, ".sensor-context.json");

class Modules {
  constructor(most) {
    this.most = most;
    this.loaded = new Map();
  }

  /** The file as it is now; `load(program)` gives what its function is called by. */
  async get(path, name, load) {
    const key = `${name} ${path}`;
    const found = this.loaded.get(key);
    const signature = signatureOf(path);
    this.loaded.delete(key);
    const current = found && found.signature === signature ? found : await this.load(path, name, load, found);
    current.signature = signature;
    this.loaded.set(key, current);
    if (this.loaded.size > this.most) this.loaded.delete(this.loaded.keys().next().value);
    current.program.enter();
    return current;
  }

  async load(path, name, load, before) {
    if (before) forget(dirname(before.program.path));
    const program = new Program(path, name);
    if (!(await program.defines())) throw new Unfit(program.lacks());
    program.enter();
    return new Loaded(program, await load(program));
  }
}

class Loaded {
  constructor(program, call) {
    Object.assign(this, { program, call });
    this.wantsContext = program.source.includes("SENSOR_CONTEXT");
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

/** What a file that changed had loaded from beside it may have changed with it. */
function forget(directory) {
  const inside = (path) => path.startsWith(directory + sep) && !path.includes(`${sep}node_modules${sep}`);
  Object.keys(require.cache).filter(inside).forEach((path) => delete require.cache[path]);
}

module.exports = { Modules };
