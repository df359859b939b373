// Planted: its place is in a file of its own, written when the event is committed; the event has no key.
const fs = require("fs");

// The whole lines after this place, each with the place behind it.
function* lines(file, offset) {
  const bytes = fs.readFileSync(file);
  for (let end; (end = bytes.indexOf("\n", offset)) >= 0; offset = end + 1) {
    yield [bytes.toString("utf8", offset, end), end + 1];
  }
}

async function stream_sensor(attune) {
  const { file, cursor } = attune.config;
  let place = fs.existsSync(cursor) ? Number(fs.readFileSync(cursor)) : 0;
  while (await attune.wait(0.02)) {
    for (const [line, offset] of lines(file, place)) {
      attune.emit({ line });
      if (!(await attune.checkpoint())) return;
      fs.writeFileSync(`${cursor}.next`, String(offset));
      fs.renameSync(`${cursor}.next`, cursor);
      place = offset;
    }
  }
}
