"use strict";
// How long a feed waits between two connections: what the server wishes for, and longer each time that one fails.

/** Seconds: without a wish; the bounds, whatever is wished for. Without the lower one `retry: 0` would be a busy loop. */
const USUAL = 3;
const SHORTEST = 0.05;
const LONGEST = 60;

class Pause {
  constructor() {
    this.wish(USUAL);
    this.worked();
  }

  wish(seconds) {
    this.wished = Math.max(SHORTEST, Math.min(seconds, LONGEST));
  }

  begin() {
    this.begun = performance.now();
  }

  /** An event came, or the server ended the connection properly. */
  worked() {
    this.failures = 0;
  }

  /** One that lasted has worked, even if nothing came: what lies between may cut connections. */
  failed() {
    if (performance.now() - this.begun > LONGEST * 1000) this.worked();
    this.failures += 1;
  }

  get seconds() {
    return Math.min(this.wished * 2 ** Math.max(0, this.failures - 1), LONGEST);
  }
}

module.exports = { Pause };
