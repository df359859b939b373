"use strict";
// One request of a host, brought to exactly one end, whichever comes first: it is done, it failed, something that it left
// behind failed, it called process.exit, or it waits for what can never come. After the end it has no voice any more.

const { Failure, Unfit, messageOf, tracebackOf } = require("./failure.cjs");
const { endless } = require("./supervise.cjs");

/** Where the name of the type begins in a message. */
const TYPE = '{"type":"'.length;

/** Unwinds a call of process.exit. */
class Exited extends Error {}

class Turn {
  constructor(request, out) {
    this.request = request;
    this.isPoll = request.type === "poll";
    this.ended = false;
    this.before = process.cpuUsage();
    // `type` and `id` come first, so that the service knows whose it is even when it can not read it.
    const id = `,"id":${request.id}`;
    this.line = (text) => {
      const type = text.indexOf('"', TYPE) + 1;
      if (!this.ended) out.line(text.slice(0, type) + id + text.slice(type));
    };
  }

  /** Settles with the last message written. */
  of(way) {
    return new Promise((resolve) => {
      this.resolve = resolve;
      // One turn of the loop more, in which rejections that nobody handles are noticed.
      way(this.request, this).then(() => setImmediate(() => this.end({ type: "done" })), (thrown) => this.fail(thrown));
    });
  }

  fail(thrown) {
    if (thrown instanceof Unfit) return this.end({ type: "unfit", reason: thrown.message });
    this.end({ type: "error", message: messageOf(thrown), traceback: tracebackOf(thrown) });
  }

  exit(code) {
    if (this.isPoll || code !== 0) {
      return this.fail(new Failure(`the ${this.isPoll ? "sensor" : "action"} called process.exit(${code})`));
    }
    this.line('{"type":"result","result":null}');
    this.end({ type: "done" });
  }

  starve() {
    this.fail(new Failure(endless(this.isPoll ? "poll_sensor" : "run")));
  }

  end(message) {
    if (this.ended) return;
    // That of all threads; of children the engine does not tell.
    const { user, system } = process.cpuUsage(this.before);
    this.line(JSON.stringify({ ...message, cpu_ms: (user + system) / 1000 }));
    this.ended = true;
    this.resolve();
  }
}

module.exports = { Exited, Turn };
