// Planted: it says that it has been there before it says what it saw.
const fs = require("fs");

// The whole lines after this place, each with the place behind it.
function* lines(file, offset) {
  const bytes = fs.readFileSync(file);
  for (let end; (end = bytes.indexOf("\n", offset)) >= 0; offset = end + 1) {
    yield [bytes.toString("utf8", offset, end), end + 1];
  }
}

async function stream_sensor(attune) {
  while (await attune.wait(0.02)) {
    for (const [line, offset] of lines(attune.config.file, attune.state.offset || 0)) {
      attune.checkpoint({ offset });
      attune.emit({ line });
    }
  }
}
