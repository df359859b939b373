const { openSync, readSync } = require("fs");

async function stream_sensor(attune) {
  const tape = openSync(attune.config.tape);
  const buffer = Buffer.alloc(64 * 1024);
  while (await attune.wait(0.01)) {
    const offset = attune.state.offset || 0;
    const size = readSync(tape, buffer, 0, buffer.length, offset);
    const whole = buffer.subarray(0, buffer.subarray(0, size).lastIndexOf("\n") + 1);
    for (const line of whole.toString().split("\n").slice(0, -1)) attune.emit({ n: Number(line) });
    attune.state.offset = offset + whole.length;
    attune.checkpoint();
  }
}
