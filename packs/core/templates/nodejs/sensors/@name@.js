// Counts the entries of a directory, and reports when the number has changed.

const { readdirSync } = require("fs");

async function poll_sensor(config, state) {
  // `config` is what the sensor's YAML says, `state` what was left in it at the last poll: at first nothing.
  const count = readdirSync(config.directory).length;
  const before = state.count ?? null;
  state.count = count;
  console.log("counted", count); // what is printed is the sensor's log

  // Events and state are stored together, so no change is reported twice or lost, whatever stops in between.
  if (count === before) return [];
  return [{ event_type: "@name@_changed", directory: config.directory, count, before }];
}
