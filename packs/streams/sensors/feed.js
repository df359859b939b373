"use strict";
// One address: connected again and again, from where it was read to.

const { Events } = require("./events.js");

/** Between two connections, in seconds, unless the server says otherwise; longer each time that one fails. */
const PAUSE = 3;
const LONGEST = 60;
/** A connection on which nothing came for so long is given up, in seconds; a server that lives sends comments. */
const SILENCE = 300;
const REDIRECTIONS = 5;
/** Events that go in together. */
const BATCH = 500;

class Feed {
  constructor(attune, params, id, commit) {
    Object.assign(this, { attune, params, id, commit, pause: PAUSE, failures: 0, closed: false });
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
    try {
      const response = await this.connect(this.params.url, REDIRECTIONS);
      this.attune.contact();
      for await (const chunk of response.setEncoding("utf8")) {
        this.failures = 0;
        yield chunk;
      }
    } catch (error) {
      if (this.closed) return;
      this.failures += 1;
      this.attune.log(`${this.params.url}: ${error.message}`, "warning");
    }
  }

  connect(url, redirections) {
    const headers = { Accept: "text/event-stream", "Cache-Control": "no-store" };
    if (this.id) headers["Last-Event-ID"] = this.id;
    const { get } = require(url.startsWith("https:") ? "https" : "http");
    return new Promise((resolve, reject) => {
      const silent = () => this.request.destroy(new Error(`nothing came for ${SILENCE} s`));
      const answered = (response) => {
        const { location } = response.headers;
        if (location && response.statusCode >= 300 && response.statusCode < 400 && redirections > 0) {
          response.resume();
          return resolve(this.connect(new URL(location, url).href, redirections - 1));
        }
        const fault = faultOf(response);
        if (!fault) return resolve(response);
        this.request.destroy();
        return reject(new Error(fault));
      };
      this.request = get(url, { headers, timeout: SILENCE * 1000 }, answered).on("timeout", silent).on("error", reject);
    });
  }

  /** Emits events, and waits until they are stored: who is not read from slows down. */
  async take({ events, retry }) {
    if (retry !== undefined) this.pause = Math.min(retry / 1000, LONGEST);
    this.attune.contact();
    while (events.length) {
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
    const pause = Math.min(this.pause * 2 ** Math.max(0, this.failures - 1), LONGEST);
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
