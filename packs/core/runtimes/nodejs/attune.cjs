"use strict";
// `require("attune")` and `import attune from "attune"` in a streaming sensor.

const { Attune } = require("./client.cjs");

module.exports = new Attune();
