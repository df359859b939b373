"use strict";
// The lines of an event stream, and the events that they are. https://html.spec.whatwg.org/multipage/server-sent-events.html

const { headOf, jsonOf } = require("./storable.js");

/** Bytes of the data of an event; what is more is cut off. */
const MOST = 256 * 1024;
/** Letters of a line that are kept. They are more than may be data, so that what was cut here is cut, and marked, there. */
const LINE = MOST + "data: ".length + 1;
/** Bytes of an id, which becomes a header, and of a name. */
const SHORT = 1024;

class Events {
  constructor() {
    this.isFirst = true;
    this.rest = "";
    this.begin();
  }

  begin() {
    this.data = undefined;
    this.room = MOST;
    this.name = "";
    this.cut = false;
  }

  /** The events that this text completes, and the time until the next connection that the server wishes for. */
  read(text) {
    const read = { events: [] };
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop().slice(0, LINE);
    for (const line of lines) this.take(line.slice(0, LINE), read);
    return read;
  }

  take(line, read) {
    if (this.isFirst) line = line.replace(/^\uFEFF/, "");
    this.isFirst = false;
    if (line === "") return this.end(read);
    const [, name, value] = /^([^:]*)(?:: ?)?([^]*)$/.exec(line);
    if (name === "data") this.add(value);
    else if (name === "event") this.name = this.short(value, SHORT);
    else if (name === "id" && isId(value)) this.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) read.retry = Number(value);
    return undefined;
  }

  add(value) {
    const more = this.data === undefined ? value : `\n${value}`;
    const kept = this.short(more, this.room);
    this.data = (this.data || "") + kept;
    // After a gap nothing follows, even if it had room.
    this.room = kept === more ? this.room - Buffer.byteLength(kept) : 0;
  }

  short(text, bytes) {
    const kept = headOf(text, bytes);
    if (kept !== text) this.cut = true;
    return kept;
  }

  end({ events }) {
    // The id of an event holds for those after it; one without data is none, but its id counts.
    if (this.data !== undefined) events.push(this.event());
    this.begin();
  }

  event() {
    // NUL can not be stored.
    const [name, data] = [this.name, this.data].map((text) => text.replace(/\0/g, "\uFFFD"));
    const event = { id: this.id, event: name || "message", data };
    return this.cut ? { ...event, cut: true } : { ...event, ...jsonOf(this.data) };
  }
}

/** Whether a server can be asked to go on from there: what no header can hold counts as NUL does, and is passed over. */
function isId(value) {
  return typeof value === "string" && Buffer.byteLength(value) <= SHORT && !/\p{Cc}/u.test(value);
}

module.exports = { Events, isId };
