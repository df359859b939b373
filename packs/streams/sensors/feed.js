"use strict";
// One address: connected again and again, from where it was read to. Whatever it sends, the others go on.

const { Events, isId } = require("./events.js");
const { Pause } = require("./pause.js");

/** A connection on which nothing came for so long is given up, in seconds; a server that lives sends comments. */
const SILENCE = 300;
const REDIRECTIONS = 5;
/** Events that go in together. */
const BATCH = 500;

class Feed {
  constructor(attune, params, id, commit) {
    // An id that can not be sent would fail for ever.
    if (!isId(id)) id = undefined;
    Object.assign(this, { attune, params, id, commit, pause: new Pause(), closed: false });
  }

  close() {
    this.closed = true;
    if (this.request) this.request.destroy();
  }

  async run() {
    while (!this.closed) {
      const events = new Events();
      for await (const chunk of this.chunks()) await this.take(events.read(chunk));
      await this.rest();
    }
  }

  /** What comes on one connection. That it fails is told, and ends it. */
  async *chunks() {
    this.pause.begin();
    try {
      const response = await this.connect(this.params.url, REDIRECTIONS);
      this.attune.contact();
      yield* response.setEncoding("utf8");
      this.pause.worked();
    } catch (error) {
      if (this.closed) return;
      this.pause.failed();
      this.attune.log(`${this.params.url}: ${error.message}`, "warning");
    }
  }

  async connect(url, redirections) {
    const response = await this.ask(url);
    const { statusCode, headers } = response;
    const isElsewhere = headers.location && statusCode >= 300 && statusCode < 400 && redirections > 0;
    const fault = faultOf(response);
    if (!isElsewhere && !fault) return response;
    this.request.destroy();
    if (isElsewhere) return this.connect(new URL(headers.location, url).href, redirections - 1);
    throw new Error(fault);
  }

  ask(url) {
    const headers = { Accept: "text/event-stream", "Cache-Control": "no-store" };
    // Node writes a header's letters as bytes; those of an id are UTF-8.
    if (this.id) headers["Last-Event-ID"] = Buffer.from(this.id).toString("latin1");
    const { get } = require(url.startsWith("https:") ? "https" : "http");
    return new Promise((resolve, reject) => {
      const request = get(url, { headers, timeout: SILENCE * 1000 }, resolve);
      request.on("timeout", () => request.destroy(new Error(`nothing came for ${SILENCE} s`))).on("error", reject);
      this.request = request;
    });
  }

  /** Emits events, and waits until they are stored: who is not read from slows down. */
  async take({ events, retry }) {
    if (retry !== undefined) this.pause.wish(retry / 1000);
    if (events.length) this.pause.worked();
    this.attune.contact();
    while (events.length && !this.closed) {
      events.splice(0, BATCH).forEach((event) => this.emit(event));
      await this.commit();
    }
  }

  /** One that can not be told is passed over: sent again, it would fail again. */
  emit({ id = this.id, ...event }) {
    this.id = id;
    const { attune, params } = this;
    try {
      attune.emit({ event_type: "server_event", trigger_params: params, url: params.url, id, ...event });
    } catch (error) {
      attune.log(`${params.url}: an event is passed over: ${error.message}`, "error");
    }
  }

  async rest() {
    const pause = this.pause.seconds;
    const end = performance.now() + pause * 1000;
    // It ends sooner when rules change, which may be about others.
    for (let left = end; left > 0 && !this.closed && !this.attune.stopping; left = end - performance.now()) {
      await this.attune.wait(Math.min(left / 1000, pause));
    }
  }
}

function faultOf({ statusCode, headers }) {
  if (statusCode !== 200) return `the server answers with status ${statusCode}`;
  const type = headers["content-type"] || "nothing";
  return type.startsWith("text/event-stream") ? undefined : `this is ${type}, and not text/event-stream`;
}

module.exports = { Feed };
