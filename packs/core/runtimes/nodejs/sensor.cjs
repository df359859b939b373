"use strict";
// One poll of a sensor: its messages go to the real stdout.

const { readFileSync } = require("fs");
const { Ended, Failure, messageOf, tracebackOf } = require("./failure.cjs");
const { describe, readStdin, toJson } = require("./json.cjs");
const { Program } = require("./program.cjs");
const { takeStdout } = require("./stdout.cjs");
const { supervise } = require("./supervise.cjs");

const NAME = "poll_sensor";
/** A function with a result has one of these in its text. */
const CAN_GIVE = /\b(return|yield|throw|native code)\b|=>\s*[^\s{]/;

function poll(path) {
  const sensor = new Sensor(path, takeStdout());
  supervise(() => sensor.poll(), sensor);
}

class Sensor {
  constructor(path, out) {
    this.what = NAME;
    this.path = path;
    this.out = out;
    this.count = 0;
  }

  async poll() {
    const program = new Program(this.path, NAME);
    if (await program.defines()) await this.call(await program.load());
    else await this.pass(program);
  }

  async call(poll_sensor) {
    const context = JSON.parse(readFileSync(process.env.SENSOR_CONTEXT, "utf8"));
    const state = context.state || {};
    if (!CAN_GIVE.test(poll_sensor)) console.error(`${NAME} neither returns nor yields anything, so it never has an event`);
    const before = toJson(state, "the state");
    await this.emitAll(await poll_sensor(readStdin(), state));
    // A function that takes no state leaves it as it is.
    const after = toJson(state, "the state");
    if (after !== before) this.out.line(`{"type":"state","state":${after}}`);
  }

  async emitAll(result) {
    if (result === null || result === undefined) return;
    for await (const event of eventsOf(result)) this.emit(event);
  }

  emit(event) {
    this.count += 1;
    const what = `event ${this.count}`;
    const kind = describe(event);
    if (kind !== "an object") throw new Failure(`${what} is ${kind}, and no object`);
    // `type` comes first, so that the service knows an event even when it can not read it.
    this.out.line(`{"type":"event","payload":${toJson(event, what, { nan: true })}}`);
  }

  /** Passes on what a plain program prints. */
  async pass(program) {
    const { documentOf } = require("./plain.cjs");
    const document = await documentOf(program.path);
    if (!document) throw new Failure(program.lacks());
    document.events.forEach((event) => this.emit(event));
    if (describe(document.state) === "an object") {
      this.out.line(`{"type":"state","state":${toJson(document.state, "the state")}}`);
    }
  }

  done() {
    this.out.line('{"type":"done"}');
    this.out.flush();
    return 0;
  }

  failed(thrown) {
    if (thrown instanceof Ended) return thrown.code;
    const message = JSON.stringify(messageOf(thrown));
    this.out.line(`{"type":"error","message":${message},"traceback":${JSON.stringify(tracebackOf(thrown))}}`);
    this.out.flush();
    return 1;
  }

  exited(code) {
    return this.failed(new Failure(`the sensor called process.exit(${code})`));
  }
}

function eventsOf(result) {
  if (typeof result === "object") {
    return result[Symbol.asyncIterator] || result[Symbol.iterator] ? result : [result];
  }
  const given = describe(result);
  throw new Failure(`${NAME} returned ${given}; it returns an event (an object), an array of events or null, or yields events`);
}

module.exports = { poll };
