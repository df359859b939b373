"use strict";
// The descriptors of a host, which its code shares the process with.
//
// Code closes and writes by the numbers that it has, and by mistake by others: one that it closed before, or all from 3 on.
// So what is the host's own has numbers above those that an open gives, and after each turn it is looked at whether that
// is still there. The numbers 0 to 2 are everybody's; one that somebody closed is opened again.

const { closeSync, fstatSync, openSync, writeSync } = require("fs");
const { openAs } = require("./number.cjs");
const { takeStdin } = require("./stdin.cjs");
const { APPEND, takeStdout } = require("./stdout.cjs");

const FLOOR = 256;

class Descriptors {
  /** Takes stdin, with what `takeStdin` wants, and stdout, so that both are out of reach. */
  constructor(take, end) {
    high(() => {
      this.log = openSync("/proc/self/fd/2", APPEND);
      this.out = takeStdout();
      this.input = takeStdin(take, end);
    });
    this.own = new Map([0, 1, 2, this.log, this.out.descriptor, this.input.descriptor].map((each) => [each, identity(each)]));
  }

  /** After a turn. Another file under a number would take the answer, or the log, or give no request. */
  check() {
    [0, 1, 2].forEach((each) => this.reopen(each));
    for (const [each, before] of this.own) if (identity(each) !== before) lost();
  }

  reopen(number) {
    if (!identity(number)) openAs(number, number ? `/proc/self/fd/${this.log}` : "/dev/null", number ? APPEND : "r");
  }
}

/** What `take` opens gets high numbers, as far as so many may be open. */
function high(take) {
  const low = [];
  try {
    do low.push(openSync("/dev/null", "r"));
    while (low[low.length - 1] < FLOOR);
  } catch (error) {
    if (error.code !== "EMFILE") throw error;
    low.splice(-FLOOR / 8).forEach(closeSync);
  }
  take();
  low.forEach((each) => closeSync(each));
}

/** Which file a number stands for; nothing for none. */
function identity(number) {
  try {
    const { dev, ino } = fstatSync(number);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}

/** Nothing can be answered any more. Whoever had the turn finds this beside its error. */
function lost() {
  try {
    writeSync(2, "the code closed descriptors that are not its own, by which it speaks with Attune\n");
  } finally {
    process.reallyExit(1);
  }
}

module.exports = { Descriptors };
