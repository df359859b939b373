"use strict";
// A warm host: polls sensors and runs actions written in JavaScript, one after the other, in one process:
// `host.cjs [MODULES]`.
//
// It speaks the sensor protocol on stdin and stdout (docs/sensor-protocol.md). Files are loaded once and kept, the most
// recently used MODULES of them; one that changed is loaded again. What the author's file may contain, and what its
// errors look like, is as with run.cjs.
//
// Whatever a poll does, the next one works: what it printed is log, what it threw is its own `error`, and only this
// program can reach the real stdout. What would have to run by itself, a file without the function, is `unfit`.

const { writeSync } = require("fs");
const { Descriptors } = require("./descriptors.cjs");
const { tracebackOf } = require("./failure.cjs");
const { Modules } = require("./modules.cjs");
const { POLL_SENSOR, loadPolled } = require("./polled.cjs");
const { Exited, Turn } = require("./turn.cjs");
const { inPlace } = require("./variables.cjs");
const { toJson } = require("./json.cjs");

// More than the sensors that stick to one host: whoever takes turns with more files than are kept finds none of them.
const MOST = 5000;
const RUN = "run";

class Host {
  constructor(most) {
    this.modules = new Modules(most);
    // What polls left behind keeps nobody waiting.
    this.leave = () => process.reallyExit(0);
    this.descriptors = new Descriptors((line) => this.take(JSON.parse(line)), this.leave);
    this.out = this.descriptors.out;
    this.input = this.descriptors.input;
    this.turn = undefined;
    this.waiting = [];
    this.ways = { poll: (request, turn) => this.poll(request, turn), run: (request, turn) => this.run(request, turn) };
  }

  serve() {
    this.watch();
    this.out.line('{"type":"hello","protocol":1,"ids":true}');
    this.out.flush();
  }

  /** What happens outside of any call belongs to the turn that is under way, or to one that left it behind. */
  watch() {
    const fail = (thrown) => (this.turn ? this.turn.fail(thrown) : late(thrown));
    process.on("uncaughtException", fail).on("unhandledRejection", fail);
    process.on("beforeExit", () => this.turn && this.turn.starve());
    process.exit = (code = process.exitCode) => {
      process.exitCode = undefined;
      if (this.turn) this.turn.exit(code || 0);
      throw new Exited();
    };
  }

  take(request) {
    if (this.turn) this.waiting.push(request);
    else if (request.type === "stop") this.leave();
    // An order that came later than this program is none for it.
    else if (this.ways[request.type]) this.answer(request);
  }

  async answer(request) {
    this.turn = new Turn(request, this.out);
    // Without it the engine notices when nothing can go on any more.
    this.input.unref();
    const restore = inPlace(request);
    await this.turn.of(this.ways[request.type]);
    this.turn = undefined;
    this.descriptors.check();
    restore();
    this.input.ref();
    this.out.flush();
    if (this.waiting.length) this.take(this.waiting.shift());
  }

  async poll(request, turn) {
    const polled = await this.modules.get(request.file, POLL_SENSOR, loadPolled);
    const { config = {}, state = {} } = request;
    await polled.within(request, () => polled.call(config, state, turn.line));
  }

  async run(request, turn) {
    const action = await this.modules.get(request.file, RUN, (program) => program.load());
    const result = await action.call(request.params || {});
    turn.line(`{"type":"result","result":${toJson(result === undefined ? null : result, "the result")}}`);
  }
}

function late(thrown) {
  if (thrown instanceof Exited) return;
  writeSync(2, `what an earlier poll or run left behind failed: ${tracebackOf(thrown)}`);
}

new Host(Number(process.argv[2]) || MOST).serve();
