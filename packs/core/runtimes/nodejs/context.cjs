"use strict";
// What a sensor is told in the file that SENSOR_CONTEXT names.

const { readFileSync } = require("fs");

function context() {
  return JSON.parse(readFileSync(process.env.SENSOR_CONTEXT, "utf8"));
}

module.exports = { context };
