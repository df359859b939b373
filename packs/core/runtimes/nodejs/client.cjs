"use strict";
// The class of what a streaming sensor calls `attune`: what it is told, and what it can say.

const { Failure } = require("./failure.cjs");
const { describe, toJson } = require("./json.cjs");
const { takeStdin } = require("./stdin.cjs");

/** While it waits a sensor shows each second that it is alive. */
const BEAT = 1000;
const NO_START = "a stream begins with the order `start`";
/** The wrapper's own doors. */
const BEGIN = Symbol("begin");
const SEND = Symbol("send");

class Attune {
  #out;
  #input;
  #checkpoints = false;
  #spoke = 0;
  #id = 0;
  #changed = false;
  /** The parameters as of the last return from `wait`: what came since then, before the next call, counts as well. */
  #told;
  /** What is waited for: functions that look whether it happened. */
  #waiting = new Set();
  #acknowledged = 0;
  #over = false;

  /** Whether the sensor shall come to an end. */
  stopping = false;
  /** The sensor's ref, and those of its triggers. */
  sensor = undefined;
  triggers = [];
  /** The configuration. */
  config = {};
  /** What the last checkpoint kept; an object to change in place. */
  state = {};
  /** What the live rules ask for now. */
  trigger_params = [];

  /** Sends an event, an object. */
  emit(payload) {
    if (describe(payload) !== "an object") throw new Failure(`the event is ${describe(payload)}, and no object`);
    this[SEND](`{"type":"event","payload":${toJson(payload, "the event", { nan: true })}}`);
  }

  /**
   * Has the events since the last one and the state committed together. The promise is settled when they are, with
   * whether that is known.
   */
  checkpoint(state = this.state) {
    if (!this.#checkpoints) throw new Failure("checkpoint is only found when the sensor's own file calls it");
    if (describe(state) !== "an object") throw new Failure(`the state is ${describe(state)}, and no object`);
    this.state = state;
    const id = ++this.#id;
    this[SEND](`{"type":"checkpoint","id":${id},"state":${toJson(state, "the state")}}`);
    return this.#until(() => this.#acknowledged >= id || this.#over).then(() => this.#acknowledged >= id);
  }

  /**
   * Says that it is alive. From the first one on the sensor is ended and started again when it is silent for its time
   * limit.
   */
  heartbeat() {
    this[SEND]('{"type":"heartbeat"}');
  }

  /** Says that it reached its source. Once a sensor has said so, nothing else counts as contact. */
  contact() {
    this[SEND]('{"type":"contact"}');
  }

  /** Writes to the sensor's log, as `console.log` does. */
  log(message, level = "info") {
    this[SEND](`{"type":"log","level":${JSON.stringify(String(level))},"message":${JSON.stringify(String(message))}}`);
  }

  /** Waits, alive; less when it shall stop or other parameters are asked for. The promise tells whether to go on. */
  async wait(seconds) {
    const told = this.#told;
    await this.#until(() => this.stopping || this.trigger_params !== told, seconds * 1000);
    this.#told = this.trigger_params;
    return !this.stopping;
  }

  /** Whether `trigger_params` changed since this was asked last. */
  changed() {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  [SEND](text) {
    if (!this.#out) throw new Failure("attune is there for streaming sensors");
    this.#out.line(text);
    this.#out.flush();
    this.#spoke = performance.now();
  }

  async [BEGIN](out, checkpoints) {
    this.#out = out;
    this.#checkpoints = checkpoints;
    this[SEND](`{"type":"hello","protocol":1,"checkpoints":${checkpoints}}`);
    // What follows `start` may come in the same breath, so it is taken in at once.
    await new Promise((resolve, reject) => {
      let take = (order) => {
        take = (order) => this.#take(order);
        if (order.type === "start") resolve(this.#start(order));
        else reject(new Failure(NO_START));
      };
      this.#input = takeStdin(
        (line) => take(JSON.parse(line)),
        () => (reject(new Failure(NO_START)), this.#end()),
      );
    });
    // A sensor that has nothing else to do is over.
    this.#input.unref();
  }

  #start(start) {
    for (const key of ["sensor", "triggers", "config", "state", "trigger_params"]) {
      if (start[key]) this[key] = start[key];
    }
    this.#told = this.trigger_params;
  }

  #take(order) {
    if (order.type === "stop") this.stopping = true;
    else if (order.type === "ack") this.#acknowledged = Math.max(this.#acknowledged, order.checkpoint);
    else if (order.type === "params") {
      this.trigger_params = order.trigger_params;
      this.#changed = true;
    }
    this.#waiting.forEach((look) => look());
  }

  #end() {
    this.stopping = this.#over = true;
    this.#waiting.forEach((look) => look());
  }

  /** Waits for news, and shows meanwhile that it is alive. */
  #until(happened, ms = Infinity) {
    const end = performance.now() + ms;
    return new Promise((resolve) => {
      let timer;
      const look = () => {
        clearTimeout(timer);
        const now = performance.now();
        if (now - this.#spoke >= BEAT) this.heartbeat();
        if (!happened() && now < end) {
          timer = setTimeout(look, Math.min(BEAT, end - now));
          return;
        }
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

module.exports = { Attune, BEGIN, SEND };
