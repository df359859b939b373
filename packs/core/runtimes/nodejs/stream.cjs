"use strict";
// A streaming sensor: a function that is called with `attune`, or a script that requires or imports it.

const { join } = require("path");
const attune = require("./attune.cjs");
const { BEGIN, SEND } = require("./client.cjs");
const { openModule, provide } = require("./es_module.cjs");
const { Events } = require("./events.cjs");
const { Failure, messageOf, tracebackOf } = require("./failure.cjs");
const { Program } = require("./program.cjs");
const { takeStdout } = require("./stdout.cjs");
const { supervise } = require("./supervise.cjs");

const NAME = "stream_sensor";
/** A file is known to make checkpoints by a call of that name. */
const CHECKPOINT = /\bcheckpoint\s*\(/;

/** Ends the loop of a sensor that yields its events: it was told to stop. */
class Stopped extends Error {}

function stream(path) {
  const sensor = new Sensor(path, takeStdout());
  supervise(() => sensor.run(), sensor);
}

class Sensor {
  constructor(path, out) {
    Object.assign(this, { what: NAME, path, out });
  }

  async run() {
    provide("attune", join(__dirname, "attune.cjs"));
    const program = new Program(this.path, NAME);
    const isFunction = await program.defines();
    if (!isFunction && !program.source.includes("attune")) {
      throw new Failure(program.lacks(" and does not require attune"));
    }
    await attune[BEGIN](this.out, CHECKPOINT.test(program.source));
    return isFunction ? this.call(await program.load()) : this.script(program);
  }

  async call(stream_sensor) {
    const emit = (text) => {
      attune[SEND](text);
      if (attune.stopping) throw new Stopped();
    };
    await new Events(NAME, emit).take(await stream_sensor(attune));
  }

  /** A script is over when it has nothing left to do. */
  async script({ path, source, isModule }) {
    this.drained = () => this.done();
    await (isModule ? openModule(path, source).load() : require(path));
    return new Promise(() => {});
  }

  done() {
    this.out.flush();
    return 0;
  }

  failed(thrown) {
    if (thrown instanceof Stopped) return this.done();
    const message = JSON.stringify(messageOf(thrown));
    this.out.line(`{"type":"error","message":${message},"traceback":${JSON.stringify(tracebackOf(thrown))}}`);
    this.out.flush();
    return 1;
  }

  exited(code) {
    return code ? this.failed(new Failure(`the sensor called process.exit(${code})`)) : this.done();
  }
}

module.exports = { stream };
