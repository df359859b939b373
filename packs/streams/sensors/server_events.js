"use strict";
// Server-sent events, as browsers know them: an HTTP response that never ends.
//
// The addresses are what live rules ask for. How far each was read (the id of its last event) is kept in each checkpoint,
// together with the events, and is what the server is asked to go on from: after a stop, a crash or a lost connection.

const { Feed } = require("./feed.js");

/** What is looked for is told at once; this is only how often nothing is looked for. */
const LONG = 3600;
/** Addresses that no rule asks for now, whose places are kept for when one does again. */
const REMEMBERED = 100;

async function stream_sensor(attune) {
  const feeds = new Map();
  do follow(attune, feeds);
  while (await attune.wait(LONG));
  feeds.forEach((feed) => feed.close());
}

/** Has one feed for each that a rule asks for. */
function follow(attune, feeds) {
  const asked = new Map(attune.trigger_params.map(({ params }) => [keyOf(params), params]));
  for (const [key, feed] of feeds) {
    if (asked.has(key)) continue;
    feed.close();
    feeds.delete(key);
  }
  for (const [key, params] of asked) {
    if (feeds.has(key)) continue;
    const feed = new Feed(attune, params, (attune.state[key] || {}).id, commit);
    feeds.set(key, feed);
    feed.run();
  }

  /** All that was emitted by now, and where it was read. What is read now comes last, and so is forgotten last (a restart sorts). */
  function commit() {
    const others = Object.entries(attune.state).filter(([key, place]) => !feeds.has(key) && place.id);
    const places = Array.from(feeds, ([key, { id }]) => [key, { id }]);
    return attune.checkpoint(Object.fromEntries([...others.slice(-REMEMBERED), ...places]));
  }
}

const keyOf = (params) => JSON.stringify(Object.entries(params).sort());

module.exports = { stream_sensor };
