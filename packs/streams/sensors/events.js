"use strict";
// The lines of an event stream, and the events that they are. https://html.spec.whatwg.org/multipage/server-sent-events.html

/** Letters of the data of an event, and of a line; what is more is cut off. */
const MOST = 256 * 1024;
const LINE = MOST + "data: ".length;

class Events {
  constructor() {
    this.isFirst = true;
    this.rest = "";
    this.begin();
  }

  begin() {
    this.data = undefined;
    this.name = "";
    this.cut = false;
  }

  /** The events that this text completes, and the time until the next connection that the server wishes for. */
  read(text) {
    const read = { events: [] };
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = this.short(lines.pop());
    for (const line of lines) this.take(this.short(line), read);
    return read;
  }

  short(line) {
    if (this.isFirst) line = line.replace(/^\uFEFF/, "");
    if (line.length > LINE) this.cut = true;
    return line.slice(0, LINE);
  }

  take(line, read) {
    this.isFirst = false;
    if (line === "") return this.end(read);
    const [, name, value] = /^([^:]*)(?:: ?)?([^]*)$/.exec(line);
    if (name === "data") this.add(value);
    else if (name === "event") this.name = value;
    else if (name === "id" && !value.includes("\0")) this.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) read.retry = Number(value);
    return undefined;
  }

  add(value) {
    const data = this.data === undefined ? value : `${this.data}\n${value}`;
    if (data.length > MOST) this.cut = true;
    this.data = data.slice(0, MOST);
  }

  end({ events }) {
    // The id of an event holds for those after it; one without data is none, but its id counts.
    if (this.data !== undefined) events.push(this.event());
    this.begin();
  }

  event() {
    // NUL can not be stored.
    const data = this.data.replace(/\0/g, "\uFFFD");
    const event = { id: this.id, event: this.name.replace(/\0/g, "\uFFFD") || "message", data, ...json(this.data) };
    return this.cut ? { ...event, cut: true } : event;
  }
}

/** Nothing for what is no JSON, or could not be stored. */
function json(text) {
  try {
    if (text.includes("\\u0000")) return {};
    return { json: JSON.parse(text) };
  } catch {
    return {};
  }
}

module.exports = { Events };
