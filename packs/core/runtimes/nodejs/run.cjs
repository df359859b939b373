"use strict";
// Runs a sensor or an action written in JavaScript: `run.cjs ENTRYPOINT`.
//
// A sensor is a file with a top-level function `poll_sensor(config)` or `poll_sensor(config, state)`. What it returns or
// yields goes to stdout as NDJSON, one message a line; what it prints is log, also when a child process prints it. A file
// without that function is a plain program: it prints one JSON object with `events`, which is passed on event by event.
//
// A streaming sensor is a file with a top-level function `stream_sensor(attune)`; a file without it runs as a script, which
// may `require("attune")` or import it.
//
// An action is a file with a top-level function `run(params)`, whose returned value is the result; a file without it runs
// as a script, with the parameters on stdin, and its result is what it prints.
//
// `run.cjs --script ENTRYPOINT` runs a file as a script whatever it defines.
//
// Node.js 16 is enough; for ES modules 18.19 or 20.6. The files here end with .cjs, so that no package.json around the
// pack makes anything else of them.

// Each way loads what it needs, and no more: a start is most of what a poll costs.
function main([first, second]) {
  if (first === "--script") require("./script.cjs").runScript(second);
  else if ("SENSOR_CONTEXT" in process.env) sense(first);
  else require("./action.cjs").act(first);
}

function sense(path) {
  if (require("./context.cjs").context().mode === "stream") require("./stream.cjs").stream(path);
  else require("./sensor.cjs").poll(path);
}

main(process.argv.slice(2));
