"use strict";
// The function of a polled sensor, loaded, to be called once or many times.

const { Events } = require("./events.cjs");
const { toJson } = require("./json.cjs");

const POLL_SENSOR = "poll_sensor";
/** A function with a result has one of these in its text. */
const CAN_GIVE = /\b(return|yield|throw|native code)\b|=>\s*[^\s{]/;

async function loadPolled(program) {
  const poll_sensor = await program.load();
  if (!CAN_GIVE.test(poll_sensor)) {
    console.error(`${POLL_SENSOR} neither returns nor yields anything, so it never has an event`);
  }
  return (config, state, line) => poll(poll_sensor, config, state, line);
}

async function poll(poll_sensor, config, state, line) {
  const before = toJson(state, "the state");
  const contact = () => line('{"type":"contact"}');
  await new Events(POLL_SENSOR, line).take(await poll_sensor(config, state, contact));
  // A function that takes no state leaves it as it is.
  const after = toJson(state, "the state");
  if (after !== before) line(`{"type":"state","state":${after}}`);
}

module.exports = { POLL_SENSOR, loadPolled };
