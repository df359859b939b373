"use strict";
// What a sensor's function gives, event by event; each goes to `line(text)`.

const { Failure } = require("./failure.cjs");
const { describe, toJson } = require("./json.cjs");

class Events {
  constructor(name, line) {
    Object.assign(this, { name, line, count: 0 });
  }

  async take(result) {
    if (result === null || result === undefined) return;
    for await (const event of this.eventsOf(result)) this.emit(event);
  }

  eventsOf(result) {
    if (typeof result === "object") {
      return result[Symbol.asyncIterator] || result[Symbol.iterator] ? result : [result];
    }
    const [name, given] = [this.name, describe(result)];
    throw new Failure(`${name} returned ${given}; it returns an event (an object), an array of events or null, or yields events`);
  }

  emit(event) {
    this.count += 1;
    const what = `event ${this.count}`;
    const kind = describe(event);
    if (kind !== "an object") throw new Failure(`${what} is ${kind}, and no object`);
    // `type` comes first, so that the service knows an event even when it can not read it.
    this.line(`{"type":"event","payload":${toJson(event, what, { nan: true })}}`);
  }
}

module.exports = { Events };
