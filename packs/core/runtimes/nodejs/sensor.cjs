"use strict";
// One poll of a sensor by a process of its own: its messages go to the real stdout.

const { context } = require("./context.cjs");
const { Events } = require("./events.cjs");
const { Ended, Failure, messageOf, tracebackOf } = require("./failure.cjs");
const { describe, readStdin, toJson } = require("./json.cjs");
const { POLL_SENSOR, loadPolled } = require("./polled.cjs");
const { Program } = require("./program.cjs");
const { takeStdout } = require("./stdout.cjs");
const { supervise } = require("./supervise.cjs");

function poll(path) {
  const sensor = new Sensor(path, takeStdout());
  supervise(() => sensor.poll(), sensor);
}

class Sensor {
  constructor(path, out) {
    this.what = POLL_SENSOR;
    this.path = path;
    this.out = out;
    this.line = (text) => out.line(text);
  }

  async poll() {
    const program = new Program(this.path, POLL_SENSOR);
    if (!(await program.defines())) return this.pass(program);
    const polled = await loadPolled(program);
    await polled(readStdin(), context().state || {}, this.line);
  }

  /** Passes on what a plain program prints. */
  async pass(program) {
    const { documentOf } = require("./plain.cjs");
    const document = await documentOf(program.path);
    if (!document) throw new Failure(program.lacks(" and printed nothing"));
    await new Events("stdout", this.line).take(document.events);
    if (describe(document.state) === "an object") {
      this.line(`{"type":"state","state":${toJson(document.state, "the state")}}`);
    }
    if (document.contact === true) this.line('{"type":"contact"}');
  }

  done() {
    this.line('{"type":"done"}');
    this.out.flush();
    return 0;
  }

  failed(thrown) {
    if (thrown instanceof Ended) return thrown.code;
    const message = JSON.stringify(messageOf(thrown));
    this.line(`{"type":"error","message":${message},"traceback":${JSON.stringify(tracebackOf(thrown))}}`);
    this.out.flush();
    return 1;
  }

  exited(code) {
    return this.failed(new Failure(`the sensor called process.exit(${code})`));
  }
}

module.exports = { poll };
